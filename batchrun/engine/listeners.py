"""Calls the listeners at their points: before in order of registration, after and on in reverse order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from batchrun.spi.listener import Listener
from batchrun.spi.source import HeardListener

_log = logging.getLogger("batchrun.engine")

Call = Callable[[Listener], object]
"""Calls a listener at one point, such as `lambda each: each.before_job(execution)`."""


class Listeners:
    """The listeners of a job, or of one of its steps."""

    def __init__(self, listeners: Sequence[HeardListener] = ()) -> None:
        self._in_order = tuple(listeners)

    @classmethod
    def of(cls, listeners: Iterable[Listener]) -> Listeners:
        """Returns listeners whose exceptions fail what they listen to."""
        return cls([HeardListener(each) for each in listeners])

    def with_(self, more: Sequence[HeardListener]) -> Listeners:
        """Returns these and, behind them, more."""
        return Listeners((*self._in_order, *more)) if more else self

    def hears(self, *points: str) -> bool:
        """Tells whether any listener overrides one of the points."""
        return any(_overrides(heard.listener, point) for heard in self._in_order for point in points)

    def before(self, call: Call) -> None:
        """Calls all, in order of registration."""
        for heard in self._in_order:
            _called(heard, call)

    def after(self, call: Call) -> list[object]:
        """Calls all, in reverse order, and returns what they returned, but for None."""
        answers = [_called(heard, call) for heard in reversed(self._in_order)]
        return [answer for answer in answers if answer is not None]


def _overrides(listener: Listener, point: str) -> bool:
    return getattr(type(listener), point) is not getattr(Listener, point)


def _called(heard: HeardListener, call: Call) -> object:
    try:
        return call(heard.listener)
    except Exception as error:
        if not heard.is_lenient:
            raise
        _log.warning("listener %s: %s: %s", type(heard.listener).__name__, type(error).__name__, error)
        return None
