"""Reads a query on SQLite page by page; between two pages no lock is held, so a writer of the same file can commit.

SQLite types values, not columns. A column's type is settled by the first page that has a value of it: a column of
text is read as text from then on, whatever else it holds; one that was a number and then is text, is an error that asks
for a declared type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.casting import cast, check_declared
from batchrun.components.databases.session import Page, RefusedError, quote
from batchrun.spi.columns import ColumnType

if TYPE_CHECKING:
    import polars as pl

    from batchrun.components.databases.sqlite import SqliteSession

_SNAPSHOT = "temp.batchrun_snapshot"
_AS_STORED = ("integer", "float", "binary")


class SqliteQueryRows:
    """The rows of one query on SQLite."""

    def __init__(
        self, session: SqliteSession, sql: str, parameters: Mapping[str, Any], types: Mapping[str, str]
    ) -> None:
        self._session = session
        self._source = f"(\n{sql}\n)"
        self._parameters = dict(parameters)
        self._declared = dict(types)
        self._columns: list[str] = []
        self._settled: dict[str, pl.DataType] = {}
        self._rowid = 0

    def columns(self) -> list[str]:
        """Returns the names of the columns that come out."""
        if not self._columns:
            empty = self._session.fetch_frame(f"SELECT * FROM {self._source} LIMIT 0", self._parameters, 1)
            self._columns = empty.columns
            check_declared(self._declared, self._columns)
        return self._columns

    def has_null_key(self, key: Sequence[str]) -> bool:
        """Tells whether a row has a null among the key columns."""
        condition = " OR ".join(f"{quote(name)} IS NULL" for name in key)
        return bool(self._session.fetch(f"SELECT 1 FROM {self._source} WHERE {condition} LIMIT 1", self._parameters))

    def page(self, key: Sequence[str], last: Sequence[Any] | None, limit: int) -> Page:
        """Reads up to `limit` rows whose key is greater than `last`, in the order of the key."""
        columns = ", ".join(quote(name) for name in key)
        parameters, condition = dict(self._parameters), ""
        if last is not None:
            marks = {f"batchrun_key_{place}": value for place, value in enumerate(last)}
            parameters.update(marks)
            condition = f"WHERE ({columns}) > ({', '.join(':' + mark for mark in marks)})"
        rest = f"FROM {self._source} {condition} ORDER BY {columns} LIMIT {limit}"
        extra = [f"{quote(name)} AS {quote(f'batchrun key {place}')}" for place, name in enumerate(key)]
        frame = self._read(extra, rest, parameters, limit)
        keys = frame.select(frame.columns[len(self.columns()) :]).rows()
        return Page.of(self._typed(frame.select(self.columns())), keys)

    def skip(self, count: int) -> None:
        """Copies the result into a temporary table of the connection's own, and passes over its first rows."""
        self._session.execute(f"CREATE TABLE {_SNAPSHOT} AS SELECT * FROM {self._source}", self._parameters)
        self.columns()
        self._rowid = count

    def next_rows(self, limit: int) -> pl.DataFrame:
        """Reads the next rows of the copy."""
        first, self._rowid = self._rowid, self._rowid + limit
        rest = f"FROM {_SNAPSHOT} WHERE rowid > {first} AND rowid <= {self._rowid} ORDER BY rowid"
        return self._typed(self._read([], rest, {}, limit))

    def close(self) -> None:
        """Drops the copy."""
        self._session.execute(f"DROP TABLE IF EXISTS {_SNAPSHOT}")

    def _read(self, extra: list[str], rest: str, parameters: Mapping[str, Any], limit: int) -> pl.DataFrame:
        """Reads rows; once more where columns turn out to be text, to get whatever else they hold as text too."""
        for _ in range(2):
            sql = f"SELECT {', '.join([*map(self._selected, self.columns()), *extra])} {rest}"
            frame = self._session.fetch_frame(sql, parameters, limit)
            if not self._settle(frame):
                break
        return frame

    def _selected(self, name: str) -> str:
        declared = self._declared.get(name)
        as_text = (
            ColumnType.parse(declared).name not in _AS_STORED if declared else str(self._settled.get(name)) == "String"
        )
        return f"CAST({quote(name)} AS TEXT) AS {quote(name)}" if as_text else quote(name)

    def _settle(self, frame: pl.DataFrame) -> bool:
        """Settles the types that this page tells first, and says whether one of them is text."""
        found = False
        for name in self._columns:
            dtype = frame.schema[name]
            if name in self._declared or name in self._settled or str(dtype) == "Null":
                continue
            self._settled[name] = dtype
            found = found or str(dtype) == "String"
        return found

    def _typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        casts = []
        for name, settled in self._settled.items():
            dtype = frame.schema[name]
            if dtype == settled:
                continue
            if dtype != pl.Null and not (dtype == pl.Int64 and settled == pl.Float64):
                raise RefusedError(
                    f"column {name!r} was {settled} in the first rows and is {dtype} now",
                    hint=f"declare its type, as in columns: {{{name}: string}}",
                )
            casts.append(pl.col(name).cast(settled))
        return cast(frame.with_columns(casts) if casts else frame, self._declared)
