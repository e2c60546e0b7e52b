"""The request to stop: set once, seen at the next commit."""

from __future__ import annotations

from threading import Event


class StopSignal:
    """Somebody wants the execution to stop; the engine finishes the chunk and ends STOPPED."""

    def __init__(self) -> None:
        self._event = Event()

    def request(self) -> None:
        """Asks for the stop; safe in a signal handler and from any thread."""
        self._event.set()

    @property
    def is_requested(self) -> bool:
        """Tells whether the stop has been asked for."""
        return self._event.is_set()
