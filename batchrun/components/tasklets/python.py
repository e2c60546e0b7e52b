"""Tasklet `python`: a function of a Python file beside the job as a step's body."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

from batchrun.domain.status import ExitStatus
from batchrun.errors import TaskletError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution


class PythonTaskletOptions(Options):
    """Options of the tasklet `python`."""

    call: Annotated[
        str,
        option("The function, as `module:name`; a file beside the job comes first.", format="reference", min_length=1),
    ]
    arguments: Annotated[dict[str, Any], option("Keyword arguments of the call.")] = {}


SPEC = ComponentSpec(
    role="tasklet",
    name="python",
    summary="Calls a Python function.",
    options=PythonTaskletOptions,
    example="""
type: python
call: "housekeeping:tidy"
arguments: {folder: /data/incoming, keep_days: 7}
""",
    capabilities=Capabilities(restartable=True),
    description=(
        "The function gets the arguments by keyword, and the step's contribution where it has a parameter of the name "
        "`contribution`: its `context` survives a restart, its `counts` show in the history. It returns nothing, an "
        "exit code as a text, an ExitStatus, or a RepeatStatus; CONTINUABLE has it called again. A call that did not "
        "return is made again by a restart: at least once."
    ),
)

_CONTRIBUTION = "contribution"


@component(SPEC)
class PythonTasklet:
    """Calls a function with keyword arguments."""

    def __init__(self, options: PythonTaskletOptions, scope: ComponentScope) -> None:
        self._reference = options.call
        self._arguments = options.arguments
        self._scope = scope

    def open(self) -> CheckpointStore | None:
        """Loads the function; it has no transaction.

        Raises:
            TaskletError: the function does not take the arguments.
        """
        self._function = self._scope.load(self._reference)
        signature = inspect.signature(self._function)
        self._wants_contribution = _CONTRIBUTION in signature.parameters
        given = {**self._arguments, **({_CONTRIBUTION: None} if self._wants_contribution else {})}
        try:
            signature.bind(**given)
        except TypeError as error:
            raise TaskletError(f"{self._reference} cannot be called with these arguments: {error}") from error
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Calls the function once."""
        extra = {_CONTRIBUTION: contribution} if self._wants_contribution else {}
        try:
            result = self._function(**self._arguments, **extra)
        except SystemExit as error:  # else the process would end as the function says, and the job be forgotten
            called = f"{self._reference} called sys.exit({'' if error.code is None else repr(error.code)})"
            raise TaskletError(called, hint="return an exit code as a text, or raise an error") from error
        if isinstance(result, RepeatStatus):
            return result
        if isinstance(result, str):
            result = ExitStatus(result)
        if isinstance(result, ExitStatus):
            contribution.exit_status = result
        elif result is not None:
            raise TaskletError(
                f"{self._reference} returned {type(result).__name__}",
                hint="return None, an exit code as a text, an ExitStatus or a RepeatStatus",
            )
        return RepeatStatus.FINISHED

    def close(self) -> None:
        """Has nothing to give back."""
