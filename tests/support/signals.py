"""A signal that another thread gets: its handler runs in the main thread, and only once that does not wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def signalled(seconds: float = 5) -> Iterator[Callable[[], bool]]:
    """Gives a function that signals its own thread, waits, and tells whether the main thread has handled it."""
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: handled.set())

    def signal_this_thread() -> bool:
        handled.wait(0.3)  # meanwhile the main thread comes to wait, and nothing else tells when it does
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return handled.wait(seconds)

    try:
        yield signal_this_thread
    finally:
        signal.signal(signal.SIGUSR1, before)
