"""Reader `query`: the rows of an SQL query, by pages behind the last key, or in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, Literal

from batchrun.components.databases import RefusedError, Session, connect
from batchrun.components.databases.keys import from_json, to_json
from batchrun.components.databases.session import Page, QueryRows, TextQueryRows, near
from batchrun.components.databases.statement import Statement, statement_problems, unused_problems
from batchrun.domain.execution import JsonObject
from batchrun.spi.chunk import Chunk
from batchrun.spi.columns import ColumnType, ColumnTypeError
from batchrun.spi.item import Extent
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl

    from batchrun.spi.text import ItemText

ColumnTypeText = Annotated[str, option("A column type, such as `decimal(12,2)` or `date`.", format="column-type")]


class QueryOptions(Options, kw_only=True):
    """Options of the reader `query`."""

    database: Annotated[str, option("The database, by its name in `databases`.", format="database")]
    query: Annotated[str, option("One SELECT; it may name parameters as `:name`.", format="sql", min_length=1)]
    parameters: Annotated[dict[str, Any], option("Values by name, bound where the query says `:name`.")] = {}
    key: Annotated[
        list[str],
        option(
            "Columns of the result that are unique together: rows come in their order, by pages behind the last key."
        ),
    ] = []
    restart: Annotated[
        Literal["skip"] | None,
        option("`skip` instead of a key: a restart runs the query again and passes over the rows already committed."),
    ] = None
    columns: Annotated[
        dict[str, ColumnTypeText],
        option("Types by column name, where those of the database are not wanted; SQLite tells few of its own."),
    ] = {}
    page_size: Annotated[
        int,
        option(
            "Rows that one query asks for, with `key`; rounded up to whole chunks.", ge=1, unit="rows", advanced=True
        ),
    ] = 20_000

    def check(self) -> list[OptionsProblem]:
        """Checks that a restart can find its place, and that parameters and query fit together."""
        problems = statement_problems(self.query, self.parameters, ("query",))
        problems += unused_problems([self.query], self.parameters)
        if Statement.parse(self.query).first_word not in ("SELECT", "WITH", "VALUES", "TABLE"):
            problems.append(OptionsProblem("the query is no SELECT", ("query",)))
        if not self.key and self.restart is None:
            problems.append(
                OptionsProblem(
                    "a restart could not tell which rows are done: the rows of a query have no order of their own",
                    ("key",),
                    "give `key`, columns that are unique together; or `restart: skip`, if the query has an ORDER BY "
                    "that always gives the same order",
                )
            )
        if self.key and self.restart is not None:
            problems.append(OptionsProblem("either `key` or `restart: skip`, not both", ("restart",)))
        for name, text in self.columns.items():
            try:
                ColumnType.parse(text)
            except ColumnTypeError as error:
                problems.append(OptionsProblem(str(error), ("columns", name), error.hint))
        return problems


def _costs(options: Mapping[str, Any]) -> list[str]:
    if options.get("restart") != "skip":
        return []
    return ["a restart reads all rows again, up to those not yet committed; a `key` lets it go on behind the last one"]


SPEC = ComponentSpec(
    role="reader",
    name="query",
    summary="Reads the rows of an SQL query.",
    options=QueryOptions,
    example="""
