"""Two executions side by side: what differs in what went in, and what each step came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.domain.comparison import Change, ExecutionComparison, StepPair
from batchrun.domain.execution import StepCounts, StepExecution

_INDENT = 2
_NOTHING = "-"
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show_comparison(screen: Screen, comparison: ExecutionComparison) -> None:
    """Prints what differs; without any difference it says so, and shows the times of the steps all the same."""
    before, after = comparison.before, comparison.after
    title = f": execution {before.id} {_arrow(screen)} execution {after.id}"
    screen.print(Text.assemble((cleaned(after.job_name), "bold"), title))
    _show_changes(screen, "", comparison.facts)
    _show_changes(screen, "parameters", comparison.parameters)
    _show_text_diff(screen, comparison)
    _show_steps(screen, comparison)
    if not comparison.differs:
        screen.print("", "they differ in nothing but their times")


def _show_changes(screen: Screen, title: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    if title:
        screen.print("", Text(title, style="bold"))
    column = max(len(cleaned(change.name)) for change in changes) + _INDENT
    for change in changes:
        line = Text.assemble(
            (cleaned(change.name).ljust(column), "cyan"),
            (_shown(change.before), "red"),
            f" {_arrow(screen)} ",
            (_shown(change.after), "green"),
        )
        screen.print(*screen.wrapped(line, first_indent=_INDENT, indent=min(column, 16) + _INDENT))


def _arrow(screen: Screen) -> str:
    return "→" if screen.is_unicode else "->"


def _shown(value: str | None) -> str:
    return _NOTHING if value is None else cleaned(value)


def _show_text_diff(screen: Screen, comparison: ExecutionComparison) -> None:
    lines = list(comparison.text_diff())
    if lines:
        screen.print("", Text("job file", style="bold"))
        for line in lines:
            text = Text(cleaned(line), style=_DIFF_STYLES.get(line[:1], ""))
            screen.print(*screen.wrapped(text, first_indent=_INDENT, indent=_INDENT))


def _show_steps(screen: Screen, comparison: ExecutionComparison) -> None:
    if not comparison.steps:
        return
    screen.print("", Text("steps", style="bold"))
    table = Table(
        Column("step", least=8, most=screen.share(4), middle=True),
        Column(""),
        Column(str(comparison.before.id), right=True),
        Column(str(comparison.after.id), right=True),
        Column("change", right=True),
    )
    for pair in comparison.steps:
        for row in _rows(pair, unicode=screen.is_unicode):
            table.add(*row)
    screen.print(*table.lines(screen.width, indent=_INDENT))


def _rows(pair: StepPair, *, unicode: bool) -> Iterator[list[Text | str]]:
    """Yields a line for the status, one for the time, and one for each count that differs."""
    sides = (pair.before, pair.after)
    name: str = cleaned(pair.name)
    yield [name, "status", *(_status(step, unicode=unicode) for step in sides), ""]
    seconds = [None if step is None else words.elapsed(step) for step in sides]
    yield ["", "time", *(_NOTHING if each is None else words.duration(each) for each in seconds), _change(*seconds)]
    for count in (each.name for each in fields(StepCounts)):
        numbers = [None if step is None else getattr(step.counts, count) for step in sides]
        if any(numbers) and numbers[0] != numbers[1]:
            shown = (_NOTHING if each is None else words.count(each) for each in numbers)
            yield ["", count.replace("_", " "), *shown, _change(*numbers)]


def _status(step: StepExecution | None, *, unicode: bool) -> Text | str:
    return _NOTHING if step is None else words.status_word(step.status, unicode=unicode)


def _change(before: float | None, after: float | None) -> str:
    """Returns by how much the second is more: `+12%`, `-83%`, `x21`; nothing where there is no ratio, or no change."""
    if not before or after is None or before == after:
        return ""
    ratio = after / before
    return f"x{ratio:,.0f}" if ratio >= 10 else f"{ratio - 1:+.0%}"
