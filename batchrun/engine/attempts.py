"""What came of a job's steps so far: the attempts at each step's last visit, over all executions of the instance."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any

from batchrun.domain.execution import STEP_FACTS, Checkpoint, StepExecution


class Attempts:
    """Remembers them, so that neither a state of the flow nor a reference asks the repository.

    Args:
        step_names: all steps of the job.
        earlier: those that the repository has of the executions before this one, in order.
    """

    def __init__(self, step_names: Iterable[str] = (), earlier: Iterable[StepExecution] = ()) -> None:
        self._lock = Lock()
        self._by_name: dict[str, list[StepExecution]] = {name: [] for name in step_names}
        for step in earlier:
            self._by_name.setdefault(step.step_name, []).append(step)

    def add(self, step: StepExecution) -> None:
        """Adds an attempt that begins; one at another visit makes those before it forgotten."""
        with self._lock:
            same_visit = [each for each in self._by_name.get(step.step_name, ()) if each.visit == step.visit]
            self._by_name[step.step_name] = [*same_visit, step]

    def last(self, step_name: str, visit: int) -> StepExecution | None:
        """Returns the last attempt at a visit to the step, or None."""
        with self._lock:
            attempts = self._by_name.get(step_name)
        return attempts[-1] if attempts and attempts[-1].visit == visit else None

    def has_skipped(self, step: StepExecution) -> bool:
        """Tells whether this attempt or one that it continues has skipped an item: a rerun continues none."""
        with self._lock:
            attempts = self._by_name.get(step.step_name, ())
            return any(each.counts.skip for each in attempts if each.checkpoint.run == step.checkpoint.run)

    def correct(self, checkpoint: Checkpoint) -> None:
        """Gives the attempt that made a commit the counts that it had then."""
        with self._lock:
            for step in (each for attempts in self._by_name.values() for each in attempts):
                if step.number == checkpoint.attempt:
                    step.checkpoint, step.counts = checkpoint, checkpoint.counts.copy()

    def results(self) -> dict[str, dict[str, Any]]:
        """Returns the facts of every step by its name; counts are of its last visit, over all attempts at it."""
        with self._lock:
            return {name: _facts(attempts) for name, attempts in self._by_name.items()}


def _facts(attempts: list[StepExecution]) -> dict[str, Any]:
    if not attempts:
        return dict.fromkeys(STEP_FACTS)
    last = attempts[-1]
    counts = [step.counts.as_dict() for step in attempts]
    summed = {name: sum(each[name] for each in counts) for name in counts[0]}
    return {**summed, "status": last.status.name, "exit_code": last.exit_status.code, "visit": last.visit}
