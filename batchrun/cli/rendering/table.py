"""A table that fits: it shortens and drops columns instead of wrapping them, and knows no width in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text

_GAP = 2
_LEAST_HALVES = 5


@dataclass(slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        rank: what is least important is shortened and dropped first; None is never dropped.
        most: the width to which its cells are shortened before anything else is; None is no limit.
        least: the width down to which its cells may be shortened; None is not at all.
        right: numbers stand to the right.
        middle: names are shortened in the middle, since what tells them apart often stands at the end.
    """

    title: str
    rank: int | None = None
    least: int | None = None
    most: int | None = None
    right: bool = False
    middle: bool = False
    cells: list[Text] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Tells whether no cell has any text."""
        return not any(self.cells)

    @property
    def natural_width(self) -> int:
        """The width that shows everything."""
        return max([len(self.title), *(cell.cell_len for cell in self.cells)])


class Table:
    """Rows under headings."""

    def __init__(self, *columns: Column) -> None:
        self._columns = columns

    def add(self, *cells: Text | str) -> None:
        """Adds a row, a cell for each column."""
        for column, cell in zip(self._columns, cells, strict=True):
            column.cells.append(Text(cell) if isinstance(cell, str) else cell)

    @property
    def natural_width(self) -> int:
        """The width that shows everything."""
        return _total(self._fitted(None))

    def lines(self, width: int | None, *, indent: int = 0) -> list[Text]:
        """Lays the table out in at most `width` columns; columns without any text are left out."""
        widths = self._fitted(None if width is None else width - indent)
        shown = [column for column in self._columns if column.title in widths]
        heading = [Text(column.title.upper(), style="bold") for column in shown]
        rows = [heading, *(list(row) for row in zip(*(column.cells for column in shown), strict=True))]
        return [_line(shown, row, widths, indent) for row in rows]

    def _fitted(self, room: int | None) -> dict[str, int]:
        """Returns the width of each column that stays."""
        shown = [column for column in self._columns if not column.is_empty or column.rank is None]
        widths = {column.title: column.natural_width for column in shown}
        if room is None:
            return widths
        by_rank = sorted(shown, key=lambda column: (column.rank is None, column.rank or 0))
        for column in shown:
            if column.most is not None and _total(widths) > room:
                widths[column.title] = min(widths[column.title], column.most)
        for column in by_rank:
            excess = _total(widths) - room
            if excess <= 0:
                break
            if column.least is not None:
                least = max(column.least, len(column.title))
                shortened = max(widths[column.title] - excess, min(least, widths[column.title]))
                excess -= widths[column.title] - shortened
                widths[column.title] = shortened
            if excess > 0 and column.rank is not None:
                del widths[column.title]
        _give_back(shown, widths, room)
        return widths


def _give_back(columns: Sequence[Column], widths: dict[str, int], room: int) -> None:
    """Widens what was shortened by the room that is left, which dropped columns may have made."""
    for column in columns:
        if column.title in widths:
            spare = max(room - _total(widths), 0)
            widths[column.title] = min(column.natural_width, widths[column.title] + spare)


def _total(widths: dict[str, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def _line(columns: Sequence[Column], cells: Sequence[Text], widths: dict[str, int], indent: int) -> Text:
    line = Text(" " * indent)
    for place, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        shown = _cut(cell, widths[column.title], in_the_middle=column.middle)
        space = " " * (widths[column.title] - shown.cell_len)
        line.append(" " * (_GAP if place else 0))
        line.append_text(Text(space) + shown if column.right else shown + Text(space))
    line.rstrip()
    return line


def _cut(cell: Text, width: int, *, in_the_middle: bool) -> Text:
    """Returns the text in at most so many columns; a wide character may leave one of them free."""
    shown = cell.copy()
    if not in_the_middle or cell.cell_len <= width or width < _LEAST_HALVES:
        shown.truncate(width, overflow="ellipsis")
        return shown
    end, left = cell.copy(), (width - 1) // 2
    while end.cell_len > left:
        end = end[1:]
    shown.truncate(width - left, overflow="ellipsis")
    return shown + end
