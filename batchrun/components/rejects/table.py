"""The reject sink `table`: skipped items in a table, by the writer's own transaction where it can."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

from batchrun.components.databases import RefusedError, Session, SessionCheckpointStore, TableName, connect
from batchrun.components.reject_records import as_document, from_document, record_of
from batchrun.domain.execution import JsonObject
from batchrun.errors import DatabaseError
from batchrun.spi import (
    Capabilities,
    CheckpointStore,
    ComponentScope,
    ComponentSpec,
    Options,
    OptionsProblem,
    component,
    option,
)
from batchrun.spi.rejects import Reject, RejectRecord

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = ("repository_id", *RejectRecord.__dataclass_fields__, "types")
_NUMBERS = ("number", "instance_id", "run", "execution_id")
_JSON = ("item", "types")
_ZERO, _FOR_ZERO = "\0", "␀"
_KEY = ("repository_id", "instance_id", "step", "run", "number", "execution_id")


class TableRejectOptions(Options):
    """Options of the reject sink `table`."""

    database: Annotated[str, option("The database, by its name in `databases`.", format="database")]
    table: Annotated[
        str, option("The table: `name` or `schema.name`; it is created where it is missing.", min_length=1)
    ] = "batchrun_reject"

    def check(self) -> list[OptionsProblem]:
        """Checks that the table's name is one."""
        try:
            TableName.parse(self.table)
        except ValueError as error:
            return [OptionsProblem(str(error), ("table",))]
        return []


SPEC = ComponentSpec(
    role="reject_sink",
    name="table",
    summary="Keeps rejects in a table of a database.",
    options=TableRejectOptions,
    capabilities=Capabilities(restartable=True, transactional=True),
    example="type: table\ndatabase: warehouse\ntable: rejected_trades\n",
    description="""\
The columns are those of the sink `json_lines`, and the id of the repository; the item and the types of its values are
JSON, and a zero character of a raw text is kept as ␀. Many steps and jobs can share the table. Where the step writes
into the same database, the rejects are committed in the transaction of their chunk: exactly once. In another database
they are committed before their chunk, and a restart deletes those whose chunk was not; only a process that is taken
over while it hangs, and wakes up again, can leave some that `batchrun rejects` does not count.
""",
)


