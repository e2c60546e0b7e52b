"""Frames in the binary form of COPY, where each column has one that the table's column reads as it would read text.

The server reads it in less time than text, and it is made in less. What has no such form goes as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchrun.components.databases.postgres_kinds import bare

if TYPE_CHECKING:
    import polars as pl

    from batchrun.components.databases.session import TableShape

_ROWS_AT_ONCE = 2_500
"""The encoder keeps the interpreter to itself; between two pieces other threads have their turn."""

_WHOLE = {"smallint": "Int16", "integer": "Int32", "bigint": "Int64"}
_SAME = {
    "real": "Float32",
    "double precision": "Float64",
    "boolean": "Boolean",
    "date": "Date",
    "bytea": "Binary",
}
_TEXTS = ("text", "character varying", "character", "json")
_UUID = "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_NOT_HEXADECIMAL = "-"


def encode(frame: pl.DataFrame, shape: TableShape) -> list[bytes]:
    """Returns the items in pieces; none where a column or a value has no binary form, or the encoder is not installed.

    Args:
        frame: the items.
        shape: of the table they go into.
    """
    import polars as pl

    forms: list[pl.Expr] = []
    for name, dtype in frame.schema.items():
        form = _form(pl.col(name), dtype, bare(shape.declared(name)))
        if form is None:
            return []
        forms.append(form)
    try:
        return _encoded(frame.select(forms)) if forms else []
    except (ImportError, ValueError, pl.exceptions.PolarsError):
        return []


def _form(column: pl.Expr, dtype: pl.DataType, kind: str) -> pl.Expr | None:
    """Returns what is sent of a column into one of this kind, or None where only text will do."""
    import polars as pl

    if dtype == pl.Null:
        return column.cast(pl.String)
    if dtype.is_integer():
        wanted = pl.Decimal(38, 0) if kind == "numeric" else getattr(pl, _WHOLE.get(kind, ""), None)
        return None if wanted is None else column.cast(wanted)
    if isinstance(dtype, pl.Datetime):
        return _moment(column, dtype, kind)
    if isinstance(dtype, pl.Decimal):
        return column if kind == "numeric" else None
    if dtype == pl.Time:
        return column.cast(pl.Int64) // 1_000 if kind == "time without time zone" else None
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return _text(column.cast(pl.String), kind)
    return column if str(dtype) == _SAME.get(kind) else None


def _text(text: pl.Expr, kind: str) -> pl.Expr | None:
    import polars as pl

    if kind == "jsonb":
        return pl.lit("\x01") + text
    if kind == "uuid":
        digits = text.str.replace_all("-", "", literal=True)
        return pl.when(~text.str.contains(_UUID)).then(pl.lit(_NOT_HEXADECIMAL)).otherwise(digits).str.decode("hex")
    return text if kind in _TEXTS else None


def _moment(column: pl.Expr, dtype: pl.Datetime, kind: str) -> pl.Expr | None:
    """Returns the microseconds of a time with its day; one without a zone is UTC where the table wants a zone."""
    moment = column.dt.cast_time_unit("us")
    if kind == "timestamp with time zone":
        return moment if dtype.time_zone else moment.dt.replace_time_zone("UTC")
    return moment if kind == "timestamp without time zone" and not dtype.time_zone else None


def _encoded(frame: pl.DataFrame) -> list[bytes]:
    import pgpq
    import polars as pl
    from arro3.core import DataType, Table

    table = Table.from_arrow(frame)
    for place, name in enumerate(frame.columns):
        if frame.schema[name] == pl.Binary:  # polars has it as views, which the encoder does not know
            plain = table.column(place).cast(DataType.binary())
            table = table.set_column(place, name, plain)
    encoder = pgpq.ArrowToPostgresBinaryEncoder(table.schema)
    batches = table.rechunk(max_chunksize=_ROWS_AT_ONCE).to_batches()
    return [encoder.write_header(), *map(encoder.write_batch, batches), encoder.finish()]
