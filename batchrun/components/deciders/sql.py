"""Decider `sql`: the answer of a query on a database of the job is the exit code."""

from __future__ import annotations

from typing import Annotated, Any

from batchrun.components.databases import RefusedError, Session, connect
from batchrun.components.databases.statement import Statement, statement_problems, unused_problems
from batchrun.components.stopping import StopWatch
from batchrun.domain.parameters import value_text
from batchrun.errors import DatabaseError, DecisionError, StepStoppedError
from batchrun.spi.decider import Facts
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsProblem, component, option


class SqlDeciderOptions(Options, kw_only=True):
    """Options of the decider `sql`."""

    database: Annotated[str, option("The database, by its name in `databases`.", format="database")]
    query: Annotated[str, option("One SELECT; it may name parameters as `:name`.", format="sql", min_length=1)]
    parameters: Annotated[dict[str, Any], option("Values by name, bound where the query says `:name`.")] = {}
    otherwise: Annotated[
        Annotated[str, option("An exit code.", min_length=1)] | None,
        option("The exit code where the query has no row, or a null; without it the decision fails there."),
    ] = None

    def check(self) -> list[OptionsProblem]:
        """Checks that parameters and query fit together."""
        problems = statement_problems(self.query, self.parameters, ("query",))
        if not problems and Statement.parse(self.query).first_word not in ("SELECT", "WITH", "VALUES", "TABLE"):
            problems = [OptionsProblem("the query is no SELECT", ("query",))]
        return problems + unused_problems([self.query], self.parameters)


SPEC = ComponentSpec(
    role="decider",
    name="sql",
    summary="Decides by a query on a database of the job.",
    options=SqlDeciderOptions,
    example="""
type: sql
database: warehouse
query: SELECT CASE WHEN count(*) = 0 THEN 'EMPTY' ELSE 'OK' END FROM trades WHERE day = :day
parameters: {day: "2026-07-31"}
""",
    description=(
        "The exit code is the first column of the first row, as a text. Values are bound, never pasted into the query. "
        "A stop cancels the query where the database's driver can do that."
    ),
)


@component(SPEC)
class SqlDecider:
    """Asks its database once."""

    def __init__(self, options: SqlDeciderOptions, scope: ComponentScope) -> None:
        self._options = options
        self._database = scope.database(options.database)
        self._scope = scope

    def decide(self, facts: Facts) -> str:
        """Returns what the query says.

        Raises:
            DatabaseError: the database cannot be reached or refuses the query.
            DecisionError: the query has no answer, and there is no `otherwise`.
            StepStoppedError: a stop was asked for, and the query is cancelled.
        """
        del facts
        rows = self._rows()
        answer = rows[0][0] if rows else None
        if answer is not None and answer != "":
            return value_text(answer)
        if self._options.otherwise is not None:
            return self._options.otherwise
        told = "the query's answer is null" if rows else "the query has no row"
        raise DecisionError(self._scope.step_name, f"{told}; `otherwise` is the exit code where it is so")

    def _rows(self) -> list[tuple[Any, ...]]:
        session = connect(self._database, interruptible=True)
        try:
            with StopWatch(self._scope.should_stop, session.cancel) as watch:
                try:
                    return self._fetch(session)
                except DatabaseError:
                    watch.end()  # the error may be here before the call that cancelled has returned
                    if not watch.has_acted:
                        raise
            raise StepStoppedError("the query was cancelled by the stop")
        finally:
            session.close()

    def _fetch(self, session: Session) -> list[tuple[Any, ...]]:
        try:
            return session.fetch(self._options.query, self._options.parameters)
        except RefusedError as error:
            raise DatabaseError(self._options.database, error.reason, hint=error.hint) from error
