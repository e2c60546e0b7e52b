"""Writer `table`: items into a table of a database, each chunk with its checkpoint in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from batchrun.components.databases import RefusedError, Session, SessionCheckpointStore, TableName, TableShape, connect
from batchrun.components.databases.session import TextSession, near
from batchrun.domain.execution import JsonObject
from batchrun.errors import BatchrunError, DatabaseError, WriteError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import (
    Capabilities,
    ComponentSpec,
    Options,
    OptionsError,
    OptionsProblem,
    component,
    option,
)

if TYPE_CHECKING:
    import polars as pl

    from batchrun.spi.text import ItemText


class TableOptions(Options, kw_only=True):
    """Options of the writer `table`."""

    database: Annotated[str, option("The database, by its name in `databases`.", format="database")]
    table: Annotated[
        str,
        option("The table: `name` or `schema.name`; double quotes around a part that holds a dot.", min_length=1),
    ]
    mode: Annotated[
        Literal["insert", "upsert", "replace"],
        option("What happens to the rows there are: kept, updated where the key is the same, or deleted first."),
    ] = "insert"
    key: Annotated[
        list[str],
        option("Columns that tell one item from another; required for `upsert`, the primary key with `create`."),
    ] = []
    create: Annotated[
        bool, option("Creates the table where it is missing, with columns of the items' names and types.")
    ] = False

    def check(self) -> list[OptionsProblem]:
        """Checks that an upsert has a key, and that the table's name is one."""
        problems = []
        if self.mode == "upsert" and not self.key:
            problems.append(OptionsProblem("mode `upsert` needs a `key`", ("key",), "the columns that identify a row"))
        twice = sorted({column for column in self.key if self.key.count(column) > 1})
        problems += [OptionsProblem(f"the key names {column!r} twice", ("key",)) for column in twice]
        try:
            TableName.parse(self.table)
        except ValueError as error:
            problems.append(OptionsProblem(str(error), ("table",)))
        return problems


def _schema(options: TableOptions, columns: pl.Schema | None) -> pl.Schema | None:
    if columns is not None:
        missing = [column for column in options.key if column not in columns]
        if missing:
            raise OptionsError(
                [
                    OptionsProblem(f"the items have no column {column!r}", ("key",), near(column, columns))
                    for column in missing
                ]
            )
    return columns