type: query
database: warehouse
query: SELECT trade_id, isin, quantity FROM trades WHERE day = :day
parameters: {day: "2026-07-31"}
key: [trade_id]
""",
    capabilities=Capabilities(restartable=True),
    description=(
        "With `key` the rows are read by pages, each behind the last key of the page before, and a restart "
        "goes on behind the last key that was committed; an index on the key makes pages quick. With "
        "`restart: skip` the query runs once; a restart runs it again and passes over the rows already "
        "committed, so it must give the same rows in the same order. Memory stays constant in both. On SQLite "
        "no lock is held between two reads, so the step may write into the file that it reads: pages are read "
        "whole, and `restart: skip` reads a temporary copy of the result. SQLite types values rather than "
        "columns: a column takes the type of its first values unless `columns` declares one."
    ),
    costs=_costs,
)


@dataclass(slots=True)
class _Page:
    """Rows that were read and not yet given.

    Attributes:
        rows: the rows, and perhaps one more behind them.
        count: how many of them are to be given.
        is_last: no row comes behind them.
        start: the first row not yet given.
    """

    rows: Page
    count: int
    is_last: bool
    start: int = 0

    @property
    def left(self) -> int:
        """Number of rows not yet given."""
        return self.count - self.start


@component(SPEC)
class QueryItemReader:
    """Reads a query."""

    def __init__(self, options: QueryOptions, scope: ComponentScope) -> None:
        self._options = options
        self._database = scope.database(options.database)
        self._session: Session | None = None
        self._rows: QueryRows | None = None
        self._page: _Page | None = None
        self._last: list[Any] | None = None
        self._read_count = 0

    def open(self, position: JsonObject | None) -> Extent:
        """Begins behind the last row committed.

        Raises:
            DatabaseError: the database cannot be reached.
            InputError: it refuses the query, or the key does not fit.
        """
        self._session = connect(self._database)
        self._rows = self._session.query(
            Statement.parse(self._options.query).text, self._options.parameters, self._options.columns
        )
        self._page = None
        self._read_count = position["read"] if position else 0
        self._last = from_json(position["key"]) if position and position.get("key") is not None else None
        try:
            self._begin(self._rows)
        except RefusedError as error:
            raise error.of_source(self._database.name) from error
        return Extent(None)

    def _begin(self, rows: QueryRows) -> None:
        key, columns = self._options.key, rows.columns()
        if not key:
            rows.skip(self._read_count)
            return
        for name in key:
            if name not in columns:
                raise RefusedError(f"the query has no column {name!r}, which the key names", hint=near(name, columns))
        if self._last is None and rows.has_null_key(key):
            raise RefusedError(
                f"the key ({', '.join(key)}) is null in some rows, which could not be found again behind it",
                hint="leave them out by the query's WHERE, or choose another key",
            )

    def agree(self, takes: Callable[[ItemText], bool]) -> None:
        """Settles on the form in which rows come, where the database has several."""
        if isinstance(self._rows, TextQueryRows):
            self._rows.agree(takes)

    def read(self, limit: int) -> Chunk | None:
        """Returns the next rows.

        Raises:
            InputError: the database refuses the query, or the key is not unique.
        """
        assert self._rows is not None
        try:
            return self._read_page(self._rows, limit) if self._options.key else self._read_on(self._rows, limit)
        except RefusedError as error:
            raise error.of_source(self._database.name) from error

    def _read_on(self, rows: QueryRows, limit: int) -> Chunk | None:
        items = rows.next_rows(limit)
        if not len(items):
            return None
        origins = _NumberOrigins(self._database.name, self._read_count + 1, len(items))
        self._read_count += len(items)
        return Chunk(**_face(items), position={"read": self._read_count}, origins=origins, progress=self._read_count)

    def _read_page(self, rows: QueryRows, limit: int) -> Chunk | None:
        page = self._page
        if page is None or (not page.left and not page.is_last):
            page = self._page = self._next_page(rows, limit * ceil(self._options.page_size / limit))
        if not page.left:
            return None
        count = min(limit, page.left)
        keys = page.rows.keys[page.start : page.start + count]
        items = page.rows.items.slice(page.start, count)
        page.start += count
        self._read_count += count
        self._last = list(keys[-1])
        return Chunk(
            **_face(items),
            position={"key": to_json(keys[-1]), "read": self._read_count},
            origins=_KeyOrigins(self._database.name, self._options.key, keys),
            progress=self._read_count,
        )

    def _next_page(self, rows: QueryRows, size: int) -> _Page:
        """Reads a page and a row more: of two rows with one key on both sides of its end, one would be lost."""
        page = rows.page(self._options.key, self._last, size + 1)
        if page.twice is not None:
            raise RefusedError(
                f"the key ({', '.join(self._options.key)}) is not unique: {_shown(page.twice)} comes twice",
                hint="add columns to the key until it is",
            )
        return _Page(page, min(size, len(page.keys)), is_last=len(page.keys) <= size)

    def describe_position(self, position: JsonObject) -> str:
        """Returns the last key that was committed, or the number of the next row."""
        if position.get("key") is None:
            return f"row {position['read'] + 1:,} of {self._database.name}"
        key = _shown(from_json(position["key"]))
        return f"{self._database.name} behind {', '.join(self._options.key)} {key}"

    def close(self) -> None:
        """Ends the query and closes the connection."""
        session, rows = self._session, self._rows
        self._session = self._rows = self._page = None
        try:
            if rows is not None:
                rows.close()
        finally:
            if session is not None:
                session.close()


def _face(items: pl.DataFrame | ItemText) -> dict[str, Any]:
    import polars as pl

    return {"frame" if isinstance(items, pl.DataFrame) else "text": items}


def _shown(key: Sequence[Any]) -> str:
    return f"({', '.join(str(value) for value in key)})"


@dataclass(frozen=True, slots=True)
class _KeyOrigins:
    """Origins by key, such as `warehouse trade_id (42)`."""

    database: str
    key: Sequence[str]
    keys: Sequence[tuple[Any, ...]] = field(repr=False)

    def of(self, index: int) -> str:
        return f"{self.database} {', '.join(self.key)} {_shown(self.keys[index])}"

    def span(self) -> str:
        return f"{self.of(0)} to {_shown(self.keys[-1])}" if len(self.keys) > 1 else self.of(0)


@dataclass(frozen=True, slots=True)
class _NumberOrigins:
    """Origins by the rows' numbers, counted from 1, such as `warehouse row 17`."""

    database: str
    first: int
    count: int

    def of(self, index: int) -> str:
        return f"{self.database} row {self.first + index}"

    def span(self) -> str:
        return f"{self.database} rows {self.first} to {self.first + self.count - 1}"
