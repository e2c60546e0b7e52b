"""Rows in one of COPY's formats: passed on as they are to a table that reads them alike, or made a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from batchrun.components.databases.postgres_copy import (
    BINARY_HEADER,
    BINARY_TRAILER,
    COPY_BINARY,
    COPY_TEXT,
    CopyData,
)
from batchrun.components.databases.postgres_decoding import can_decode, to_text
from batchrun.components.databases.postgres_kinds import bare
from batchrun.components.databases.session import RefusedError
from batchrun.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from batchrun.components.databases.postgres_receiving import Received
    from batchrun.components.databases.session import TableShape
    from batchrun.spi.text import ItemText

_TEXTS = {"character varying": "text"}
_ALIKE = {COPY_TEXT: {**_TEXTS, "smallint": "bigint", "integer": "bigint"}, COPY_BINARY: _TEXTS}
"""By form, types whose values are written as those of another."""


def passed_on(text: ItemText, shape: TableShape) -> CopyData | None:
    """Returns items as COPY takes them; None where the table would not read them as what their frame is encoded to.

    It does where its columns are of the items' types, whatever their sizes are.
    """
    if text.form not in _ALIKE or not all(
        kind and _kind(kind, text.form) == _kind(shape.declared(name), text.form) for name, kind in text.columns.items()
    ):
        return None
    columns = tuple(text.columns)
    if text.form == COPY_TEXT:
        return CopyData(columns, len(text), lambda: text.data)
    kinds = [bare(kind) for kind in text.columns.values()]
    return CopyData(
        columns,
        len(text),
        lambda: to_text(text.data, kinds),
        (BINARY_HEADER, text.data, BINARY_TRAILER),
        {name: bare(shape.declared(name)) for name in columns},
    )


def _kind(declared: str, form: str) -> str:
    kind = bare(declared)
    return _ALIKE[form].get(kind, kind)


class PostgresItems:
    """Rows as they were received; parsed, all of them if that goes, when somebody asks for the frame of some.

    Args:
        database: its name in the job file.
        form: what the rows are in.
        rows: the rows.
        columns: the server's type of each column, in the order of the fields; empty where another is declared for it.
        parse: makes a frame of a line for each row, their number, the columns in the order of the fields, and whether
            these rows are only some of those that were received together.
    """

    def __init__(
        self,
        database: str,
        form: str,
        rows: Received,
        columns: Mapping[str, str],
        parse: Callable[[bytes, int, Sequence[str], bool], pl.DataFrame],
    ) -> None:
        self.form = form
        self.columns = columns
        self._database = database
        self._rows = rows
        self._parse = parse

    def __len__(self) -> int:
        """Number of rows."""
        return self._rows.count

    @property
    def data(self) -> bytes:
        """The rows."""
        return self._rows.data

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows in typed columns."""
        return self._framed(self.data, len(self), is_part=False)

    def frame_of(self, start: int, length: int) -> pl.DataFrame:
        """Returns these rows in typed columns; a value among the others that has no place there is not in the way."""
        try:
            return self.frame.slice(start, length)
        except InputError:
            return self._framed(self.cut(start, length), length, is_part=True)

    def _framed(self, data: bytes, count: int, *, is_part: bool) -> pl.DataFrame:
        if self.form == COPY_BINARY:
            data = to_text(data, [bare(kind) for kind in self.columns.values()])
        try:
            return self._parse(data, count, tuple(self.columns), is_part)
        except RefusedError as error:
            raise error.of_source(self._database) from error

    def slice(self, start: int, length: int) -> _Part:
        """Returns the rows from `start` on, at most `length`."""
        return _Part(self, start, min(length, len(self) - start))

    def cut(self, start: int, length: int) -> bytes:
        """Returns the bytes of these rows."""
        return self._rows.cut(start, length)


class _Part:
    """Some of the rows that were received."""

    def __init__(self, whole: PostgresItems, start: int, length: int) -> None:
        self.form, self.columns = whole.form, whole.columns
        self._whole, self._start, self._length = whole, start, length

    def __len__(self) -> int:
        return self._length

    @cached_property
    def data(self) -> bytes:
        return self._whole.cut(self._start, self._length)

    @property
    def frame(self) -> pl.DataFrame:
        return self._whole.frame_of(self._start, self._length)

    def slice(self, start: int, length: int) -> _Part:
        return _Part(self._whole, self._start + start, max(0, min(length, self._length - start)))


def can_be_binary(columns: Mapping[str, str]) -> bool:
    """Tells whether rows with these columns could be made text again, should somebody look at them."""
    return all(can_decode(bare(kind)) for kind in columns.values())
