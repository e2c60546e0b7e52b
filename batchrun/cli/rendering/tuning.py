"""What was measured of a job's chunk steps on the screen: progress, tables, and the lines to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.cli.rendering.times import PHASES, pace
from batchrun.definition.editing import Edit
from batchrun.tune import LEAST_GAIN, Candidate, Series, StepReport, TuneReport
from batchrun.tune.setting import names_of

Told = Callable[[TuneReport], None]
_INDENT = 2
_BAR = 10
_COUNTS = 10
_MUCH = 0.25
"""A spread with which a gain of a quarter is not seen."""


@contextmanager
def tune_progress(screen: Screen, *, quiet: bool) -> Iterator[Told]:
    """Gives what is to be told before each run: first what will be done, then, on a terminal, a live line."""
    if quiet:
        yield lambda _report: None
        return
    if not (screen.console.is_interactive and screen.is_watched):
        yield lambda report: _tell_plan(screen, report) if report.runs == 1 else None
        return
    columns = (BarColumn(bar_width=_BAR), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=screen.console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def told(report: TuneReport) -> None:
            if report.runs == 1:
                _tell_plan(screen, report)
            left = f"{words.whole_duration(report.expected_seconds)} left, " if report.expected_seconds else ""
            now = Text(cleaned(f"{left}{report.now}"))
            now.truncate((screen.width or _BAR + _COUNTS + 1) - _BAR - _COUNTS, overflow="ellipsis")
            total = report.expected if report.runs else None
            progress.update(task, total=total, completed=report.runs, description=now.plain)

        yield told


def _tell_plan(screen: Screen, report: TuneReport) -> None:
    """Tells what will be measured, once the first run has shown how much there is."""
    for step in report.steps:
        chunks = names_of(step.search.chunks.settings, "chunk")
        text = f"{cleaned(step.name)}: {_sample(step)}"
        if len(chunks) > 1:
            text += f"; chunk {', '.join(map(words.count, chunks))}"
        screen.print(*screen.wrapped(Text(f"{text}; then read_ahead"), indent=_INDENT))
    seconds = words.whole_duration(report.expected_seconds or 0)
    text = f"up to {report.rounds} rounds on temporary copies, about {report.expected} runs in {seconds}"
    screen.print(*screen.wrapped(Text(text), indent=_INDENT))


def _sample(step: StepReport) -> str:
    return f"{words.count(step.items)} items a run{', all there are' if step.is_whole else ''}"


def show_tune(screen: Screen, report: TuneReport, edits: Sequence[Edit], *, is_written: bool) -> None:
    """Prints what was measured, and what is to be changed."""
    for step in report.steps:
        _show_step(screen, report, step)
    for name, reason in report.skipped.items():
        screen.print(*screen.wrapped(Text(f"{cleaned(name)} was not measured: {cleaned(reason)}"), indent=_INDENT))
    _show_copies(screen, report)
    if _is_disturbed(report):
        hint = "the rounds differ much: a quieter machine, a larger --sample or more --rounds give a surer answer"
        screen.print_labelled("hint", hint)
    _show_edits(screen, edits, is_written=is_written)


def _is_disturbed(report: TuneReport) -> bool:
    series = [
        each for step in report.steps for each in (step.search.chunks, step.search.read_aheads) if each is not None
    ]
    return any(one.spread > _MUCH for each in series for one in each.candidates() if not one.is_left_out)


def _show_step(screen: Screen, report: TuneReport, step: StepReport) -> None:
    search = step.search
    head = f": {_sample(step)}, up to {report.rounds} rounds, {report.runs} runs in all"
    screen.print(*screen.wrapped(Text.assemble((cleaned(step.name), "bold"), head), indent=_INDENT), "")
    if search.chunks.done:
        _show_series(screen, search.chunks, "chunk")
    if search.read_aheads is not None and search.read_aheads.done:
        _show_series(screen, search.read_aheads, "read_ahead")
    series = search.read_aheads if search.read_aheads is not None and search.read_aheads.done else search.chunks
    final = next((each for each in series.candidates() if each.setting == search.chosen), None)
    if final is not None:
        line = Text.assemble((f"{cleaned(step.name)}: ", "bold"), pace(final.typical.times))
        screen.print(*screen.wrapped(line, indent=_INDENT), "")


def _show_series(screen: Screen, series: Series, kind: str) -> None:
    candidates = series.candidates()
    whole = _table(series, candidates, kind, has_rates=True, has_phases=True)
    if screen.width is None or whole.natural_width <= screen.width:
        screen.print(*whole.lines(screen.width))
    else:
        screen.print(*_table(series, candidates, kind, has_rates=True, has_phases=False).lines(screen.width), "")
        screen.print(*_table(series, candidates, kind, has_rates=False, has_phases=True).lines(screen.width))
    screen.print(*screen.wrapped(_verdict(series, candidates, kind), indent=_INDENT), "")


def _table(series: Series, candidates: Sequence[Candidate], kind: str, *, has_rates: bool, has_phases: bool) -> Table:
    rates = [Column("items/s", right=True), Column("ratio", right=True), Column("spread", right=True)]
    memory = [Column("peak", rank=2, right=True), Column("note", rank=1)]
    phases = [Column(phase, right=True) for phase in PHASES]
    title = "ahead" if kind == "read_ahead" else kind
    first = [Column(title, right=True), *(rates if has_rates else ())]
    table = Table(*first, *(phases if has_phases else ()), *(memory if has_rates else ()))
    for each in candidates:
        spent = each.typical.times.as_dict()
        own = [words.rate(each.typical.items, each.typical.seconds), f"{each.ratio:.2f}", _percent(each.spread)]
        cells = [words.count(getattr(each.setting, kind)), *(own if has_rates else ())]
        cells += [words.duration(spent[phase]) if spent[phase] else "" for phase in PHASES] if has_phases else []
        peak = each.typical.peak
        cells += ["" if peak is None else words.size(peak), _note(series, each)] if has_rates else []
        style = "bold green" if each.setting == series.chosen else "dim" if each.is_left_out else ""
        table.add(*(Text(cell, style=style) for cell in cells))
    return table


def _note(series: Series, candidate: Candidate) -> str:
    if candidate.setting == series.present:
        return "now"
    if candidate.setting == series.chosen:
        return "better"
    return "slower" if candidate.is_left_out else ""


def _percent(part: float) -> str:
    return f"{part * 100:.0f} %"


def _verdict(series: Series, candidates: Sequence[Candidate], kind: str) -> Text:
    chosen, now = series.chosen, words.count(getattr(series.present, kind))
    if chosen == series.present:
        why = f"nothing else gains more than {_percent(LEAST_GAIN)}, and more than its rounds differ"
        return Text.assemble((f"{kind} stays {now}", "bold"), f": {why}")
    found = next(each for each in candidates if each.setting == chosen)
    better = words.count(getattr(chosen, kind))
    return Text.assemble(
        (f"{kind} {better}", "bold green"),
        f" is {found.ratio:.2f} times as fast as {now}; the rounds differ by ",
        _percent(found.spread),
    )


def _show_copies(screen: Screen, report: TuneReport) -> None:
    lines = []
    if report.copied:
        lines.append(f"tables copied with all their rows: {', '.join(report.copied)}")
    if report.upserted:
        lines.append(f"tables copied with some rows, to be updated: {', '.join(report.upserted)}")
    if report.reads_copies:
        lines.append(f"what earlier steps write is read by: {', '.join(report.reads_copies)}")
    for line in lines:
        screen.print(*screen.wrapped(Text(cleaned(line)), indent=_INDENT))


def _show_edits(screen: Screen, edits: Sequence[Edit], *, is_written: bool) -> None:
    if not edits:
        screen.print("nothing to change")
        return
    screen.print(Text("changed:" if is_written else "to change:", style="bold"))
    arrow = "→" if screen.is_unicode else "->"
    for edit in edits:
        place = f"{_relative(edit.file)}:{edit.line}:"
        if edit.old:
            line = Text.assemble(f"{place} ", (edit.old, "red"), f" {arrow} ", (edit.new, "green"))
        else:
            line = Text.assemble(f"{place} ", (f"+ {edit.new}", "green"))
        if edit.span is None:
            line.append(" (by hand: it stands for other steps too)")
        screen.print(*screen.wrapped(line, indent=2 * _INDENT, first_indent=_INDENT))
    if not is_written:
        screen.print_labelled("hint", "--write measures again and changes the file; or edit it yourself")


def _relative(file: Path) -> str:
    here = Path.cwd()
    return cleaned(str(file.relative_to(here) if file.is_relative_to(here) else file))
