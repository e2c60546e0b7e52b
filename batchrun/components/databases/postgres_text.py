"""Rows in COPY's text format, parsed into typed columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from batchrun.components.conversion import with_its_mark
from batchrun.components.databases.casting import cast
from batchrun.components.databases.postgres_copy import ESCAPES, NULL, SEPARATOR
from batchrun.components.databases.session import RefusedError

if TYPE_CHECKING:
    import polars as pl
    import psycopg

_BOOLEAN, _BYTES, _DATE, _TIME, _TIMESTAMP, _TIMESTAMPTZ, _NUMERIC = 16, 17, 1082, 1083, 1114, 1184, 1700
_INTEGERS, _FLOATS = (20, 21, 23, 26), (700, 701)
_AS_DECLARED = {_BOOLEAN: "boolean", _TIME: "time", _TIMESTAMP: "datetime", _TIMESTAMPTZ: "timestamp", _DATE: "date"}
_MAX_PRECISION = 38
_UNESCAPED = {**{to: char for char, to in ESCAPES.items()}, r"\b": "\b", r"\f": "\f", r"\v": "\v"}


class TextParser:
    """Parses the rows of one query.

    Args:
        described: the columns as the server describes them.
        declared: column types by column name, where the server's are not wanted.
    """

    def __init__(self, described: Sequence[psycopg.Column], declared: Mapping[str, str]) -> None:
        self._described = described
        self._declared = declared
        self._scales: dict[str, int] = {}

    def alone(self) -> TextParser:
        """Returns a parser for a few rows by themselves, which settle nothing for those that follow."""
        other = TextParser(self._described, self._declared)
        other._scales = dict(self._scales)
        return other

    def frame(self, data: bytes, count: int, fields: Sequence[str] = ()) -> pl.DataFrame:
        """Returns rows in their final types.

        Args:
            data: a line for each.
            count: how many there are.
            fields: the columns in the order in which the lines have them, where that is not the query's.

        Raises:
            RefusedError: a value does not fit its column's type.
        """
        types = {each.name: self._parsed_as(each) for each in self._described}
        return self._typed(self._parsed(data, count, types, fields))

    def keys(self, data: bytes, count: int, key: Sequence[str]) -> pl.DataFrame:
        """Returns the columns of the key as text."""
        import polars as pl

        return self._parsed(data, count, dict.fromkeys(key, pl.String()), ())

    def _parsed(self, data: bytes, count: int, types: Mapping[str, pl.DataType], fields: Sequence[str]) -> pl.DataFrame:
        """Returns some of the columns, of a type that the parser has."""
        import polars as pl

        names = fields or [column.name for column in self._described]
        schema = {name: types.get(name, pl.String()) for name in names}
        if not count:
            return pl.DataFrame(schema=schema).select(list(types))
        if len(schema) == 1:  # a line of no text would be passed over
            schema, data = {"batchrun row": pl.Int8(), **schema}, b"0\t" + data[:-1].replace(b"\n", b"\n0\t") + b"\n"
        try:
            frame = pl.read_csv(
                BytesIO(with_its_mark(data)), has_header=False, schema=schema, separator=SEPARATOR, quote_char=None,
                null_values=NULL, empty_string_is_null=False,
                columns=[place for place, name in enumerate(schema) if name in types],
            )  # fmt: skip
        except pl.exceptions.PolarsError as error:
            raise RefusedError(
                f"the rows cannot be read: {error}", hint="declare the column's type under `columns`"
            ) from error
        if frame.height != count:
            raise RefusedError(f"{count} rows were sent and {frame.height} could be read")
        return _unescaped(frame.select(list(types))) if b"\\" in data else frame.select(list(types))

    def _parsed_as(self, column: psycopg.Column) -> pl.DataType:
        import polars as pl

        if column.name in self._declared:
            return pl.String()
        if column.type_code in _INTEGERS:
            return pl.Int64()
        if column.type_code in _FLOATS:
            return pl.Float64()
        if column.type_code == _NUMERIC and column.precision and column.precision <= _MAX_PRECISION:
            scale = column.scale or 0
            return pl.Decimal(column.precision, scale) if 0 <= scale <= column.precision else pl.String()
        return pl.String()

    def _typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        types = dict(self._declared)
        changed: list[pl.Expr | pl.Series] = []
        for column in self._described:
            name = column.name
            if name in self._declared or frame.schema[name] != pl.String:
                continue
            if column.type_code in _AS_DECLARED:
                types[name] = _AS_DECLARED[column.type_code]
            elif column.type_code == _BYTES:
                changed.append(pl.col(name).str.slice(2).str.decode("hex"))
            elif column.type_code == _NUMERIC:
                changed.append(self._unbounded(frame[name]))
        return cast(frame.with_columns(changed) if changed else frame, types)

    def _unbounded(self, series: pl.Series) -> pl.Series:
        """Returns a numeric of no declared size as decimals, with as many digits behind the point as the first rows."""
        import polars as pl

        digits = series.str.extract(r"\.(\d+)$").str.len_bytes().max()
        needed = int(digits) if isinstance(digits, int) else 0
        if series.null_count() == len(series):
            return series.cast(pl.Null) if series.name not in self._scales else series.cast(pl.Decimal(38, 0))
        scale = self._scales.setdefault(series.name, needed)
        result = series.cast(pl.Decimal(_MAX_PRECISION, min(scale, _MAX_PRECISION)), strict=False)
        failed = result.is_null() & series.is_not_null()
        if needed > scale or failed.any():
            raise RefusedError(
                f"column {series.name!r} is a numeric of any size, and does not fit the decimals of its first rows",
                hint=f'declare its type, as in columns: {{{series.name}: "decimal(38,18)"}}, or float',
            )
        return result


def _unescaped(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    found = frame.select(pl.col(pl.String).str.contains("\\", literal=True).any())
    special = [column.name for column in found if column.item()]
    if not special:
        return frame
    return frame.with_columns(pl.col(special).str.replace_many(list(_UNESCAPED), list(_UNESCAPED.values())))
