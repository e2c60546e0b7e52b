"""Frames as COPY reads them; null and the empty string stay apart, numbers and times hold exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING

from batchrun.components.databases import postgres_binary
from batchrun.components.databases.session import RefusedError

if TYPE_CHECKING:
    import polars as pl
    from polars._typing import CsvQuoteStyle

    from batchrun.components.databases.session import TableShape

_ZONED = "timestamp with time zone"
_WHOLE = {"Int8": "smallint", "Int16": "smallint", "UInt8": "smallint", "Int32": "integer", "UInt16": "integer"}


@dataclass(frozen=True)
class CopyData:
    """Items as COPY takes them.

    Attributes:
        frame: what is written as CSV; tells which item stands in a line that the database refuses.
        binary: the items in the binary form, in pieces; none where they have no such form.
        text: the items as CSV, where it is there already.
    """

    frame: pl.DataFrame
    binary: Sequence[bytes] = ()
    text: bytes | None = None

    @property
    def columns(self) -> list[str]:
        """The columns in the order of the lines' fields."""
        return self.frame.columns

    @cached_property
    def data(self) -> bytes:
        """The items as CSV: a line for each item, more where a text holds line ends."""
        return _csv(self.frame) if self.text is None else self.text

    def index_of(self, line: int) -> int | None:
        """Returns the place of the item that ends in a line as the server counts (from 1), or None where none does.

        In the binary form each item is a line. In CSV it counts the line ends inside quotes too, but takes them for
        carriage returns until it has seen the first item's end.
        """
        if self.binary or not self._has_breaks:
            return line - 1 if 1 <= line <= self.frame.height else None
        lines = [breaks + 1 for breaks in self._breaks("\n")]
        lines[0] = self._breaks("\r")[0] + 1
        return next((index for index, end in enumerate(accumulate(lines)) if end >= line), None)

    @cached_property
    def _has_breaks(self) -> bool:
        """Tells whether an item takes more than its line, as the server counts: it holds a line end."""
        return b"\r" in self.data or len(self._lines) != self.frame.height

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.data.split(b"\n")[:-1]

    @cached_property
    def _starts(self) -> list[int]:
        """For each item, and for the end, the number of its first line."""
        return list(accumulate((1 + breaks for breaks in self._breaks("\n")), initial=0))

    def _breaks(self, mark: str) -> list[int]:
        """Returns how often each item has the mark in its texts."""
        import polars as pl

        texts = [pl.col(name) for name, dtype in self.frame.schema.items() if dtype == pl.String]
        counts = [text.str.count_matches(mark, literal=True).fill_null(0) for text in texts]
        return self.frame.select(breaks=pl.sum_horizontal(pl.lit(0), *counts))["breaks"].to_list()

    def numbered(self) -> bytes:
        """Returns the data with one more field before each item: its place, from 0."""
        texts = self._lines
        if self._has_breaks:
            texts = [self._text(place, place + 1) for place in range(self.frame.height)]
        return b"".join([b"%d,%b\n" % each for each in enumerate(texts)])

    def _text(self, start: int, end: int) -> bytes:
        first, last = (self._starts[start], self._starts[end]) if self._has_breaks else (start, end)
        return b"\n".join(self._lines[first:last])


@dataclass(frozen=True, slots=True)
class CopyPart:
    """Some of the items of a chunk.

    Attributes:
        whole: the chunk's items.
        start: the place of the first one.
        length: how many.
    """

    whole: CopyData
    start: int
    length: int

    def cut(self) -> CopyData:
        """Returns the items as COPY takes them."""
        text = self.whole._text(self.start, self.start + self.length)
        return CopyData(self.whole.frame.slice(self.start, self.length), text=text + b"\n")


def encode(frame: pl.DataFrame, shape: TableShape | None) -> CopyData:
    """Returns the frame as COPY takes it: in the binary form where it can be.

    Args:
        frame: the items.
        shape: of the table they go into; without it they go as CSV.

    Raises:
        RefusedError: a column has no form in PostgreSQL.
    """
    changed = [
        expression
        for name, dtype in frame.schema.items()
        if (expression := _encoded(name, dtype, shape.declared(name) if shape else "")) is not None
    ]
    plain = frame.with_columns(changed) if changed else frame
    return CopyData(plain, () if shape is None else postgres_binary.encode(frame, shape))


def _csv(frame: pl.DataFrame) -> bytes:
    import polars as pl

    # A line of one unquoted text could be \. alone, which ends the data for older servers.
    quotes: CsvQuoteStyle = "non_numeric" if frame.width == 1 and frame.dtypes[0] == pl.String else "necessary"
    buffer = BytesIO()
    frame.write_csv(buffer, include_header=False, quote_style=quotes, time_format="%H:%M:%S%.6f")
    return buffer.getvalue()


def _encoded(name: str, dtype: pl.DataType, declared: str) -> pl.Expr | None:
    """Returns how a column is written, or None where CSV has a form of it that PostgreSQL reads."""
    import polars as pl

    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        in_microseconds = column.dt.cast_time_unit("us")
        if dtype.time_zone is None and declared.startswith(_ZONED):
            return in_microseconds.dt.replace_time_zone("UTC")
        return in_microseconds if dtype.time_unit == "ns" else None
    if dtype == pl.Binary:
        return (pl.lit("\\x") + column.bin.encode("hex")).alias(name)
    if dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if dtype.is_nested() or dtype in (pl.Duration, pl.Object):
        raise RefusedError(f"column {name!r} holds {dtype}, which a table cannot: cast it to string first")
    return None


def declared_type(dtype: pl.DataType) -> str:
    """Returns the column type that a table made for items of this type declares."""
    import polars as pl

    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamptz" if dtype.time_zone else "timestamp"
    if dtype in (pl.UInt64, pl.Int128):
        return "numeric(39,0)"
    if dtype.is_integer():
        return _WHOLE.get(str(dtype), "bigint")
    simple = {
        pl.Float32: "real",
        pl.Float64: "double precision",
        pl.Boolean: "boolean",
        pl.Date: "date",
        pl.Time: "time",
        pl.Binary: "bytea",
    }
    return simple.get(dtype.base_type(), "text")
