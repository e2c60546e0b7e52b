"""Decider `expression`: the first condition that holds over what is known of the run gives the exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec

from batchrun.components.expressions import condition_problem, parse
from batchrun.errors import DecisionError, first_line
from batchrun.spi.decider import Facts
from batchrun.spi.facts import facts_frame
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl

_CONTEXT_KEY = re.compile(r"\bjob\.context\.(\w+)")


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """A condition with the exit code that it gives."""

    condition: Annotated[
        str,
        option("The condition.", format="expression", min_length=1, examples=["steps.load.write_count = 0"]),
    ] = msgspec.field(name="if")
    then: Annotated[str, option("The exit code where it holds.", min_length=1)]


class ExpressionOptions(Options, kw_only=True):
    """Options of the decider `expression`."""

    when: Annotated[list[Case], option("Conditions in order; the first that holds decides.", min_length=1)]
    otherwise: Annotated[str, option("The exit code where none of them holds.", min_length=1)]


def _schema(options: ExpressionOptions, columns: pl.Schema | None) -> pl.Schema | None:
    """Checks the conditions; a key of the job's context may be any, since any step may put it there."""
    if columns is None:
        return None
    found = [
        condition_problem(case.condition, with_context_keys(columns, case.condition), ("when", place, "if"))
        for place, case in enumerate(options.when)
    ]
    if problems := [each for each in found if isinstance(each, OptionsProblem)]:
        raise OptionsError(problems, columns)
    return columns


def with_context_keys(columns: pl.Schema, text: str) -> pl.Schema:
    """Returns the columns of facts with those keys of the job's context that an expression names."""
    import polars as pl

    keys = _CONTEXT_KEY.findall(text)
    context = {"context": pl.Struct(dict.fromkeys(keys, pl.Null()))}
    return pl.Schema({**columns, "job": pl.Struct(context)}) if keys else columns


SPEC = ComponentSpec(
    role="decider",
    name="expression",
    summary="Decides by conditions over parameters, counts and exit codes.",
    options=ExpressionOptions,
    example="""
type: expression
when:
  - {if: "execution.id > 1 AND execution.job_name <> 'trial'", then: AGAIN}
otherwise: FIRST
""",
    description=(
        "A condition is an SQL expression over what references name: `params.NAME`, `steps.NAME.write_count` and the "
        "other facts of a step, `job.context.KEY`, `execution.id`. The facts of a step that has not run are null; a "
        "condition that is null does not hold. A name with a hyphen stands in double quotes."
    ),
    schema=_schema,
    exit_codes=lambda options: list(dict.fromkeys([*(case.then for case in options.when), options.otherwise])),
)


@component(SPEC)
class ExpressionDecider:
    """Asks each condition of a frame of one row."""

    def __init__(self, options: ExpressionOptions, scope: ComponentScope) -> None:
        self._options = options
        self._scope = scope

    def decide(self, facts: Facts) -> str:
        """Returns the exit code of the first condition that holds.

        Raises:
            DecisionError: a condition fails, or is none.
        """
        holding = (case.then for case in self._options.when if self._holds(case.condition, facts))
        return next(holding, self._options.otherwise)

    def _holds(self, text: str, facts: Facts) -> bool:
        import polars as pl

        try:
            value = facts_frame(facts, _CONTEXT_KEY.findall(text)).select(parse(text)).item()
        except (ValueError, pl.exceptions.PolarsError) as error:
            raise DecisionError(self._scope.step_name, f"{text!r}: {first_line(error)}") from error
        if not isinstance(value, bool | None):
            raise DecisionError(self._scope.step_name, f"{text!r} is {value!r}, not a condition")
        return value is True