@component(SPEC)
class TableRejectSink:
    """Inserts rejects by the session of the step's writer, or by one of its own."""

    def __init__(self, options: TableRejectOptions, scope: ComponentScope) -> None:
        self._scope = scope
        self._database = scope.database(options.database)
        self._table = TableName.parse(options.table)
        self._session: Session | None = None
        self._is_own = False
        self._is_pending = False
        self._run = 0
        self._count = 0

    def open(self, state: JsonObject | None, run: int, store: CheckpointStore | None) -> None:
        """Joins the writer's transactions, or connects and deletes what was never committed.

        Raises:
            DatabaseError: the database cannot be reached, or the table cannot be made or written.
        """
        self._is_own = not self._is_database_of(store)
        if isinstance(store, SessionCheckpointStore) and not self._is_own:
            self._session = store.session
        else:
            self._session = connect(self._database, create=True)
        self._run = run
        try:
            if self._reached.describe(self._table) is None:
                self._reached.create_table(self._table, _schema(), _KEY)
        except RefusedError as error:
            raise self._error(error) from error
        self.cut_back(state)

    def write(self, rejects: Sequence[Reject]) -> None:
        """Inserts the rejects of a chunk."""
        numbers = range(self._count + 1, self._count + len(rejects) + 1)
        records = [record_of(*each, self._run, self._scope) for each in zip(rejects, numbers, strict=True)]
        if self._is_own and not self._is_pending:
            self._reached.begin()
            self._is_pending = True
        try:
            shape = self._reached.describe(self._table)
            self._reached.insert(self._table, self._reached.encode(self._frame(records), shape))
        except RefusedError as error:
            raise self._error(error) from error
        self._count += len(rejects)

    def state(self) -> JsonObject | None:
        """Commits what is not part of the writer's transaction; None as long as the run has no reject."""
        if self._is_pending:
            self._reached.commit()
            self._is_pending = False
        return {"count": self._count} if self._count else None

    def cut_back(self, state: JsonObject | None) -> None:
        """Forgets the rejects of a chunk that was not committed, and deletes them where they were."""
        self._count = 0 if state is None else state["count"]
        if not self._is_own:
            return
        if self._is_pending:
            self._reached.rollback()
            self._is_pending = False
        own = {**self._of_step(), "run": self._run, "number": self._count}
        sql = f"DELETE FROM {self._table.quoted} WHERE {_of_step(self._reached)} AND {_later(self._reached)}"
        try:
            self._reached.execute(sql, own)
        except RefusedError as error:
            raise self._error(error) from error

    def records(self) -> Iterator[RejectRecord]:
        """Yields the rejects of the step in this job instance; of one number those of the last execution.

        Raises:
            DatabaseError: the table cannot be read, or a row has been changed into what is no reject.
        """
        with closing(connect(self._database)) as session:
            if session.describe(self._table) is None:
                return
            names = ", ".join(map(session.quote, _COLUMNS[1:]))
            order = ", ".join(map(session.quote, ("run", "number", "execution_id")))
            sql = f"SELECT {names} FROM {self._table.quoted} WHERE {_of_step(session)} ORDER BY {order}"
            rows = session.fetch(sql, self._of_step())
        found = {(each.run, each.number): each for each in map(self._record, rows)}
        yield from found.values()

    def close(self) -> None:
        """Closes a connection of its own."""
        if self._session is not None and self._is_own:
            self._session.rollback()
            self._session.close()
        self._session = None

    @property
    def _reached(self) -> Session:
        assert self._session is not None, "the sink is open"
        return self._session

    def _is_database_of(self, store: CheckpointStore | None) -> bool:
        if not isinstance(store, SessionCheckpointStore):
            return False
        return self._scope.database(store.session.database).url == self._database.url

    def _of_step(self) -> JsonObject:
        return {
            "repository": self._scope.repository_id,
            "instance": self._scope.instance_id,
            "step": self._scope.step_name,
        }

    def _frame(self, records: Sequence[RejectRecord]) -> pl.DataFrame:
        import polars as pl

        documents = [{**as_document(each), "repository_id": self._scope.repository_id} for each in records]
        columns = {name: [_cell(name, each[name]) for each in documents] for name in _COLUMNS}
        return pl.DataFrame(columns, schema=_schema())

    def _record(self, row: tuple[object, ...]) -> RejectRecord:
        document = dict(zip(_COLUMNS[1:], row, strict=True))
        if document["raw"] is not None:
            document["raw"] = str(document["raw"]).replace(_FOR_ZERO, _ZERO)
        try:
            told = {name: json.loads(str(document[name])) for name in _JSON if document[name]}
            return from_document({**document, **told})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            which = f"number {document['number']} of run {document['run']} of step {document['step']!r}"
            reason = f"table {self._table} of the rejects: {which} is no reject: {type(error).__name__}: {error}"
            raise DatabaseError(self._database.name, reason, hint="mend the row") from error

    def _error(self, error: RefusedError) -> DatabaseError:
        return DatabaseError(self._database.name, f"table {self._table} of the rejects: {error.reason}")


def _of_step(session: Session) -> str:
    names = {"repository_id": "repository", "instance_id": "instance", "step": "step"}
    return " AND ".join(f"{session.quote(column)} = :{name}" for column, name in names.items())


def _later(session: Session) -> str:
    return f"{session.quote('run')} = :run AND {session.quote('number')} > :number"


def _schema() -> pl.Schema:
    import polars as pl

    return pl.Schema({name: pl.Int64() if name in _NUMBERS else pl.String() for name in _COLUMNS})


def _cell(name: str, value: object) -> object:
    if name in _JSON and value is not None:
        return json.dumps(value, ensure_ascii=False)
    return value if name in _NUMBERS or value is None else str(value).replace(_ZERO, _FOR_ZERO)
