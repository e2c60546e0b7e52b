"""Writes what all contests have come to into RESULTS.md, with a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.contest import Aim, Contest
from benchmarks.place import ROOT
from benchmarks.results import Result, read_results

_REPORT = ROOT / "benchmarks" / "RESULTS.md"
_CHART = ROOT / "benchmarks" / "results.svg"
_SCALES = (0.01, 0.1, 1, 10)
_CHARTED = 10
"""Times as long as the first contender: a bar that is longer is cut."""


def write_report(contests: Mapping[str, Contest]) -> None:
    """Writes RESULTS.md and its chart from the kept results."""
    kept = {name: read_results(name, _SCALES) for name in contests}
    lines = [
        "# Results",
        "",
        "Written by `make bench`: do not edit. Each figure is the median of the rounds, with the shortest and longest.",
        "A whole command is timed, from its start to its end, and after each the target's rows are counted and summed.",
        "The contenders of a contest take turns in one run. How to run it is in [README.md](README.md). Machines",
        "differ: compare ratios, and only those of one run.",
        "",
        *_aims(contests, kept),
        "![Time of each contender, as a multiple of the first one's](results.svg)",
        "",
    ]
    for name, results in kept.items():
        for result in results:
            lines += [*_contest(name, contests[name], result), ""]
    _REPORT.write_text("\n".join(lines).rstrip() + "\n")
    _draw(contests, kept)


# --- what batchrun aims at ---


def _aims(contests: Mapping[str, Contest], kept: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    yield "| contest | scale | of | to | at most | measured | |"
    yield "|---|---|---|---|---|---|---|"
    for name, contest in contests.items():
        for result in kept[name]:
            for aim in contest.aims:
                if result.scale >= aim.smallest:
                    yield _aim(contest, result, aim)
    yield ""


def _aim(contest: Contest, result: Result, aim: Aim) -> str:
    own, against = aim.of_own_seconds, aim.against
    ratio = result.median(aim.name, own=own) if against is None else result.ratio(aim.name, against, own=own)
    measured, mark = ("not run", "") if ratio is None else (f"{ratio:.2f}", "✓" if ratio <= aim.most else "✗")
    how = " (start left out)" if own else ""
    return (
        f"| {contest.title} | {result.scale:g} | {_plain(aim.name)} | {_plain(against or 'seconds')}{how} "
        f"| {aim.most:.2f} | {measured} | {mark} |"
    )


# --- each contest ---


def _contest(name: str, contest: Contest, result: Result) -> Iterator[str]:
    yield f"## {contest.title}, scale {result.scale:g}"
    yield ""
    rounds = max((len(each) for each in result.runs.values()), default=0)
    yield f"`make bench ONLY={name}`, {rounds} round{'s' * (rounds != 1)}. {_machine(result.machine)}"
    yield ""
    yield "| | median s | from–to | ratio | of its own s | rows/s | CPU s | memory MB |"
    yield "|---|---|---|---|---|---|---|---|"
    first = contest.contenders[0].name
    for contender in contest.contenders:
        if contender.name in result.runs:
            yield _row(contender.name, first, contest, result)
    for left_out, why in result.left_out.items():
        yield f"\n{left_out} did not take part: {why.splitlines()[0]}"


def _row(name: str, first: str, contest: Contest, result: Result) -> str:
    runs, seconds = result.runs[name], result.median(name)
    assert seconds is not None
    ratio, own = result.ratio(name, first), result.median(name, own=True)
    rows = None if contest.rows is None else contest.rows * result.scale / seconds
    return " | ".join(
        [
            f"| {_plain(name)}",
            _seconds(seconds),
            f"{_seconds(min(each.seconds for each in runs))}–{_seconds(max(each.seconds for each in runs))}",
            "" if ratio is None else f"{ratio:.2f}",
            "" if own is None else _seconds(own),
            "" if rows is None else f"{rows:,.0f}",
            _seconds(min(each.processor_seconds for each in runs)),
            f"{max(each.peak for each in runs) / 1e6:.0f} |",
        ]
    )


def _plain(name: str) -> str:
    return name.replace("|", "\\|")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}" if seconds >= 1 else f"{seconds:.3f}"


def _machine(machine: Mapping[str, str]) -> str:
    day, processor = machine["day"], machine["processor"]
    others = "; ".join(
        value if value.startswith(name) else f"{name} {value}"
        for name, value in machine.items()
        if name not in ("day", "processor")
    )
    return f"{day}, {processor}; {others}."


# --- the chart ---


def _draw(contests: Mapping[str, Contest], kept: Mapping[str, Sequence[Result]]) -> None:
    import pygal
    from pygal.style import CleanStyle

    chart = pygal.HorizontalBar(
        js=(),
        style=CleanStyle,
        print_values=True,
        print_labels=True,
        show_legend=False,
        width=900,
        disable_xml_declaration=True,
    )
    chart.title = "Time as a multiple of the first contender's (less is better)"
    chart.uuid = "batchrun"  # it is in the file, and would be another each time
    labels, values = [], []
    for name, results in reversed(list(kept.items())):
        contest = contests[name]
        for result in results[-1:]:
            first = contest.contenders[0].name
            for contender in reversed(contest.contenders):
                if ratio := result.ratio(contender.name, first):
                    color = "#1b7f4b" if contender.name.startswith("batchrun") else "#9aa5b1"
                    labels.append(f"{contender.name} · {name}")
                    values.append({"value": min(ratio, _CHARTED), "label": f"{ratio:.2f}", "color": color})
    chart.x_labels = labels
    chart.height = 60 + 26 * len(labels)
    chart.add("", values, formatter=lambda value: f"{value:.2f}")
    chart.render_to_file(str(_CHART))
