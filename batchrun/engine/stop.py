"""The request to stop: set once, seen at the next commit."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

LOOK_SECONDS = 0.1
"""How long a wait lasts before it looks again.

Only the main thread runs the handlers of signals, and one that comes just as it begins to wait is not handled before
the wait ends. So the main thread never waits for long.
"""


class StopSignal:
    """Somebody wants the execution to stop; the engine finishes the chunk and ends STOPPED.

    Args:
        also: something else that asks for the stop, such as the signal of the run around this one.
    """

    def __init__(self, also: Callable[[], bool] = lambda: False) -> None:
        self._event = Event()
        self._also = also

    def request(self) -> None:
        """Asks for the stop; safe in a signal handler and from any thread."""
        self._event.set()

    @property
    def is_requested(self) -> bool:
        """Tells whether the stop has been asked for."""
        return self._event.is_set() or self._also()
