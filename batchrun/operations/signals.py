"""Signals that ask a run in this process to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from batchrun.engine import StopSignal

STOPPING = (signal.SIGINT, signal.SIGTERM)
AGAIN_SECONDS = 0.02
_NONE = -1

_log = logging.getLogger("batchrun.operations")


@contextmanager
def stopped_by_signals(stop: StopSignal) -> Iterator[None]:
    """Lets SIGINT and SIGTERM ask for the stop, and a SIGINT after either of them abort; only in the main thread.

    One that is ignored stays so, as SIGINT is where a shell's script runs the job behind `&`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]
    ear = _Ear(stop)
    before = {number: signal.signal(number, ear.in_main_thread) for number in heeded}
    try:
        with ear.listening():
            yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


class _Ear:
    """Hears of signals on a thread of its own: Python's handlers wait until the main thread is back from a driver."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._has_heard = False
        self._aborts = 0
        self._own = 0
        self._main = threading.get_ident()

    def in_main_thread(self, _number: int, _frame: FrameType | None) -> None:
        """Aborts where that has been decided; handlers of signals run in the main thread."""
        if self._aborts:
            self._aborts -= 1
            raise KeyboardInterrupt

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listens to the pipe that each signal writes its number to."""
        told, tells = socket.socketpair()
        tells.setblocking(False)
        former = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
        thread = threading.Thread(target=self._listen, args=(told, former), name="batchrun-signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(former)
            tells.close()
            self._aborts = 0
            thread.join()
            told.close()

    def _listen(self, told: socket.socket, former: int) -> None:
        while number := told.recv(1):
            if self._own and number[0] == signal.SIGINT:
                self._own -= 1
                continue
            if number[0] in STOPPING:
                self._hear(number[0])
            if former != _NONE:
                with suppress(OSError):
                    os.write(former, number)

    def _hear(self, number: int) -> None:
        if self._has_heard and number == signal.SIGINT:
            self._abort()
        elif not self._has_heard:
            self._has_heard = True
            if not self._stop.is_requested:
                _log.warning("stopping at the next commit; Ctrl-C again aborts at once")
            self._stop.request()

    def _abort(self) -> None:
        """Has the handler run until it aborts: it may have run before that was decided, or just before a long wait."""
        self._aborts += 1
        while self._aborts:
            self._own += 1
            signal.pthread_kill(self._main, signal.SIGINT)
            time.sleep(AGAIN_SECONDS)