SPEC = ComponentSpec(
    role="writer",
    name="table",
    summary="Writes items into a table of a database, by the database's bulk way.",
    options=TableOptions,
    example="""
type: table
database: warehouse
table: trades
mode: upsert
key: [trade_id]
create: true
""",
    capabilities=Capabilities(restartable=True, transactional=True),
    description=(
        "Each chunk is committed together with a row of the table `batchrun_checkpoint` beside it, so a restart goes "
        "on behind the last commit, with nothing lost and nothing twice. Columns of the table that the items lack get "
        "their defaults; a column that the table lacks is an error before anything is written. "
        "`replace` deletes the rows there were with the first chunk's commit, and never after a restart. "
        "In an upsert, of items with the same key in one chunk the last one wins, and the table needs a unique "
        "index on the key. On PostgreSQL a datetime without a zone that goes into a timestamptz column is taken as "
        "UTC. SQLite keeps dates and times as ISO text, booleans as 0 and 1, decimals as numbers of up to 15 digits."
    ),
    schema=_schema,
)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A chunk with its encoded items.

    Attributes:
        chunk: what was encoded; of the items with one key only the last.
        count: items that the chunk had.
        schema: gives the types of the columns, which only a table that is to be made is asked for.
    """

    chunk: Chunk
    count: int
    schema: Callable[[], pl.Schema]
    encoded: Any


@component(SPEC)
class TableItemWriter:
    """Writes chunks into one table."""

    def __init__(self, options: TableOptions, scope: ComponentScope) -> None:
        self._options = options
        self._database = scope.database(options.database)
        self._table = TableName.parse(options.table)
        self._session: Session | None = None
        self._store: SessionCheckpointStore | None = None
        self._shape: TableShape | None = None
        self._made_shape: TableShape | None = None
        self._checked: tuple[str, ...] = ()
        self._made_at = -1
        self._made_before: int | None = None
        self._is_emptying = False

    def connect(self) -> CheckpointStore | None:
        """Reaches the database, and looks at the table.

        Raises:
            DatabaseError: the database or the table cannot be reached, or the table does not fit the options.
        """
        self._session = session = connect(self._database, create=self._options.create)
        self._store = _EmptyingStore(session, self._empty)
        self._shape = session.describe(self._table)
        self._check_table(session)
        return self._store

    def _check_table(self, session: Session) -> None:
        options, shape = self._options, self._shape
        if shape is None and not options.create:
            known = near(str(self._table), session.tables())
            raise DatabaseError(
                options.database, f"there is no table {self._table}", hint=f"{known}; `create: true` makes it"
            )
        if options.mode != "upsert":
            return
        if not session.can_upsert():
            raise DatabaseError(options.database, "this kind of database has no upsert that batchrun knows")
        if shape is not None and not shape.is_unique(options.key):
            columns = ", ".join(session.quote(column) for column in options.key)
            index = session.quote(f"{self._table.name}_key")
            raise DatabaseError(
                options.database,
                f"table {self._table} has no unique index on its key ({', '.join(options.key)}), which an upsert needs",
                hint=f"CREATE UNIQUE INDEX {index} ON {self._table} ({columns})",
            )

    def open(self, state: JsonObject | None) -> None:
        """Begins anew, where `replace` empties the table with the first commit, or goes on.

        Raises:
            DatabaseError: the table that the step was writing is gone, and what was in it.
        """
        kept = state or {}
        if kept.get("exists") and self._shape is None:
            raise DatabaseError(
                self._options.database,
                f"table {self._table}, in which the step had come to its last commit, is gone",
                hint="give it back as it was, or launch the job as a new instance",
            )
        self._is_emptying = self._options.mode == "replace" and not kept.get("emptied")

    def _empty(self) -> None:
        """Deletes the rows there were, in each transaction until one has been committed."""
        store, session = self._reached()
        if self._is_emptying and not store.commits and self._shape is not None:
            session.empty_table(self._table)

    def _reached(self) -> tuple[SessionCheckpointStore, Session]:
        assert self._store is not None
        assert self._session is not None
        return self._store, self._session

    def prepare(self, chunk: Chunk) -> _Prepared:
        """Encodes the chunk, after a look at its columns and keys.

        Raises:
            DatabaseError: the table lacks a column that the items have.
            WriteError: a key is null, or a value has no form in the database.
        """
        _, session = self._reached()
        self._check_columns(chunk)
        passed_on = None if chunk.text is None else self._passed_on(chunk.text)
        if passed_on is not None:
            return _Prepared(chunk, len(chunk), lambda: chunk.frame.schema, passed_on)
        unique = self._last_of_each_key(chunk)
        try:
            encoded = session.encode(unique.frame, self._shape or self._made_shape)
        except RefusedError as error:
            raise self._write_error(error, unique, len(chunk)) from error
        return _Prepared(unique, len(chunk), lambda: unique.frame.schema, encoded)

    def takes_text(self, text: ItemText) -> bool:
        """Tells whether the table reads the text of items as it is, and nothing is to be known of them."""
        return self._passed_on(text) is not None

    def _passed_on(self, text: ItemText) -> Any | None:
        """Returns the text of items in the form that the session takes, or None where they have to be encoded."""
        shape = self._shape or self._made_shape
        if shape is None or self._options.key:
            return None
        _, session = self._reached()
        return session.encode_text(text, shape) if isinstance(session, TextSession) else None

    def prepare_part(self, whole: _Prepared, start: int, part: Chunk) -> _Prepared:
        """Returns a part of a chunk; encoded anew where of several items with one key only the last was encoded."""
        if len(whole.chunk) != whole.count:
            return self.prepare(part)
        _, session = self._reached()
        return _Prepared(part, len(part), whole.schema, session.part(whole.encoded, start, len(part)))

    def _check_columns(self, chunk: Chunk) -> None:
        columns = tuple(chunk.columns)
        if columns == self._checked:
            return
        missing = [column for column in self._options.key if column not in columns]
        if missing:
            raise DatabaseError(
                self._options.database,
                f"the items have no column {missing[0]!r}, which the key names",
                hint=near(missing[0], columns),
            )
        unknown = [] if self._shape is None else [column for column in columns if not self._shape.has(column)]
        if unknown and self._shape is not None:
            raise DatabaseError(
                self._options.database,
                f"table {self._table} has no column {unknown[0]!r}, which the items have",
                hint=f"{near(unknown[0], self._shape.columns)} "
                "The processors rename and select give the items the table's columns",
            )
        self._checked = columns

    def _last_of_each_key(self, chunk: Chunk) -> Chunk:
        import polars as pl

        key = self._options.key
        if not key:
            return chunk
        keys = chunk.frame.select(key)
        nulls = keys.select(pl.any_horizontal(pl.all().is_null())).to_series()
        if nulls.any():
            raise WriteError(f"the key ({', '.join(key)}) is null", origin=chunk.origin(nulls.arg_true()[0]))
        if self._options.mode != "upsert" or not keys.is_duplicated().any():
            return chunk
        places = keys.with_row_index("batchrun place").unique(key, keep="last", maintain_order=True)["batchrun place"]
        return chunk.with_frame(chunk.frame[places], places.to_list())

    def write(self, prepared: _Prepared) -> int:
        """Writes a chunk in the transaction; creates the table first where it is to be created."""
        _, session = self._reached()
        try:
            self._make_table(prepared.schema)
            if self._options.mode == "upsert":
                session.upsert(self._table, prepared.encoded, self._options.key)
            else:
                session.insert(self._table, prepared.encoded)
        except RefusedError as error:
            raise self._write_error(error, prepared.chunk, prepared.count) from error
        return prepared.count

    def _make_table(self, schema: Callable[[], pl.Schema]) -> None:
        store, session = self._reached()
        # A rollback undoes the creation too, so it is looked at again after each, until it has been committed.
        if self._exists():
            return
        if session.describe(self._table) is None:
            session.create_table(self._table, schema(), self._options.key)
            self._made_shape = session.describe(self._table)
        self._made_at = store.undone

    def _exists(self) -> bool:
        """Tells whether the table is there in this transaction, as far as that is certain without a look."""
        store, _ = self._reached()
        is_committed = self._made_before is not None and store.commits > self._made_before
        return self._shape is not None or self._made_at == store.undone or is_committed

    def _write_error(self, error: RefusedError, chunk: Chunk, count: int) -> WriteError:
        """Returns a refusal of a chunk that was made of so many items; its place counts among those."""
        origin = None if error.index is None else chunk.origin(error.index)
        place = error.index if len(chunk) == count else None
        way_out = f" ({error.hint})" if error.hint else ""
        told = WriteError(
            f"table {self._table}: {error.reason}{way_out}",
            origin=origin,
            place=place,
            decided=0 if place is None else error.decided,
            further=[self._write_error(each, chunk, count) for each in error.further],
        )
        told.__cause__ = error
        return told

    def state(self) -> JsonObject | None:
        """Remembers that the table exists, and that `replace` has emptied it: a restart misses and keeps its rows."""
        store, _ = self._reached()
        exists = self._exists()
        if not exists or self._made_before is None:
            self._made_before = store.commits if exists else None
        return {"exists": exists, **({"emptied": True} if self._options.mode == "replace" else {})}

    def finish(self) -> None:
        """Empties the table for `replace` where there was no item at all."""
        store, session = self._reached()
        if not self._is_emptying or store.commits or self._shape is None:
            return
        session.begin()
        try:
            session.empty_table(self._table)
            store.commit_behind()
        except RefusedError as error:
            session.rollback()
            raise DatabaseError(self._options.database, error.reason) from error
        except BatchrunError:
            session.rollback()
            raise

    def close(self) -> None:
        """Rolls back what is not committed, and closes the connection."""
        if self._session is not None:
            self._session.rollback()
            self._session.close()
            self._session = None


class _EmptyingStore(SessionCheckpointStore):
    """Empties the table at the beginning of the first transaction, before any savepoint that could undo it."""

    def __init__(self, session: Session, empty: Any) -> None:
        super().__init__(session)
        self._empty = empty

    def begin(self) -> None:
        """Begins the transaction, and empties the table in it."""
        super().begin()
        try:
            self._empty()
        except RefusedError as error:
            self.rollback()
            raise DatabaseError(self.session.database, error.reason) from error
