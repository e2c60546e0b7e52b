"""Reads a query on PostgreSQL as the CSV that COPY writes, parsed into typed columns without an object per value."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.casting import cast, check_declared
from batchrun.components.databases.session import RefusedError, quote

if TYPE_CHECKING:
    import polars as pl
    import psycopg

    from batchrun.components.databases.postgres import PostgresSession

_BOOLEAN, _BYTES, _DATE, _TIME, _TIMESTAMP, _TIMESTAMPTZ, _NUMERIC = 16, 17, 1082, 1083, 1114, 1184, 1700
_INTEGERS, _FLOATS = (20, 21, 23, 26), (700, 701)
_AS_DECLARED = {_BOOLEAN: "boolean", _TIME: "time", _TIMESTAMP: "datetime", _TIMESTAMPTZ: "timestamp", _DATE: "date"}
_MAX_PRECISION = 38
# Text that means the same whatever the server's settings are.
_SETTINGS = "SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'"


class PostgresQueryRows:
    """The rows of one query on PostgreSQL."""

    def __init__(
        self,
        session: PostgresSession,
        connection: psycopg.Connection[Any],
        sql: str,
        parameters: Mapping[str, Any],
        types: Mapping[str, str],
    ) -> None:
        self._session = session
        self._connection = connection
        self._source = f"(\n{sql}\n) AS batchrun_query"
        self._parameters = dict(parameters)
        self._declared = dict(types)
        self._described: list[psycopg.Column] = []
        self._scales: dict[str, int] = {}
        self._lines: Generator[bytes, None, None] | None = None

    def columns(self) -> list[str]:
        """Returns the names of the columns that come out."""
        if not self._described:
            with self._session.told():
                self._connection.execute(_SETTINGS)
                cursor = self._connection.execute(*self._bound(f"SELECT * FROM {self._source} LIMIT 0"))
            self._described = list(cursor.description or [])
            names = [column.name for column in self._described]
            check_declared(self._declared, names)
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise RefusedError(f"the query gives two columns the name {twice[0]!r}", hint="rename one by AS")
        return [column.name for column in self._described]

    def _bound(self, sql: str, more: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any] | None]:
        from batchrun.components.databases.postgres import bound

        return bound(sql, {**self._parameters, **(more or {})})

    def has_null_key(self, key: Sequence[str]) -> bool:
        """Tells whether a row has a null among the key columns."""
        condition = " OR ".join(f"{quote(name)} IS NULL" for name in key)
        return bool(self._session.fetch(f"SELECT 1 FROM {self._source} WHERE {condition} LIMIT 1", self._parameters))

    def page(
        self, key: Sequence[str], last: Sequence[Any] | None, limit: int
    ) -> tuple[pl.DataFrame, list[tuple[Any, ...]]]:
        """Reads up to `limit` rows whose key is greater than `last`, in the order of the key; keys come as text."""
        columns = ", ".join(f"batchrun_query.{quote(name)}" for name in key)
        marks = {f"batchrun_key_{place}": value for place, value in enumerate(last or ())}
        condition = f"WHERE ({columns}) > ({', '.join(':' + mark for mark in marks)})" if marks else ""
        names = [*self.columns(), *(f"batchrun key {place}" for place in range(len(key)))]
        texts = "".join(f", {quote(name)}::text AS {quote(f'batchrun key {place}')}" for place, name in enumerate(key))
        sql = f"SELECT *{texts} FROM {self._source} {condition} ORDER BY {columns} LIMIT {limit}"
        lines = list(self._copy(sql, marks))
        frame = self._frame(lines, names)
        return self._typed(frame.select(self.columns())), frame.select(names[len(self.columns()) :]).rows()

    def skip(self, count: int) -> None:
        """Begins the query and passes over as many rows, as the server sends them."""
        sql = f"SELECT * FROM {self._source}"
        self.columns()
        self._lines = self._copy(sql, {})
        next(islice(self._lines, count, count), None)

    def next_rows(self, limit: int) -> pl.DataFrame:
        """Reads the next rows as the server sends them."""
        assert self._lines is not None
        lines = list(islice(self._lines, limit))
        return self._typed(self._frame(lines, self.columns()))

    def close(self) -> None:
        """Cancels the query, if it still runs."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _copy(self, sql: str, more: Mapping[str, Any]) -> Generator[bytes, None, None]:
        """Yields the lines of a result, with one more field at the front, so that no line is ever blank."""
        text, values = self._bound(
            f"COPY (SELECT 0, batchrun_rows.* FROM (\n{sql}\n) AS batchrun_rows) TO STDOUT (FORMAT csv)", more
        )
        with self._session.told(), self._connection.cursor() as cursor, cursor.copy(text, values) as copy:
            for line in copy:
                yield bytes(line)

    def _frame(self, lines: list[bytes], names: list[str]) -> pl.DataFrame:
        """Parses lines into columns, of the final type where the parser has it and as text elsewhere."""
        import polars as pl

        schema: dict[str, pl.DataType] = {"batchrun row": pl.Int8()}
        known = {column.name: column for column in self._described}
        for name in names:
            schema[name] = self._parsed_as(known[name]) if name in known else pl.String()
        if not lines:
            return pl.DataFrame(schema=schema).drop("batchrun row")
        try:
            frame = pl.read_csv(BytesIO(b"".join(lines)), has_header=False, schema=schema)
        except pl.exceptions.PolarsError as error:
            raise RefusedError(
                f"the rows cannot be read: {error}", hint="declare the column's type under `columns`"
            ) from error
        if frame.height != len(lines):
            raise RefusedError(f"{len(lines)} rows were sent and {frame.height} could be read")
        return frame.drop("batchrun row")

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
