"""Decorators that make functions of a Python file beside a job into listeners: `from batchrun.listeners import …`.

    @after_step
    def tell(step, log):
        log.info("%s wrote %s items", step.step_name, step.counts.write)

Each is named after its point of `batchrun.spi.Listener`. The function takes by name what it wants of what the point
gives; one that wants something else is refused when it is decorated, and so when its file is validated.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from types import ModuleType
from typing import Any, TypeVar

from batchrun.domain.status import ExitStatus
from batchrun.errors import did_you_mean
from batchrun.spi.listener import Listener
from batchrun.spi.scope import ComponentScope, log_of

__all__ = [
    "after_chunk",
    "after_job",
    "after_process",
    "after_read",
    "after_step",
    "after_write",
    "before_chunk",
    "before_job",
    "before_process",
    "before_read",
    "before_step",
    "before_write",
    "on_chunk_error",
    "on_filter",
    "on_process_error",
    "on_read_error",
    "on_retry",
    "on_skip",
    "on_step_skipped",
    "on_write_error",
]

_MARK = "__batchrun_points__"

_AHEAD = ("_read", "_process", "_filter", "_retry", "_read_error", "_process_error", "_step_skipped")
"""Ends of the points that may come ahead of the commit, or without an attempt; they give no context."""

Function = TypeVar("Function", bound=Callable[..., Any])


def given_at(point: str) -> tuple[str, ...]:
    """Returns the names of what a point gives to a decorated function."""
    arguments = tuple(inspect.signature(getattr(Listener, point)).parameters)[1:]
    return (*arguments, "log") if point.endswith(_AHEAD) else (*arguments, "context", "log")


def _decorator(point: str) -> Callable[[Function], Function]:
    given = given_at(point)

    def decorate(function: Function) -> Function:
        _refuse_unknown(function, point, given)
        setattr(function, _MARK, (*getattr(function, _MARK, ()), point))
        return function

    decorate.__name__ = decorate.__qualname__ = point
    decorate.__doc__ = f"Has the function called at the point `{point}`; it may take {', '.join(given)}."
    return decorate


def _refuse_unknown(function: Callable[..., Any], point: str, given: tuple[str, ...]) -> None:
    name = getattr(function, "__name__", repr(function))
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} is a coroutine, and {point} calls functions; define it without async")
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.POSITIONAL_ONLY or parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError(f"{name} takes {parameter.name!r} by place, and {point} gives everything by name")
        is_free = parameter.kind is parameter.VAR_KEYWORD or parameter.default is not parameter.empty
        if parameter.name not in given and not is_free:
            near = did_you_mean(parameter.name, given)
            told = near or f"it gives {', '.join(given)}"
            raise TypeError(f"{point} does not give {name} a {parameter.name!r}; {told}")


before_job = _decorator("before_job")
after_job = _decorator("after_job")
before_step = _decorator("before_step")
after_step = _decorator("after_step")
on_step_skipped = _decorator("on_step_skipped")
before_chunk = _decorator("before_chunk")
after_chunk = _decorator("after_chunk")
on_chunk_error = _decorator("on_chunk_error")
before_read = _decorator("before_read")
after_read = _decorator("after_read")
on_read_error = _decorator("on_read_error")
before_process = _decorator("before_process")
after_process = _decorator("after_process")
on_filter = _decorator("on_filter")
on_process_error = _decorator("on_process_error")
before_write = _decorator("before_write")
after_write = _decorator("after_write")
on_write_error = _decorator("on_write_error")
on_skip = _decorator("on_skip")
on_retry = _decorator("on_retry")


def points_of(function: object) -> tuple[str, ...]:
    """Returns the points that a function is decorated with; none for anything else."""
    return getattr(function, _MARK, ()) if inspect.isfunction(function) else ()


def functions_of(module: ModuleType) -> Mapping[str, Callable[..., Any]]:
    """Returns the decorated functions of a module by name, in its order; those that it imports are among them."""
    return {name: each for name, each in vars(module).items() if points_of(each)}


class FunctionListener(Listener):
    """One decorated function, at its points and no other."""

    def __init__(self, function: Callable[..., Any], name: str, scope: ComponentScope) -> None:
        self._function = function
        self._name = name
        for point in points_of(function):
            setattr(self, point, partial(self._call, _takes(function, point, scope)))

    def __str__(self) -> str:
        """Returns `module:function`."""
        return self._name

    def _call(self, takes: Mapping[str, _Get], *arguments: Any) -> ExitStatus | None:
        """Calls the function with what it takes of a point's arguments."""
        answer = self._function(**{name: get(arguments) for name, get in takes.items()})
        return ExitStatus(answer) if isinstance(answer, str) else answer


_Get = Callable[[Sequence[Any]], Any]
"""Gets one of the things that a point gives, from the arguments that Listener has for it."""


def _takes(function: Callable[..., Any], point: str, scope: ComponentScope) -> dict[str, _Get]:
    """Returns what a function takes of a point, by name."""
    given = given_at(point)
    getters: dict[str, _Get] = {name: itemgetter(place) for place, name in enumerate(given)}
    if "step" in given:
        own = {"context": lambda arguments: arguments[1].context, "log": lambda arguments: log_of(scope, arguments[1])}
    else:
        own = {"context": lambda arguments: arguments[0].context, "log": lambda _: log_of(scope, None)}
    getters |= {name: get for name, get in own.items() if name in given}
    parameters = inspect.signature(function).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return {name: get for name, get in getters.items() if takes_all or name in parameters}
