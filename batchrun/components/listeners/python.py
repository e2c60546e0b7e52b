"""Listener `python`: functions of a Python file beside the job, decorated with the points they listen at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from batchrun.listeners import FunctionListener, functions_of
from batchrun.spi.listener import Listener
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsProblem, component, option


class PythonListenerOptions(Options):
    """Options of the listener `python`."""

    module: Annotated[
        str | None,
        option(
            "A file beside the job, without `.py`, or an installed module; all its decorated functions listen.",
            format="listeners",
        ),
    ] = None
    call: Annotated[str | None, option("One decorated function, as `module:name`.", format="listener")] = None

    def check(self) -> list[OptionsProblem]:
        """Checks that one of the two is given."""
        if (self.module is None) == (self.call is None):
            given = "neither 'module' nor 'call'" if self.module is None else "both 'module' and 'call'"
            return [OptionsProblem(f"the listener has {given}", (), "give one of them")]
        return []


SPEC = ComponentSpec(
    role="listener",
    name="python",
    summary="Calls decorated Python functions.",
    options=PythonListenerOptions,
    example="""
type: python
module: hooks
""",
    description=(
        "The decorators are named after the points and come from `batchrun.listeners`: `@before_job`, `@after_step`, "
        "`@on_skip` and so on. A function takes by name what it wants of what its point gives; also `log`, the step's "
        "logger, and where the commit waits for it `context`, the step's or at a point of the job the job's, which "
        "survives a restart. Any other name is an error of the file. At `after_step` it may return an exit code as a "
        "text, or an ExitStatus. Several functions of a module are called in its order, at `after` and `on` points in "
        "reverse."
    ),
)


@component(SPEC)
class PythonListener(Listener):
    """Stands for a listener for each function."""

    def __init__(self, options: PythonListenerOptions, scope: ComponentScope) -> None:
        if options.call is not None:
            found = {options.call: scope.load(options.call)}
        else:
            assert options.module is not None
            named = functions_of(scope.module(options.module))
            found = {f"{options.module}:{name}": function for name, function in named.items()}
        self._parts = [FunctionListener(function, name, scope) for name, function in found.items()]

    def parts(self) -> Sequence[Listener]:
        """Returns the functions' listeners, in the module's order."""
        return self._parts
