"""Decider `python`: a function of a Python file beside the job returns the exit code."""

from __future__ import annotations

from typing import Annotated, Any

from batchrun.components.calls import OfferingCall
from batchrun.domain.status import ExitStatus
from batchrun.spi.decider import Facts
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, component, option

_OFFERED = ("params", "steps", "execution", "context")


class PythonDeciderOptions(Options):
    """Options of the decider `python`."""

    call: Annotated[
        str,
        option("The function, as `module:name`; a file beside the job comes first.", format="reference", min_length=1),
    ]
    arguments: Annotated[dict[str, Any], option("Keyword arguments of the call.")] = {}


SPEC = ComponentSpec(
    role="decider",
    name="python",
    summary="Decides by a Python function.",
    options=PythonDeciderOptions,
    example="""
type: python
call: "routes:way_of"
arguments: {least: 100}
""",
    description=(
        "The function gets the arguments by keyword. Where it has a parameter of one of these names, it gets besides: "
        "`params`, the job's parameters by name; `steps`, the facts of each step by its name, as in "
        "`steps['load']['write_count']`, None where it has not run; `execution`, with `id`, `instance_id` and "
        "`job_name`; `context`, the job's context; `log`, the decision's logger; `should_stop`, a function that tells "
        "whether a stop was asked for. It returns an exit code as a text, or an ExitStatus."
    ),
)


@component(SPEC)
class PythonDecider:
    """Calls its function once."""

    def __init__(self, options: PythonDeciderOptions, scope: ComponentScope) -> None:
        self._options = options
        self._scope = scope

    def decide(self, facts: Facts) -> str | ExitStatus:
        """Returns what the function returns; that it is an exit code is the engine's to see.

        Raises:
            CallError: the function does not take the arguments, or would end the process.
            StepStoppedError: it was interrupted by a stop.
        """
        call = OfferingCall(self._options.call, self._options.arguments, _OFFERED, self._scope)
        answer: str | ExitStatus = call({**facts, "context": facts["job"]["context"]})
        return answer
