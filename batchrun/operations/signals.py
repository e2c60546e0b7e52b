"""Signals that ask a run in this process to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from batchrun.engine import StopSignal

STOPPING = (signal.SIGINT, signal.SIGTERM)

_log = logging.getLogger("batchrun.operations")


@contextmanager
def stopped_by_signals(stop: StopSignal) -> Iterator[None]:
    """Lets SIGINT and SIGTERM ask for the stop, and a SIGINT after either of them abort; only in the main thread.

    One that is ignored stays so, as SIGINT is where a shell's script runs the job behind `&`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _handled(_SecondAborts()), _heard(stop):
        yield


class _SecondAborts:
    """The handler of the main thread: leaves the first signal to whoever hears it, and aborts at a later SIGINT."""

    def __init__(self) -> None:
        self._is_second = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._is_second:
            raise KeyboardInterrupt
        self._is_second = True


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    heeded = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


@contextmanager
def _heard(stop: StopSignal) -> Iterator[None]:
    """Has a thread hear of signals at once: a handler waits until the main thread is back from a driver's call."""
    told, tells = socket.socketpair()
    tells.setblocking(False)
    former = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)

    def hear() -> None:
        while number := told.recv(1):
            if number[0] in STOPPING:
                if not stop.is_requested:
                    _log.warning("stopping at the next commit; Ctrl-C again aborts at once")
                stop.request()
            if former != -1:
                with suppress(OSError):
                    os.write(former, number)

    thread = threading.Thread(target=hear, name="batchrun-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        tells.close()
        thread.join()
        told.close()
