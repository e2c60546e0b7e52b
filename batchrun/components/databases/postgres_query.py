"""Reads a query on PostgreSQL by COPY, without an object per value, or per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from operator import eq
from typing import TYPE_CHECKING, Any, overload

from batchrun.components.databases.casting import check_declared
from batchrun.components.databases.postgres_copy import COPY_BINARY, COPY_TEXT
from batchrun.components.databases.postgres_decoding import first_bytes, first_values
from batchrun.components.databases.postgres_items import PostgresItems, can_be_binary
from batchrun.components.databases.postgres_kinds import bare
from batchrun.components.databases.postgres_receiving import Received, receiving
from batchrun.components.databases.postgres_text import TextParser
from batchrun.components.databases.session import Page, RefusedError, quote

if TYPE_CHECKING:
    import polars as pl
    import psycopg

    from batchrun.components.databases.postgres import PostgresSession
    from batchrun.spi.text import ItemText

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
_WRITTEN_ALIKE = (
    "smallint", "integer", "bigint", "boolean", "uuid", "date", "time without time zone", "timestamp without time zone",
    "timestamp with time zone",
)  # fmt: skip
"""Types of which equal values are written alike."""

_PASSED_AT_ONCE = 10_000


class PostgresQueryRows:
    """The rows of one query on PostgreSQL.

    They come as text, unless a writer has agreed on the binary format; there the columns of the key stand first.
    """

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
        self._types: dict[str, str] = {}
        self._described: list[psycopg.Column] = []
        self._parser: TextParser | None = None
        self._form = COPY_TEXT
        self._is_looked_at = False
        self._passed = 0
        self._receive: Callable[[int], Received] | None = None
        self._streaming = ExitStack()

    def columns(self) -> list[str]:
        """Returns the names of the columns that come out."""
        if self._parser is None:
            with self._session.told():
                self._connection.execute(_SETTINGS)
                cursor = self._describe()
            described = list(cursor.description or [])
            names = [column.name for column in described]
            check_declared(self._declared, names)
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise RefusedError(f"the query gives two columns the name {twice[0]!r}", hint="rename one by AS")
            if not described:
                raise RefusedError("the query gives no columns")
            self._types = dict(zip(names, self._kinds(cursor), strict=True))
            self._described = described
            self._parser = TextParser(described, self._declared)
        return list(self._types)

    def _describe(self) -> psycopg.Cursor[Any]:
        return self._connection.execute(*self._bound(f"SELECT * FROM {self._source} LIMIT 0"))

    @contextmanager
    def _of_known_types(self, form: str) -> Iterator[None]:
        """Surrounds a COPY in the binary format, which tells no types: those of the columns are still the known ones.

        Raises:
            RefusedError: one is not.
        """
        if form != COPY_BINARY:
            yield
            return
        with self._connection.transaction():  # which keeps the tables as they are described
            now = {column.name: column.type_code for column in self._describe().description or []}
            for column in self._described:
                if now.get(column.name) != column.type_code:
                    raise RefusedError(
                        f"the type of column {column.name!r} has changed since the step looked at it",
                        hint="a restart goes on by the new type",
                    )
            yield

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

    def agree(self, takes: Callable[[ItemText], bool]) -> None:
        """Has rows come in the binary format, if that is taken: the server makes it, and reads it, in less time."""
        self.columns()
        columns = self._passed_columns()
        if can_be_binary(columns) and takes(self._items(COPY_BINARY, Received(b"", [0]), columns)):
            self._form = COPY_BINARY

    def _passed_columns(self) -> dict[str, str]:
        """Returns the server's type of each column; empty where another is declared for it."""
        return {name: "" if name in self._declared else kind for name, kind in self._types.items()}

    def _items(self, form: str, rows: Received, columns: Mapping[str, str]) -> PostgresItems:
        return PostgresItems(self._session.database, form, rows, columns, self._frame)

    def _frame(self, data: bytes, count: int, fields: Sequence[str], is_part: bool) -> pl.DataFrame:
        """Parses rows at which somebody looks: so the next pages come in the format that is parsed sooner."""
        assert self._parser is not None
        self._is_looked_at = True
        return (self._parser.alone() if is_part else self._parser).frame(data, count, fields)

    def page(self, key: Sequence[str], last: Sequence[Any] | None, limit: int) -> Page:
        """Reads up to `limit` rows whose key is greater than `last`, in the order of the key; keys come as text."""
        self.columns()
        assert self._parser is not None
        form = COPY_TEXT if self._is_looked_at else self._form
        columns = self._passed_columns()
        selected = "*"
        if form == COPY_BINARY:
            columns = {name: columns[name] for name in dict.fromkeys((*key, *columns))}
            selected = ", ".join(map(quote, columns))
        condition, marks = _compared(key, ">", last) if last else ("true", {})
        sql = f"SELECT {selected} FROM {self._source} WHERE {condition} ORDER BY {_ordered(key)} LIMIT {limit}"
        copy = self._copy(sql, marks, form)
        with self._session.told(), self._of_known_types(form), receiving(self._connection, *copy, form) as receive:
            rows = receive(limit)
            # The server says only behind the last row that all is well.
            receive(1)
        items = self._items(form, rows, columns)
        keys: _BinaryKeys | _Keys
        if form == COPY_BINARY:
            keys = _BinaryKeys(rows, [bare(columns[name]) for name in key])
        else:
            keys = _Keys(self._parser.keys(rows.data, rows.count, key))
        return Page(items, keys, keys.twice() or self._equal_behind(key, keys, limit))

    def _equal_behind(self, key: Sequence[str], keys: Sequence[tuple[Any, ...]], limit: int) -> tuple[Any, ...] | None:
        """Returns the last key but one of a full page if it equals another that is written in another way.

        As 1.0 equals 1.00, and in some collations `a` equals `A`. The next page begins behind the last key but one, so
        such a row would be lost.
        """
        if len(keys) < limit or limit < 2 or all(bare(self._types[name]) in _WRITTEN_ALIKE for name in key):
            return None
        last = keys[limit - 2]
        condition, marks = _compared(key, "=", last)
        sql = f"SELECT 1 FROM {self._source} WHERE {condition} LIMIT 2"
        return last if len(self._session.fetch(sql, {**self._parameters, **marks})) > 1 else None

    def skip(self, count: int) -> None:
        """Passes over as many rows, as the server sends them."""
        self._passed = count

    def next_rows(self, limit: int) -> PostgresItems:
        """Reads the next rows as the server sends them."""
        with self._session.told():
            if self._receive is None:
                self._receive = self._begin()
            return self._items(self._form, self._receive(limit), self._passed_columns())

    def _begin(self) -> Callable[[int], Received]:
        """Begins the query, and passes over rows."""
        self.columns()
        copy = self._copy(f"SELECT * FROM {self._source}", {}, self._form)
        self._streaming.enter_context(self._of_known_types(self._form))
        receive = self._streaming.enter_context(receiving(self._connection, *copy, self._form))
        while self._passed and (passed := receive(min(self._passed, _PASSED_AT_ONCE)).count):
            self._passed -= passed
        return receive

    def close(self) -> None:
        """Cancels the query, if it still runs."""
        self._streaming.close()

    def _copy(self, sql: str, more: Mapping[str, Any], form: str) -> tuple[str, dict[str, Any] | None]:
        return self._bound(f"COPY (\n{sql}\n) TO STDOUT (FORMAT {form.rpartition(' ')[2]})", more)


