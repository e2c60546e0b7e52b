"""Calls a job's Python function: with the arguments of the job file, and with what it asks for by name."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from batchrun.components.stopping import call_interruptibly
from batchrun.errors import CallError
from batchrun.spi.scope import ComponentScope


class OfferingCall:
    """A function that is given, besides its arguments, what it has a parameter for.

    Args:
        reference: names the function, as `module:name`.
        arguments: what it always gets, by keyword.
        offered: the names of what it may ask for; besides `log` and `should_stop`.
        scope: loads the function, and tells whether to stop.

    Raises:
        CallError: the function does not take the arguments.
    """

    def __init__(
        self, reference: str, arguments: Mapping[str, Any], offered: Collection[str], scope: ComponentScope
    ) -> None:
        self._reference = reference
        self._arguments = arguments
        self._scope = scope
        self._function = scope.load(reference)
        signature = inspect.signature(self._function)
        names = {*offered, "log", "should_stop"} - set(arguments)
        self._wanted = names & set(signature.parameters)
        try:
            signature.bind(**arguments, **dict.fromkeys(self._wanted))
        except TypeError as error:
            way_out = f"give it under arguments:, or let the function ask for one of {', '.join(sorted(names))}"
            raise CallError(f"{reference} cannot be called with these arguments: {error}", hint=way_out) from error

    def __call__(self, offered: Mapping[str, Any]) -> Any:
        """Calls the function once; one that does not take `should_stop` is interrupted by a stop.

        Raises:
            CallError: it would end the process.
            StepStoppedError: it was interrupted.
        """
        offered = {**offered, "log": self._scope.log, "should_stop": self._scope.should_stop}
        given = {name: value for name, value in offered.items() if name in self._wanted}
        call = partial(self._function, **self._arguments, **given)
        try:
            if "should_stop" in self._wanted:
                return call()
            return call_interruptibly(call, self._scope.should_stop, self._warn)
        except SystemExit as error:  # else the process would end as the function says, and the job be forgotten
            called = f"{self._reference} called sys.exit({'' if error.code is None else repr(error.code)})"
            raise CallError(called, hint="return an exit code as a text, or raise an error") from error

    def _warn(self) -> None:
        self._scope.log.warning(
            "%s goes on although a stop was asked for; it is waited for. A function that takes `should_stop` can "
            "end sooner",
            self._reference,
        )
