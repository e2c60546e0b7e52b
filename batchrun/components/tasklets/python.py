"""Tasklet `python`: a function of a Python file beside the job as a step's body."""

from __future__ import annotations

from typing import Annotated, Any

from batchrun.components.calls import OfferingCall
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
        "The function gets the arguments by keyword. Where it has a parameter of one of these names, it gets besides: "
        "`context`, a dictionary that is saved after the call and survives a restart; `contribution`, which holds the "
        "context and the `counts` that show in the history; `log`, the step's logger; `should_stop`, a function that "
        "tells whether a stop was asked for. It returns nothing, an exit code as a text, an ExitStatus, or a "
        "RepeatStatus; CONTINUABLE has it called again, unless a stop was asked for: then a restart does. At a stop, "
        "one that does not take `should_stop` is interrupted as by Ctrl-C. A call that did not return is made again by "
        "a restart: at least once."
    ),
)


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
            CallError: the function does not take the arguments.
        """
        self._call = OfferingCall(self._reference, self._arguments, ("context", "contribution"), self._scope)
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Calls the function once.

        Raises:
            TaskletError: it returned what means nothing.
            CallError: it would end the process.
            StepStoppedError: it was interrupted by a stop.
        """
        result = self._call({"context": contribution.context, "contribution": contribution})
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
