"""Watches for the request to stop on behalf of a call that waits and cannot ask for itself."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType

POLL_SECONDS = 0.1


class StopWatch:
    """Acts, on a thread of its own, once a stop is asked for while the block is at work; and again until it ends.

    Acting again is for what may miss: an interrupt that comes a moment before the statement begins does nothing.

    Attributes:
        has_acted: the action took effect at least once; steady once the block has ended.
    """

    def __init__(self, should_stop: Callable[[], bool], act: Callable[[], bool]) -> None:
        """Prepares the watch.

        Args:
            should_stop: tells whether a stop has been asked for.
            act: ends the call from another thread; returns whether it could; never called once the block has ended.
        """
        self.has_acted = False
        self._should_stop = should_stop
        self._act = act
        self._over = Event()
        self._acting = Lock()
        self._thread = Thread(target=self._watch, name="batchrun-stop-watch", daemon=True)

    def __enter__(self) -> StopWatch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        with self._acting:  # an action under way has ended before the block has
            pass

    def _watch(self) -> None:
        while not self._over.is_set():
            if self._should_stop():
                with self._acting:
                    if not self._over.is_set():
                        self.has_acted = self._act() or self.has_acted
            self._over.wait(POLL_SECONDS)
