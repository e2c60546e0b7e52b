"""Frames as COPY reads them: null and the empty string stay apart, numbers and times hold exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

from batchrun.components.databases import postgres_binary, postgres_times
from batchrun.components.databases.postgres_kinds import bare
from batchrun.components.databases.session import RefusedError

if TYPE_CHECKING:
    import polars as pl

    from batchrun.components.databases.session import TableShape

COPY_TEXT = "postgresql copy text"
"""COPY's text format, as the form of an ItemText."""

COPY_BINARY = "postgresql copy binary"
"""COPY's binary format, without header and trailer, as the form of an ItemText."""

BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_TRAILER = b"\xff\xff"

NULL = "\\N"
SEPARATOR = "\t"
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_SPECIAL = r"[\\\t\n\r]"
_WHOLE = {"Int8": "smallint", "Int16": "smallint", "UInt8": "smallint", "Int32": "integer", "UInt16": "integer"}


@dataclass(frozen=True)
class CopyData:
    """Items as COPY takes them.

    Attributes:
        columns: in the order of the fields.
        count: how many items there are.
        make_text: makes them into COPY's text format, a line for each item with its end.
        binary: the items in the binary form, in pieces; none where they have no such form.
        kinds: the type, without its size, that each column of the table must have for the binary form to be read right.
    """

    columns: Sequence[str]
    count: int
    make_text: Callable[[], bytes]
    binary: Sequence[bytes] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def text(self) -> bytes:
        """A line for each item, whatever its texts hold."""
        return self.make_text()

    @property
    def form(self) -> str:
        """The name that COPY has for the form in which the items are sent."""
        return "binary" if self.binary else "text"

    @property
    def pieces(self) -> Sequence[bytes]:
        """The items in the form in which they are sent."""
        return self.binary or [self.text]

    def index_of(self, line: int) -> int | None:
        """Returns the place of the item in a line as the server counts (from 1), or None where there is none."""
        return line - 1 if 1 <= line <= self.count else None

    @cached_property
    def lines(self) -> list[bytes]:
        """A line for each item, without its end."""
        return self.text.split(b"\n")[:-1]

    def numbered(self) -> CopyData:
        """Returns the items with one more field before each, without a name: its place, from 0."""
        text = b"".join([b"%d\t%b\n" % each for each in enumerate(self.lines)])
        return CopyData(self.columns, self.count, lambda: text)


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
        lines = self.whole.lines[self.start : self.start + self.length]
        return CopyData(self.whole.columns, len(lines), lambda: b"".join([b"%b\n" % line for line in lines]))


def encode(frame: pl.DataFrame, shape: TableShape | None) -> CopyData:
    """Returns the frame as COPY takes it: in the binary form where it can be.

    Args:
        frame: the items.
        shape: of the table they go into; without it they go as text.

    Raises:
        RefusedError: a column has no form in PostgreSQL.
    """
    import polars as pl

    postgres_times.check(frame)
    changed = [
        expression
        for column in frame
        if (expression := _encoded(column, shape.declared(column.name) if shape else "")) is not None
    ]
    texts = [name for name, dtype in frame.schema.items() if dtype != pl.Binary]
    copied = CopyData(
        frame.columns,
        frame.height,
        lambda: _text(_escaped(frame.with_columns(changed) if changed else frame, texts)),
        () if shape is None else postgres_binary.encode(frame, shape),
        {} if shape is None else {name: bare(shape.declared(name)) for name in frame.columns},
    )
    if not copied.binary:
        _ = copied.text  # made by the thread that encodes, not by the one that writes
    return copied


def _text(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_csv(
        buffer, include_header=False, separator=SEPARATOR, quote_style="never", null_value=NULL,
        time_format="%H:%M:%S%.6f",
    )  # fmt: skip
    return buffer.getvalue()


def _escaped(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Returns the frame with texts escaped in columns where one needs it: to look is cheaper than to replace."""
    import polars as pl

    found = frame.select(names).select(pl.col(pl.String).str.contains(_SPECIAL).any())
    special = [column.name for column in found if column.item()]
    if not special:
        return frame
    return frame.with_columns(pl.col(special).str.replace_many(list(ESCAPES), list(ESCAPES.values())))


def _encoded(column: pl.Series, declared: str) -> pl.Expr | None:
    """Returns how a column is written, or None where its text is one that PostgreSQL reads."""
    import polars as pl

    name, dtype = column.name, column.dtype
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        text = postgres_times.texts(column, declared)
        return None if text is None else text.alias(name)
    if dtype == pl.Binary:
        return (pl.lit(r"\\x") + pl.col(name).bin.encode("hex")).alias(name)
    if dtype in (pl.Categorical, pl.Enum):
        return pl.col(name).cast(pl.String)
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
