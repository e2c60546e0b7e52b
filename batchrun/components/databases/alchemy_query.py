"""Reads a query on any other database as rows, by SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.casting import cast, check_declared
from batchrun.components.databases.session import Page, RefusedError

if TYPE_CHECKING:
    import polars as pl
    import sqlalchemy as sa

    from batchrun.components.databases.alchemy import AlchemySession

_STREAMED_AT_ONCE = 1000


class AlchemyQueryRows:
    """The rows of one query."""

    def __init__(
        self,
        session: AlchemySession,
        engine: sa.Engine,
        sql: str,
        parameters: Mapping[str, Any],
        types: Mapping[str, str],
    ) -> None:
        self._session = session
        self._engine = engine
        self._sql = sql
        self._parameters = dict(parameters)
        self._declared = dict(types)
        self._columns: list[str] = []
        self._settled: dict[str, pl.DataType] = {}
        self._streaming: sa.Connection | None = None
        self._result: sa.CursorResult[Any] | None = None

    def columns(self) -> list[str]:
        """Returns the names of the columns that come out."""
        if not self._columns:
            self._rows("1 = 0", [], {}, None)
        return self._columns

    def has_null_key(self, key: Sequence[str]) -> bool:
        """Tells whether a row has a null among the key columns."""
        quoted = [self._session.quote(name) for name in key]
        return bool(self._rows(" OR ".join(f"{name} IS NULL" for name in quoted), [], {}, 1))

    def page(self, key: Sequence[str], last: Sequence[Any] | None, limit: int) -> Page:
        """Reads up to `limit` rows whose key is greater than `last`, in the order of the key."""
        quoted = [self._session.quote(name) for name in key]
        marks = {f"batchrun_key_{place}": value for place, value in enumerate(last or ())}
        rows = self._rows(_after(quoted, list(marks)), quoted, marks, limit)
        places = [self._columns.index(name) for name in key]
        return Page.of(self._typed(rows), [tuple(row[place] for place in places) for row in rows])

    def skip(self, count: int) -> None:
        """Begins the query and passes over as many rows, as the database sends them."""
        from batchrun.components.databases.alchemy import bound

        with self._session.told():
            self._streaming = self._engine.connect()
            text, values = bound(self._sql, self._parameters)
            self._result = self._streaming.execution_options(
                stream_results=True, max_row_buffer=_STREAMED_AT_ONCE
            ).execute(text, values)
            self._name(self._result)
            while count > 0 and self._result.fetchmany(min(count, _STREAMED_AT_ONCE)):
                count -= _STREAMED_AT_ONCE

    def next_rows(self, limit: int) -> pl.DataFrame:
        """Reads the next rows as the database sends them."""
        assert self._result is not None
        with self._session.told():
            return self._typed(self._result.fetchmany(limit))

    def close(self) -> None:
        """Ends what `skip` began."""
        if self._streaming is not None:
            with self._session.told():
                if self._result is not None:
                    self._result.close()
                self._streaming.close()
            self._streaming = self._result = None

    def _rows(self, condition: str, order: list[str], more: Mapping[str, Any], limit: int | None) -> Sequence[Any]:
        import sqlalchemy as sa

        from batchrun.components.databases.alchemy import bound

        source, _ = bound(f"(\n{self._sql}\n) batchrun_query", self._parameters)
        select = sa.select(sa.text("*")).select_from(source)
        if condition:
            select = select.where(sa.text(condition))
        select = select.order_by(*map(sa.text, order)).limit(limit)
        with self._session.told(), self._engine.connect() as connection:
            result = connection.execute(select, {**self._parameters, **more})
            self._name(result)
            return result.fetchall()

    def _name(self, result: sa.CursorResult[Any]) -> None:
        names = list(result.keys())
        if len(set(names)) < len(names):
            raise RefusedError("the query gives two columns the same name", hint="rename one by AS")
        check_declared(self._declared, names)
        self._columns = names

    def _typed(self, rows: Sequence[Any]) -> pl.DataFrame:
        """Returns rows as a frame; a column keeps the type of the first rows that had a value of it."""
        import polars as pl

        columns = []
        for place, name in enumerate(self._columns):
            values = [row[place] for row in rows]
            try:
                series = pl.Series(name, values, dtype=self._settled.get(name), strict=True)
            except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
                raise RefusedError(
                    f"column {name!r} does not keep the type of its first rows: {error}",
                    hint=f"cast it in the query, or declare its type, as in columns: {{{name}: string}}",
                ) from error
            if name not in self._declared and series.dtype != pl.Null:
                self._settled[name] = series.dtype
            columns.append(series)
        return cast(pl.DataFrame(columns), self._declared)


def _after(columns: Sequence[str], marks: Sequence[str]) -> str:
    """Returns the condition for a key greater than the marks; not every database compares rows of values."""
    return " OR ".join(
        "("
        + " AND ".join(
            [f"{columns[each]} = :{marks[each]}" for each in range(place)] + [f"{columns[place]} > :{marks[place]}"]
        )
        + ")"
        for place in range(len(marks))
    )
