"""Tasklet `sql`: statements in a transaction of a database, with the step's checkpoint: exactly once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from batchrun.components.databases import RefusedError, Session, SessionCheckpointStore, connect
from batchrun.components.databases.statement import statement_problems, unused_problems
from batchrun.components.stopping import StopWatch
from batchrun.errors import DatabaseError, StepStoppedError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsProblem, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution


class SqlOptions(Options, kw_only=True):
    """Options of the tasklet `sql`."""

    database: Annotated[str, option("The database, by its name in `databases`.", format="database")]
    statement: Annotated[
        str | list[str],
        option("One SQL statement, or a list that runs in order, in one transaction.", format="sql"),
    ]
    parameters: Annotated[dict[str, Any], option("Values by name, bound where a statement says `:name`.")] = {}
    repeat: Annotated[
        Literal["once", "until_unchanged"],
        option("`until_unchanged`: again and again, each time a transaction, until no row is changed."),
    ] = "once"

    @property
    def statements(self) -> list[str]:
        """The statements in their order."""
        return [self.statement] if isinstance(self.statement, str) else self.statement

    def check(self) -> list[OptionsProblem]:
        """Checks that parameters and statements fit together."""
        if isinstance(self.statement, str):
            problems = statement_problems(self.statement, self.parameters, ("statement",))
        elif not self.statement:
            problems = [OptionsProblem("there is no SQL statement", ("statement",))]
        else:
            problems = [
                problem
                for place, sql in enumerate(self.statement)
                for problem in statement_problems(sql, self.parameters, ("statement", place))
            ]
        return problems + unused_problems(self.statements, self.parameters)


SPEC = ComponentSpec(
    role="tasklet",
    name="sql",
    summary="Runs SQL statements in a transaction of a database.",
    options=SqlOptions,
    example="""
type: sql
database: warehouse
statement: UPDATE trades SET settled = 1 WHERE day = :day
parameters: {day: "2026-07-31"}
""",
    capabilities=Capabilities(restartable=True, transactional=True),
    description=(
        "The statements are committed together with a row of the table `batchrun_checkpoint` beside the data, so they "
        "take effect exactly once, whenever the process dies. The step's write count is the number of rows changed. "
        "Values are bound, never pasted into the text. With `repeat: until_unchanged` they are run again until they "
        "change no row, as for a DELETE of some thousand rows at a time: each time is committed by itself, and between "
        "two the step can be stopped and later go on. A stop cancels a running statement, which undoes the "
        "transaction; the drivers of some databases cannot, and there the stop waits for the statement."
    ),
)


@component(SPEC)
class SqlTasklet:
    """Runs its statements once in each call."""

    def __init__(self, options: SqlOptions, scope: ComponentScope) -> None:
        self._options = options
        self._database = scope.database(options.database)
        self._scope = scope
        self._session: Session | None = None

    def open(self) -> CheckpointStore | None:
        """Reaches the database; its transaction surrounds the call.

        Raises:
            DatabaseError: it cannot be reached.
        """
        self._session = connect(self._database, create=True, interruptible=True)
        return SessionCheckpointStore(self._session)

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Runs the statements.

        Raises:
            DatabaseError: the database refuses one; names which, where there are several.
            StepStoppedError: a stop was asked for, and the running statement is cancelled.
        """
        assert self._session is not None
        with StopWatch(self._scope.should_stop, self._session.cancel) as watch:
            try:
                changed = self._run(self._session)
            except (DatabaseError, RefusedError):
                watch.end()  # the error may be here before the call that cancelled has returned
                if not watch.has_acted:
                    raise
        if watch.has_acted:  # also where the statement was faster: the next one could be cancelled in its place
            raise StepStoppedError("the statement was cancelled by the stop")
        contribution.counts.write += changed
        is_repeated = self._options.repeat == "until_unchanged" and changed > 0
        return RepeatStatus.CONTINUABLE if is_repeated else RepeatStatus.FINISHED

    def _run(self, session: Session) -> int:
        """Runs each statement once, and returns how many rows they changed."""
        changed, statements = 0, self._options.statements
        for place, sql in enumerate(statements, 1):
            try:
                changed += session.execute(sql, self._options.parameters)
            except RefusedError as error:
                which = f"statement {place} of {len(statements)}: " if len(statements) > 1 else ""
                raise DatabaseError(self._options.database, f"{which}{error.reason}", hint=error.hint) from error
        return changed

    def close(self) -> None:
        """Rolls back what is not committed, and closes the connection."""
        if self._session is not None:
            self._session.rollback()
            self._session.close()
            self._session = None
