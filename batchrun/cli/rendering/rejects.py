"""Rejects on the screen: what each was, where it came from and why, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.domain.parameters import value_text
from batchrun.spi.rejects import RejectRecord

_WIDE = 120
_INDENT = 2


def show_rejects(screen: Screen, records: Sequence[RejectRecord]) -> None:
    """Prints rejects: a line each where there is room, else the item and the error below its origin."""
    if not records:
        return
    if screen.width is None or screen.width >= _WIDE:
        screen.print(*_table(records).lines(screen.width))
        return
    for record in records:
        place = Text.assemble((cleaned(record.origin or f"{record.step} {record.number}"), "bold"))
        place.append(f"  {record.phase}, {record.step}, execution {record.execution_id}", style="cyan")
        error = Text.assemble((f"{cleaned(record.error)}: ", "red"), cleaned(_in_one_line(record.message)))
        screen.print(*screen.wrapped(place, indent=_INDENT))
        screen.print(*screen.wrapped(error, first_indent=_INDENT, indent=_INDENT * 2))
        screen.print(_cut(Text(" " * _INDENT + item_text(record), style="dim"), screen.width))


def show_total(screen: Screen, records: Iterable[RejectRecord], shown: int) -> int:
    """Prints how many rejects there are, by phase and, where there are several, by execution; returns their number."""
    phases: Counter[str] = Counter()
    executions: Counter[int] = Counter()
    for record in records:
        phases[str(record.phase)] += 1
        executions[record.execution_id] += 1
    total = phases.total()
    if not total:
        screen.print("nothing like that has been rejected")
        return 0
    by_phase = ", ".join(f"{words.count(count)} in {phase}" for phase, count in phases.items())
    line = f"{words.counted(total, 'reject')}: {by_phase}"
    if len(executions) > 1:
        line += "; " + ", ".join(f"{words.count(count)} of execution {each}" for each, count in executions.items())
    screen.print(*screen.wrapped(Text(line), indent=_INDENT))
    if shown < total:
        screen.print(f"shown are {words.count(shown)}: --limit N shows more, --output csv all")
    return total


def item_text(record: RejectRecord) -> str:
    """Returns what was rejected in one line: the raw text, or the item."""
    if record.item is None:
        return cleaned(_in_one_line(record.raw or ""))
    pairs = (f"{name}={'null' if value is None else _value(value)}" for name, value in record.item.items())
    return cleaned(_in_one_line(" ".join(pairs)))


def _value(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else value_text(value)


def _table(records: Sequence[RejectRecord]) -> Table:
    table = Table(
        Column("execution", rank=2, right=True),
        Column("step", rank=3, least=8, middle=True),
        Column("phase"),
        Column("origin", least=16, most=48, middle=True),
        Column("error", rank=4, least=10),
        Column("message", least=20),
        Column("item", rank=1, least=16),
    )
    for record in records:
        table.add(
            str(record.execution_id),
            cleaned(record.step),
            str(record.phase),
            cleaned(record.origin or ""),
            Text(cleaned(record.error), style="red"),
            cleaned(_in_one_line(record.message)),
            Text(item_text(record), style="dim"),
        )
    return table


def _in_one_line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "⏎")


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line