def _ordered(key: Sequence[str]) -> str:
    return ", ".join(f"batchrun_query.{quote(name)}" for name in key)


def _compared(key: Sequence[str], sign: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Returns a condition on the key, and the values that it names."""
    marks = {f"batchrun_key_{place}": value for place, value in enumerate(values)}
    return f"({_ordered(key)}) {sign} ({', '.join(':' + mark for mark in marks)})", marks


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

    def twice(self) -> tuple[Any, ...] | None:
        """Returns a key that two rows have, one behind the other; None where there is none."""
        import polars as pl

        same = self._frame.select(pl.all_horizontal(pl.all() == pl.all().shift())).to_series()
        return self[same.arg_true()[0]] if same.any() else None


class _BinaryKeys(Sequence[tuple[Any, ...]]):
    """Keys of rows in the binary format, made when somebody asks for one.

    Args:
        kinds: types of the key's columns, which are the first ones.
        first, count: which of the rows.
    """

    def __init__(self, rows: Received, kinds: Sequence[str], first: int = 0, count: int | None = None) -> None:
        self._rows, self._kinds, self._first = rows, kinds, first
        self._count = rows.count if count is None else count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> _BinaryKeys: ...
    def __getitem__(self, place: int | slice) -> tuple[Any, ...] | _BinaryKeys:
        chosen = range(self._first, self._first + self._count)[place]
        if isinstance(chosen, range):
            return _BinaryKeys(self._rows, self._kinds, chosen.start, len(chosen))
        return first_values(self._rows.data, self._rows.places[chosen], self._kinds)

    def twice(self) -> tuple[Any, ...] | None:
        """Returns a key that two rows have, one behind the other; None where there is none."""
        keys = first_bytes(self._rows.data, self._rows.places[:-1], self._kinds)
        same = list(map(eq, keys, islice(keys, 1, None)))
        return self[same.index(True)] if True in same else None
