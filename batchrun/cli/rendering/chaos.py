"""A chaos trial on the screen: its progress, what it came to, and the first rounds that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from batchrun.chaos import Kind, RoundReport, TrialReport
from batchrun.cli.rendering.screen import Screen, cleaned

_SHOWN_ROUNDS = 3
_INDENT = 2


@contextmanager
def chaos_progress(screen: Screen, *, quiet: bool) -> Iterator[Callable[[TrialReport, int], None]]:
    """Gives what is to be told of a trial after each round; a live line on a terminal, else a line at the start."""
    if quiet:
        yield lambda _report, _rounds: None
        return
    if not (screen.console.is_interactive and screen.is_watched):
        yield lambda report, rounds: None if report.rounds else _tell_begin(screen, report, rounds)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console, transient=True) as progress:
        task = progress.add_task("two undisturbed runs", total=None)

        def told(report: TrialReport, rounds: int) -> None:
            differing = sum(bool(each.differences) for each in report.rounds)
            text = f"{_blows(report)} blows, {differing} rounds differ"
            progress.update(task, total=rounds, completed=len(report.rounds), description=text)

        yield told


def _tell_begin(screen: Screen, report: TrialReport, rounds: int) -> None:
    screen.print(
        f"{cleaned(report.job_name)}: {len(report.boundaries)} boundaries undisturbed, {rounds} rounds to come"
    )


def _blows(report: TrialReport) -> int:
    return report.total("kills") + report.total("suspensions")


def show_chaos(screen: Screen, report: TrialReport) -> None:
    """Prints what came of a trial."""
    verdict = ("equal", "green") if report.is_equal else ("DIFFERENT", "bold red")
    title = (cleaned(report.job_name), "bold")
    screen.print(Text.assemble(title, ": ", verdict, f" in {len(report.rounds)} rounds, by --kill-at {_how(report)}"))
    facts = [
        ("boundaries", len(report.boundaries)),
        ("suspensions", report.total("suspensions")) if report.suspends else ("kills", report.total("kills")),
        ("restarts", report.total("restarts")),
        ("rows lost", report.differing(Kind.LOST)),
        ("rows twice", report.differing(Kind.TWICE)),
        ("differing files", report.differing(Kind.FILE)),
        ("other differences", report.differing(*_OTHERS)),
        ("manual repairs", report.differing(Kind.REPAIR)),
    ]
    screen.print(*(Text(f"{' ' * _INDENT}{name.ljust(18)} {count:>6}") for name, count in facts))
    compared = ", ".join(f"{count} {name}" for name, count in report.compared.items())
    screen.print(f"{' ' * _INDENT}compared each time: {compared}")
    differing = [each for each in report.rounds if each.differences]
    for each in differing[:_SHOWN_ROUNDS]:
        _show_round(screen, report, each)
    if len(differing) > _SHOWN_ROUNDS:
        screen.print("", f"and {len(differing) - _SHOWN_ROUNDS} more rounds differ; --output json tells of all")


_OTHERS = (Kind.REJECTS, Kind.COUNTS, Kind.STATUS, Kind.CHECKPOINT, Kind.FENCE)


def _how(report: TrialReport) -> str:
    seed = f" --seed {report.schedule.seed}" if report.schedule.total is not None else ""
    return f"{report.schedule.text}{seed}{' --suspend' if report.suspends else ''}"


def _show_round(screen: Screen, report: TrialReport, each: RoundReport) -> None:
    what = "suspended" if report.suspends else "killed"
    places = "; then ".join(each.boundaries) or "nowhere"
    screen.print("", Text(f"{what} {cleaned(places)}", style="bold"))
    for difference in each.differences:
        count = f" ({difference.count})" if difference.kind in (Kind.LOST, Kind.TWICE) else ""
        screen.print(f"{' ' * _INDENT}{cleaned(difference.where)}: {cleaned(difference.message)}{count}")
        screen.print(*(f"{' ' * 2 * _INDENT}{cleaned(example)}" for example in difference.examples))
    numbers = ",".join(map(str, each.numbers))
    screen.print_labelled("hint", f"--kill-at {numbers}{' --suspend' if report.suspends else ''} --keep shows it again")
    if each.kept is not None:
        screen.print_labelled("hint", f"its copies are in {each.kept}")
