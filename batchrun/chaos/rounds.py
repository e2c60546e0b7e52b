"""A round: one run of the job on fresh copies, struck at its boundaries and restarted until it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from batchrun.chaos.boundaries import Blow, Strike
from batchrun.chaos.child import ChaosOrder, Outcome, run_order
from batchrun.chaos.comparison import Difference, Kind
from batchrun.copies.processes import ChildProcess, Processes

SHORT_LEASE = timedelta(milliseconds=200)
"""Of an owner that is to be suspended; its successor need not wait long."""

_GETS_GOING_SECONDS = 2.0
_LOOK_SECONDS = 0.005
_MOST_RESTARTS = 5


class Process(ChildProcess):
    """A process of a round."""

    def __init__(self, order: ChaosOrder) -> None:
        super().__init__(run_order, order)
        self.order = order

    @property
    def was_struck(self) -> bool:
        """Tells whether it has come to the boundary that is noted."""
        return self.order.note.exists()

    def wake(self) -> None:
        """Lets a suspended process go on."""
        os.kill(self.pid, signal.SIGCONT)


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

    order: ChaosOrder
    processes: Processes
    boundaries: list[str] = field(default_factory=list)
    kills: int = 0
    suspensions: int = 0
    restarts: int = 0
    found: list[Difference] = field(default_factory=list)
    _started: int = 0

    def undisturbed(self) -> Outcome:
        """Runs to the end; returns what came of it."""
        outcome = self._ended(self._start())
        assert outcome is not None
        return outcome

    def killed(self, numbers: Sequence[int]) -> Outcome:
        """Runs, is killed at the boundary of each process in turn, and restarted until it ends by itself."""
        for number in numbers:
            process = self._start(strike=Strike(number))
            outcome = self._ended(process)
            if outcome is not None:
                return self._checked(outcome)
            self.kills += 1
            self.restarts += 1
            self._remember(process)
        return self._checked(self._ended(self._start()))

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
                    return self._checked(self._ended(owner))
                time.sleep(_LOOK_SECONDS)
            self.suspensions += 1
            self._remember(owner)
            time.sleep(2 * SHORT_LEASE.total_seconds())
            successor = self._start(tell_at=wake_at, lease=SHORT_LEASE)
            self.restarts += 1
            self._let_go(successor)
            owner.wake()
            late, after = self._ended(owner), self._ended(successor)
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
        order = replace(self.order, number=self._started, strike=strike, tell_at=tell_at, lease=lease)
        return self.processes.start(Process(order))

    def _ended(self, process: Process) -> Outcome | None:
        """Waits for a process's end; returns what came of it, None where it was killed at its boundary."""
        code = self.processes.exit_code(process)
        if code == -signal.SIGKILL and process.was_struck:
            return None
        facts = process.order.kept()
        if facts is None:
            return Outcome([], error=f"the process ended with {code}", is_defect=True)
        return Outcome(**facts)

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
            outcome = self._ended(self._start())
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
