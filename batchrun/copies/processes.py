"""The processes that run a job on copies: made by a server that has imported what they need, ended all at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from threading import Lock
from typing import Any, TypeVar

from batchrun.copies.child import OF_COPIES, SAFE_PATH

_PRELOADED = (
    "sqlite3",
    "polars",
    "jsonschema",
    "yaml",
    "adbc_driver_sqlite.dbapi",
    "sqlalchemy.dialects.sqlite",
    "psycopg",
    "pgpq",
    "arro3.core",
    "batchrun.copies.application",
    "batchrun.definition.stored",
    "batchrun.engine",
    "batchrun.operations.signals",
    "batchrun.operations.operator",
    "batchrun.operations.execution_log",
    "batchrun.operations.reject_operator",
    "batchrun.repository.sql",
    "batchrun.components.readers.csv",
    "batchrun.components.readers.query",
    "batchrun.components.writers.table",
    "batchrun.components.writers.csv",
    "batchrun.components.tasklets.sql",
    "batchrun.components.rejects.json_lines",
)
_SHORT_FOLDER = "/tmp"
"""Where the server listens: the path of a socket has 107 bytes on Linux and 103 on macOS, and TMPDIR may be longer."""

_INTERRUPTING = (signal.SIGINT, signal.SIGTERM)

_process_lock = Lock()  # multiprocessing looks after all children in each call, and not for several threads at once


class NoMoreProcessesError(Exception):
    """The program is to end, and no process is started any more."""


class ChildProcess:
    """A process made by a server that has imported what it needs, and never by forking this program."""

    def __init__(self, body: Callable[[Any], None], order: Any) -> None:
        """Starts nothing yet; `body` is called with the order in the process."""
        context = multiprocessing.get_context("forkserver")
        self._process: ForkServerProcess = context.Process(target=body, args=(order,), daemon=True)

    @property
    def pid(self) -> int:
        """Its id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Tells whether it has."""
        return bool(wait([self._process.sentinel], 0))

    def start(self) -> None:
        """Starts it; `Processes.start` does so under its lock."""
        self._process.start()

    def exit_code(self) -> int | None:
        """Waits for its end; returns what it has ended with, the number of a signal below zero."""
        wait([self._process.sentinel])
        with _process_lock:
            self._process.join()
            return self._process.exitcode

    def kill(self) -> None:
        """Ends it, if it is still there."""
        with _process_lock:
            if self._process.is_alive():
                self._process.kill()


P = TypeVar("P", bound=ChildProcess)


class Processes:
    """Starts processes, and can end them all."""

    def __init__(self, *preloaded: str) -> None:
        """Starts the server; `preloaded` are modules that it is to import besides what all need."""
        _start_server(preloaded)
        self._alive: set[ChildProcess] = set()
        self._is_over = False

    def start(self, process: P) -> P:
        """Starts a process that has not been started, and returns it.

        Raises:
            NoMoreProcessesError: no more are to be started.
        """
        with _process_lock:
            if self._is_over:
                raise NoMoreProcessesError
            process.start()
            self._alive.add(process)
            return process

    def exit_code(self, process: ChildProcess) -> int | None:
        """Waits for the end of a process, which need not be killed from here on."""
        code = process.exit_code()
        self._alive.discard(process)
        return code

    def kill_all(self) -> None:
        """Kills what is there, and lets nothing start any more."""
        with _process_lock:
            self._is_over = True
        for process in tuple(self._alive):
            process.kill()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets the exceptions that SIGINT and SIGTERM raise in the main thread wait until the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    # Other threads have none of the main thread's mask, so it takes handlers.
    before = {number: signal.signal(number, lambda each, _frame: came.append(each)) for number in _INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])


def _start_server(preloaded: tuple[str, ...]) -> None:
    """Starts the server of processes; it must not take a file of the current folder for a module that it imports.

    Ctrl-C goes to it too, and would end its imports with a traceback: it has SIGINT blocked.
    """
    forkserver.set_forkserver_preload([*_PRELOADED, *preloaded])
    is_set, folder = SAFE_PATH in os.environ, tempfile.tempdir
    os.environ.setdefault(SAFE_PATH, OF_COPIES)
    if os.access(_SHORT_FOLDER, os.W_OK | os.X_OK):
        tempfile.tempdir = _SHORT_FOLDER
    resource_tracker.ensure_running()  # which unblocks SIGINT
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        tempfile.tempdir = folder
        if not is_set:
            del os.environ[SAFE_PATH]
