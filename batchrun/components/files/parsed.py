"""A parsed block: its items, its bad records, and the lines of both."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from batchrun.components.files.blocks import Block
from batchrun.components.files.dialect import Dialect, RecordKind
from batchrun.errors import ParseError

if TYPE_CHECKING:
    import polars as pl

Piece = tuple[RecordKind, int, int]


@dataclass
class ParsedBlock:
    """The items of a block, and the records of it that are none.

    A record's place is its number in the block, from 0; comments and blank lines have none.

    Attributes:
        frame: the good records.
        count: number of records, good and bad.
        errors: the bad ones, with their places, in order.
    """

    block: Block
    frame: pl.DataFrame
    count: int
    errors: list[tuple[int, ParseError]] = field(default_factory=list)
    _bad: list[int] = field(init=False)
    _records: list[tuple[int, bytes]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._bad = [place for place, _ in self.errors]

    @cached_property
    def _is_line_each(self) -> bool:
        """Tells whether each record is one line, and each line a record."""
        return self.block.data.count(b"\n") == self.count

    def add(self, place: int, error: ParseError) -> None:
        """Adds a bad record behind those that there are."""
        self.errors.append((place, error))
        self._bad.append(place)

    def place(self, row: int) -> int:
        """Returns the place of the good record in this row of the frame."""
        place = row
        while place != (place := row + bisect_right(self._bad, place)):
            pass
        return place

    def row(self, place: int) -> int:
        """Returns the row of the first good record at this place or after it."""
        return place - bisect_left(self._bad, place)

    def errors_between(self, start: int, end: int) -> list[ParseError]:
        """Returns the bad records with places from `start` to before `end`."""
        return [error for _, error in self.errors[bisect_left(self._bad, start) : bisect_left(self._bad, end)]]

    def line(self, place: int, dialect: Dialect, one_column: bool) -> int:
        """Returns the number of the line where the record at this place begins."""
        if self._is_line_each:
            return self.block.line + place
        return self.record(place, dialect, one_column)[0]

    def record(self, place: int, dialect: Dialect, one_column: bool) -> tuple[int, bytes]:
        """Returns line number and bytes of the record at this place."""
        data, line = self.block.data, self.block.line
        if self._records is None and self._is_line_each:
            self._records = list(enumerate(data.split(b"\n"), line))
        elif self._records is None:
            pieces = numbered(data, line, dialect, one_column)
            self._records = [(line, data[start:end]) for (_, start, end), line in pieces]
        return self._records[place]


def numbered(data: bytes, line: int, dialect: Dialect, one_column: bool) -> list[tuple[Piece, int]]:
    """Returns the records of a block's data, without comments and blank lines, each with its line number.

    A blank line of a file with one column is a record: its value is null.
    """
    found = []
    for piece in dialect.records(data):
        kind, start, end = piece
        if kind in (RecordKind.ITEM, RecordKind.UNCLOSED) or (one_column and kind is RecordKind.BLANK):
            found.append((piece, line))
        line += data.count(b"\n", start, end)
    return found
