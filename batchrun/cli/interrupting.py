"""Ctrl-C where nothing of a run can be lost: the process ends by the signal, or when its copies are removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def killed_by_sigint() -> Iterator[None]:
    """Leaves SIGINT to the system: an import may lose a KeyboardInterrupt, or make another error of it."""
    is_pythons = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if is_pythons:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if is_pythons:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def on_copies() -> Iterator[None]:
    """Surrounds work on copies, which are removed after SIGTERM as after Ctrl-C.

    Raises:
        KeyboardInterrupt: one of both came; says that nothing else has changed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("aborted; the copies are removed, and nothing else was changed") from None
