"""Signals that ask a run in this process to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from batchrun.engine import StopSignal

_log = logging.getLogger("batchrun.operations")


@contextmanager
def stopped_by_signals(stop: StopSignal) -> Iterator[None]:
    """Lets SIGINT and SIGTERM ask for the stop, the second SIGINT abort; only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and stop.is_requested:
            raise KeyboardInterrupt
        stop.request()
        # The handler may have interrupted a thread that holds the log's lock, so another thread says it.
        threading.Thread(
            target=_log.warning, args=("stopping at the next commit; Ctrl-C again aborts at once",)
        ).start()

    before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
