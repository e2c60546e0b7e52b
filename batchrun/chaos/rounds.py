"""A round: one run of the job on fresh copies, struck at its boundaries and restarted until it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from threading import Lock

from batchrun.chaos.boundaries import Blow, Strike
from batchrun.chaos.child import OF_CHAOS, SAFE_PATH, Order, Outcome, run_order
from batchrun.chaos.comparison import Difference, Kind

SHORT_LEASE = timedelta(milliseconds=200)
"""Of an owner that is to be suspended; its successor need not wait long."""

_GETS_GOING_SECONDS = 2.0
_LOOK_SECONDS = 0.005
_MOST_RESTARTS = 5
_PRELOADED = (
    "sqlite3",
    "polars",
    "jsonschema",
    "yaml",
    "adbc_driver_sqlite.dbapi",
    "sqlalchemy.dialects.sqlite",
    "batchrun.chaos.application",
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
    "batchrun.chaos.child",
)
_SHORT_FOLDER = "/tmp"
"""Where the server listens: the path of a socket has 107 bytes on Linux and 103 on macOS, and TMPDIR may be longer."""

_process_lock = Lock()  # multiprocessing looks after all children in each call, and not for several threads at once


class Processes:
    """Starts the processes of all rounds of a trial, and can end them all."""

    def __init__(self) -> None:
        _start_server()
        self._alive: set[Process] = set()
        self._is_over = False

    def start(self, order: Order) -> Process:
        """Starts a process.

        Raises:
            TrialOverError: no more are to be started.
        """
        with _process_lock:
            if self._is_over:
                raise TrialOverError
            process = Process(order)
            self._alive.add(process)
            return process

    def ended(self, process: Process) -> Outcome | None:
        """Waits for a process's end; returns what came of it, None where it was killed at its boundary."""
        outcome = process.ended()
        self._alive.discard(process)
        return outcome

    def kill_all(self) -> None:
        """Kills what is there, and lets nothing start any more."""
        with _process_lock:
            self._is_over = True
        for process in tuple(self._alive):
            process.kill()


def _start_server() -> None:
    """Starts the server of processes; it must not take a file of the current folder for a module that it imports."""
    forkserver.set_forkserver_preload(list(_PRELOADED))
    is_set, folder = SAFE_PATH in os.environ, tempfile.tempdir
    os.environ.setdefault(SAFE_PATH, OF_CHAOS)
    if os.access(_SHORT_FOLDER, os.W_OK | os.X_OK):
        tempfile.tempdir = _SHORT_FOLDER
    try:
        forkserver.ensure_running()
    finally:
        tempfile.tempdir = folder
        if not is_set:
            del os.environ[SAFE_PATH]


class TrialOverError(Exception):
    """The program is to end, and no process is started any more."""


