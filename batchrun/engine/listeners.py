"""Calls the listeners at their points: before in order of registration, after and on in reverse order.

A listener that does not override a point is not called there and costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Concatenate, ParamSpec

from batchrun.domain.status import ExitStatus
from batchrun.errors import FencedError, ListenerError, RepositoryError
from batchrun.spi.listener import Listener
from batchrun.spi.source import HeardListener

_log = logging.getLogger("batchrun.engine")

Arguments = ParamSpec("Arguments")
Point = Callable[Concatenate[Listener, Arguments], object]
"""A point, as the method that Listener has for it: `Listener.before_job`."""


class Listeners:
    """The listeners of a job, or of one of its steps."""

    def __init__(self, listeners: Sequence[HeardListener] = ()) -> None:
        self._in_order = tuple(listeners)
        self._hearing: dict[str, tuple[HeardListener, ...]] = {}

    @classmethod
    def of(cls, listeners: Iterable[Listener]) -> Listeners:
        """Returns listeners whose exceptions fail what they listen to."""
        return cls([HeardListener(each) for each in listeners])

    def with_(self, more: Sequence[HeardListener]) -> Listeners:
        """Returns these and, behind them, more."""
        return Listeners((*self._in_order, *more)) if more else self

    def hears(self, *points: Point[...]) -> bool:
        """Tells whether any listener overrides one of the points."""
        return any(self._at(point) for point in points)

    def before(self, point: Point[Arguments], *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        """Calls them in order of registration, up to one that fails.

        Raises:
            ListenerError: it did.
        """
        for heard in self._at(point):
            _called(heard, point, arguments, named)

    def after(self, point: Point[Arguments], *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        """Calls all in reverse order, those behind one that fails too.

        Raises:
            ListenerError: one failed; the first to do so.
        """
        failures = [each for each in self.answers(point, *arguments, **named) if isinstance(each, ListenerError)]
        if failures:
            raise failures[0]

    def answers(
        self, point: Point[Arguments], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Iterator[ExitStatus | ListenerError | None]:
        """Calls all in reverse order, and yields what each said of the exit, or its failure, before the next is called.

        Only `after_step` says anything of it.
        """
        for heard in reversed(self._at(point)):
            try:
                answer = _called(heard, point, arguments, named)
            except ListenerError as failure:
                yield failure
            else:
                yield answer

    def on_error(self, point: Point[Arguments], *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        """Tells all of an error, in reverse order; one that fails at that is logged, and does not hide the error."""
        for answer in self.answers(point, *arguments, **named):
            if isinstance(answer, ListenerError):
                _log.warning("%s", answer)

    def _at(self, point: Point[...]) -> tuple[HeardListener, ...]:
        name = point.__name__
        if name not in self._hearing:
            self._hearing[name] = tuple(each for each in self._in_order if _overrides(each.listener, name))
        return self._hearing[name]


def _overrides(listener: Listener, point: str) -> bool:
    """Tells whether a listener has its own of a point, be it its class's or one that was given to it alone."""
    return getattr(getattr(listener, point), "__func__", None) is not getattr(Listener, point)


def _called(
    heard: HeardListener, point: Point[...], arguments: tuple[Any, ...], named: dict[str, Any]
) -> ExitStatus | None:
    """Calls one listener; what it raises becomes a ListenerError, or a warning where the listener is lenient."""
    try:
        answer = getattr(heard.listener, point.__name__)(*arguments, **named)
        return _exit_status(answer) if point is Listener.after_step else None
    except (FencedError, RepositoryError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit in the user's code must not end the process as if all were well
        failure = ListenerError.at(point.__name__, heard.listener, error)
        if not heard.is_lenient:
            raise failure from error
        _log.warning("%s", failure)
        return None


def _exit_status(answer: object) -> ExitStatus | None:
    if answer is None or isinstance(answer, ExitStatus):
        return answer
    raise TypeError(f"it returned {answer!r}, where an ExitStatus or None is expected")
