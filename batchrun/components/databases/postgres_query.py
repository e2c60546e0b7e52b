"""Reads a query on PostgreSQL in COPY's text format, without an object per value, or per row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, overload

from batchrun.components.databases.casting import check_declared
from batchrun.components.databases.postgres_receiving import Lines, receiving
from batchrun.components.databases.postgres_text import PostgresText, TextParser
from batchrun.components.databases.session import Page, RefusedError, quote

if TYPE_CHECKING:
    import polars as pl
    import psycopg

    from batchrun.components.databases.postgres import PostgresSession

# Text that means the same whatever the server's settings are.
_SETTINGS = (
    "SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'; "
    "SET intervalstyle = 'postgres'"
)
_KINDS = """
SELECT format_type(type, modifier)
FROM unnest('{{{types}}}'::oid[], '{{{modifiers}}}'::int[]) WITH ORDINALITY AS described (type, modifier, place)
ORDER BY place
"""
_PASSED_AT_ONCE = 10_000


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
        self._names: list[str] = []
        self._parser: TextParser | None = None
        self._receive: Callable[[int], Lines] | None = None
        self._streaming = ExitStack()

    def columns(self) -> list[str]:
        """Returns the names of the columns that come out."""
        if self._parser is None:
            with self._session.told():
                self._connection.execute(_SETTINGS)
                cursor = self._connection.execute(*self._bound(f"SELECT * FROM {self._source} LIMIT 0"))
            described = list(cursor.description or [])
            self._names = [column.name for column in described]
            check_declared(self._declared, self._names)
            twice = [name for name in self._names if self._names.count(name) > 1]
            if twice:
                raise RefusedError(f"the query gives two columns the name {twice[0]!r}", hint="rename one by AS")
            if not described:
                raise RefusedError("the query gives no columns")
            self._parser = TextParser(described, self._declared, self._kinds(cursor))
        return self._names

    def _kinds(self, cursor: psycopg.Cursor[Any]) -> list[str]:
        """Returns the names of the types of a result's columns, with their sizes."""
        result = cursor.pgresult
        assert result is not None
        places = range(result.nfields)
        types = ",".join(str(result.ftype(place)) for place in places)
        modifiers = ",".join(str(result.fmod(place)) for place in places)
        return [kind for (kind,) in self._session.fetch_plain(_KINDS.format(types=types, modifiers=modifiers))]

    def _bound(self, sql: str, more: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any] | None]:
        from batchrun.components.databases.postgres import bound

        return bound(sql, {**self._parameters, **(more or {})})

    def has_null_key(self, key: Sequence[str]) -> bool:
        """Tells whether a row has a null among the key columns."""
        condition = " OR ".join(f"{quote(name)} IS NULL" for name in key)
        return bool(self._session.fetch(f"SELECT 1 FROM {self._source} WHERE {condition} LIMIT 1", self._parameters))

    def page(self, key: Sequence[str], last: Sequence[Any] | None, limit: int) -> Page:
        """Reads up to `limit` rows whose key is greater than `last`, in the order of the key; keys come as text."""
        self.columns()
        assert self._parser is not None
        columns = ", ".join(f"batchrun_query.{quote(name)}" for name in key)
        marks = {f"batchrun_key_{place}": value for place, value in enumerate(last or ())}
        condition = f"WHERE ({columns}) > ({', '.join(':' + mark for mark in marks)})" if marks else ""
        sql = f"SELECT * FROM {self._source} {condition} ORDER BY {columns} LIMIT {limit}"
        with self._session.told(), receiving(self._connection, *self._copy(sql, marks)) as receive:
            lines = receive(limit)
            # The server says only behind the last row that all is well.
            receive(1)
        keys = self._parser.keys(lines, key)
        return Page(PostgresText(self._session.database, lines, self._parser), _Keys(keys), _key_that_comes_twice(keys))

    def skip(self, count: int) -> None:
        """Begins the query and passes over as many rows, as the server sends them."""
        self.columns()
        copy = self._copy(f"SELECT * FROM {self._source}", {})
        with self._session.told():
            self._receive = self._streaming.enter_context(receiving(self._connection, *copy))
            while count and (passed := self._receive(min(count, _PASSED_AT_ONCE)).count):
                count -= passed

    def next_rows(self, limit: int) -> PostgresText:
        """Reads the next rows as the server sends them."""
        assert self._receive is not None
        assert self._parser is not None
        with self._session.told():
            return PostgresText(self._session.database, self._receive(limit), self._parser)

    def close(self) -> None:
        """Cancels the query, if it still runs."""
        self._streaming.close()

    def _copy(self, sql: str, more: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
        return self._bound(f"COPY (\n{sql}\n) TO STDOUT (FORMAT text)", more)


class _Keys(Sequence[tuple[Any, ...]]):
    """Keys of rows, made from a frame when somebody asks for one."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __len__(self) -> int:
        return self._frame.height

    @overload
    def __getitem__(self, place: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> _Keys: ...
    def __getitem__(self, place: int | slice) -> tuple[Any, ...] | _Keys:
        return _Keys(self._frame[place]) if isinstance(place, slice) else self._frame.row(place)


def _key_that_comes_twice(keys: pl.DataFrame) -> tuple[Any, ...] | None:
    import polars as pl

    same = keys.select(pl.all_horizontal(pl.all() == pl.all().shift())).to_series()
    return keys.row(same.arg_true()[0]) if same.any() else None