class Process:
    """A process of a round, made by a server that has imported what it needs, and never by forking this program."""

    def __init__(self, order: Order) -> None:
        """Starts the process; the lock is held."""
        self.order = order
        context = multiprocessing.get_context("forkserver")
        self._process: ForkServerProcess = context.Process(target=run_order, args=(order,), daemon=True)
        self._process.start()

    @property
    def was_struck(self) -> bool:
        """Tells whether it has come to the boundary that is noted."""
        return self.order.note.exists()

    @property
    def has_ended(self) -> bool:
        """Tells whether it has."""
        return bool(wait([self._process.sentinel], 0))

    def wake(self) -> None:
        """Lets a suspended process go on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def ended(self) -> Outcome | None:
        """Waits for its end; returns what came of it, None where it was killed."""
        wait([self._process.sentinel])
        with _process_lock:
            self._process.join()
            code = self._process.exitcode
        if code == -signal.SIGKILL and self.was_struck:
            return None
        return Outcome.read(self.order.outcome) or Outcome([], error=f"the process ended with {code}", is_defect=True)

    def kill(self) -> None:
        """Ends it, if it is still there."""
        with _process_lock:
            if self._process.is_alive():
                self._process.kill()


@dataclass(slots=True)
class Round:
    """One run on fresh copies.

    Attributes:
        order: what its processes do, where nothing strikes them.
        processes: starts them.
        boundaries: at which they were struck, in words.
        kills: how many were killed.
        suspensions: how many were suspended.
        restarts: how many followed after those.
        found: what went wrong on the way.
    """

    order: Order
    processes: Processes
    boundaries: list[str] = field(default_factory=list)
    kills: int = 0
    suspensions: int = 0
    restarts: int = 0
    found: list[Difference] = field(default_factory=list)
    _started: int = 0

    def undisturbed(self) -> Outcome:
        """Runs to the end; returns what came of it."""
        outcome = self.processes.ended(self._start())
        assert outcome is not None
        return outcome

    def killed(self, numbers: Sequence[int]) -> Outcome:
        """Runs, is killed at the boundary of each process in turn, and restarted until it ends by itself."""
        for number in numbers:
            process = self._start(strike=Strike(number))
            outcome = self.processes.ended(process)
            if outcome is not None:
                return self._checked(outcome)
            self.kills += 1
            self.restarts += 1
            self._remember(process)
        return self._checked(self.processes.ended(self._start()))

    def suspended(self, number: int, wake_at: int | None) -> Outcome:
        """Runs, is suspended, and wakes when its successor has begun, or has come to its end.

        Args:
            number: the boundary of the first process at which it is suspended.
            wake_at: the boundary of the successor at which it wakes; None at its end.
        """
        owner = self._start(strike=Strike(number, Blow.SUSPEND), lease=SHORT_LEASE)
        try:
            while not owner.was_struck:
                if owner.has_ended:
                    return self._checked(self.processes.ended(owner))
                time.sleep(_LOOK_SECONDS)
            self.suspensions += 1
            self._remember(owner)
            time.sleep(2 * SHORT_LEASE.total_seconds())
            successor = self._start(tell_at=wake_at, lease=SHORT_LEASE)
            self.restarts += 1
            self._let_go(successor)
            owner.wake()
            late, after = self.processes.ended(owner), self.processes.ended(successor)
        finally:
            owner.kill()
        assert late is not None
        outcome = self._finished(after)
        self._check_fenced(late, outcome)
        return outcome

    def _start(
        self, *, strike: Strike | None = None, tell_at: int | None = None, lease: timedelta | None = None
    ) -> Process:
        self._started += 1
        return self.processes.start(
            replace(self.order, number=self._started, strike=strike, tell_at=tell_at, lease=lease)
        )

    def _remember(self, process: Process) -> None:
        self.boundaries.append(process.order.note.read_text(encoding="utf-8"))

    def _let_go(self, successor: Process) -> None:
        """Waits until a successor has got going, or cannot because of a lock that the owner holds."""
        deadline = time.monotonic() + _GETS_GOING_SECONDS
        while not (successor.has_ended or successor.was_struck) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    def _finished(self, outcome: Outcome | None) -> Outcome:
        """Restarts what failed because the suspended owner held a lock, until it has completed."""
        restarts = 0
        while outcome is not None and not outcome.is_defect and outcome.status != "COMPLETED":
            if restarts == _MOST_RESTARTS:
                break
            restarts += 1
            self.restarts += 1
            outcome = self.processes.ended(self._start())
        return self._checked(outcome)

    def _checked(self, outcome: Outcome | None) -> Outcome:
        assert outcome is not None
        if outcome.error:
            self.found.append(Difference(Kind.REPAIR, "restart", f"it would need a repair by hand: {outcome.error}"))
        return outcome

    def _check_fenced(self, late: Outcome, outcome: Outcome) -> None:
        """Makes sure that the woken owner has been fenced off, unless all its work had been done before."""
        has_successor = outcome.executions > 1 and late.execution_id not in (None, outcome.execution_id)
        if has_successor and not late.error:
            message = f"the suspended owner was not fenced off: it ended {late.status}"
            self.found.append(Difference(Kind.FENCE, f"execution {late.execution_id}", message))
        if late.is_defect:
            self.found.append(Difference(Kind.FENCE, "suspended owner", f"it ended with a defect: {late.error}"))
