"""What chunk and tasklet work share: the checkpoint, its transaction, and the two orders of exactly once.

*Taking over*: the higher token is in the target's row before the position is read, and the repository is asked once
more who owns the execution before anything in the target is touched. *Cleaning up*: the target's row goes only after
the repository has the step COMPLETED (DESIGN section 5).
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from batchrun.domain.execution import Checkpoint, JsonObject, StepExecution
from batchrun.domain.status import COMPLETED, COMPLETED_WITH_SKIPS, EXECUTING, BatchStatus
from batchrun.engine.ending import Ending, stopped
from batchrun.engine.lease import LEASE
from batchrun.engine.listeners import Listeners
from batchrun.engine.stop import LOOK_SECONDS
from batchrun.engine.timing import PhaseClock
from batchrun.engine.visit import StepRunner, Visit
from batchrun.errors import BatchrunError, FencedError, StepStoppedError, StepTimeoutError
from batchrun.spi.checkpoint import CheckpointKey, CheckpointStore
from batchrun.spi.source import StepStart

_log = logging.getLogger("batchrun.engine")


class StepWork(ABC):
    """One attempt at a step's work.

    Attributes:
        visit: what is attempted; `run` and `definition` are its.
        step: the attempt's record.
        run_visit: runs a visit to a state inside this one.
        listeners: the job's and the step's own.
        times: takes the time of the work's phases.
        checkpoint: the last committed one.
        store: the target's store, where it has one.
        opened: closes, in reverse order, what the work opened.
        stopped: the work ended early because a stop was asked for.
    """

    def __init__(self, visit: Visit, step: StepExecution, run_visit: StepRunner) -> None:
        self.visit = visit
        self.run = visit.run
        self.definition = visit.definition
        self.step = step
        self.run_visit = run_visit
        self.start = StepStart(self.run.execution, self.definition, step, self._results(), self.should_stop)
        self.listeners: Listeners = self.run.listeners
        self.times = PhaseClock(step.times, self.run.clock)
        timeout = self.definition.timeout
        self._deadline = None if timeout is None else self.run.clock() + timeout.total_seconds()
        self.checkpoint = step.checkpoint
        self.store: CheckpointStore | None = None
        self.opened = ExitStack()
        self.stopped = False

    def _results(self) -> dict[str, dict[str, Any]]:
        """Returns what came of the steps so far, by their full names and by those that this step may call them."""
        results = self.run.attempts.results()
        names = self.run.definition.names_seen_from(self.definition.name)
        return {**results, **{name: results[full] for name, full in names.items() if full in results}}

    @abstractmethod
    def execute(self) -> None:
        """Does the work from the checkpoint on; sets `stopped` where a stop ended it."""

    def ending(self) -> Ending:
        """Returns how the work ended, once `execute` has returned."""
        if self.stopped:
            return stopped()
        if self.step.exit_status != EXECUTING:
            return Ending(BatchStatus.COMPLETED, self.step.exit_status)
        # So the flow goes on as in a run that nothing has ended early.
        has_skipped = self.run.attempts.has_skipped(self.step)
        return Ending(BatchStatus.COMPLETED, COMPLETED_WITH_SKIPS if has_skipped else COMPLETED)

    def should_stop(self) -> bool:
        """Tells whether the work is to end early: a stop has been asked for, or its time is over."""
        return self.run.stop.is_requested or self.is_overdue

    @property
    def is_overdue(self) -> bool:
        """Tells whether the step's time is over."""
        return self._deadline is not None and self.run.clock() > self._deadline

    def wait(self, delay: timedelta) -> None:
        """Waits so long.

        Raises:
            StepStoppedError: the work is to end early.
        """
        left = delay.total_seconds()
        while left > 0:
            if self.should_stop():
                raise StepStoppedError("stopped while it waited for another attempt")
            self.run.sleep(min(left, LOOK_SECONDS))
            left -= LOOK_SECONDS

    def refuse_overdue(self) -> None:
        """Raises where the work ended early because its time was over, and not because of a stop.

        Raises:
            StepTimeoutError: it was.
        """
        timeout = self.definition.timeout
        if timeout is not None and self.is_overdue and not self.run.stop.is_requested:
            raise StepTimeoutError(self.definition.name, timeout.total_seconds())

    def take_over(self) -> None:
        """Gets the checkpoint: from the target's row where there is one, else from the repository.

        Raises:
            FencedError: another process has taken over; nothing of the target has been changed.
        """
        if self.store is not None:
            known_as = self.run.execution.instance.known_as(self.run.repository.id)
            key = CheckpointKey(known_as.repository_id, known_as.instance_id, self.definition.name)
            self.checkpoint = self.store.take_over(key, self.run.execution.token, self.checkpoint.run)
        self._ask_who_owns()
        if self.store is not None:
            self._bring_in_line()
            self.step.checkpoint = self.checkpoint

    def _ask_who_owns(self) -> None:
        """Makes sure that no successor came and went while this process was suspended before it took over.

        Such a successor completed the step and deleted the row, so that the row taken over just now is this process's
        own and fences nobody. A successor that comes after this question finds the row, and raises its token.
        """
        try:
            self.run.repository.renew_lease(self.run.execution, LEASE)
        except FencedError:
            self.forget()
            raise

    def _bring_in_line(self) -> None:
        """Gives the attempt that made the last commit the counts it had then, if it died before it could tell."""
        if self.step.checkpoint.sequence < self.checkpoint.sequence:
            self.run.repository.correct_step(self.run.execution, self.checkpoint)
            self.run.attempts.correct(self.checkpoint)
            self.step.context = self.checkpoint.contexts.get("step", {})

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Surrounds one commit: begun here, committed by `save_checkpoint`, rolled back on any exception.

        What the step's context became meanwhile goes with it.
        """
        store, context = self.store, deepcopy(self.step.context)
        if store is not None:
            store.begin()
        try:
            yield
        except BaseException as error:
            self.step.context = context
            if store is not None:
                store.rollback()
                if isinstance(error, Exception) and not isinstance(error, FencedError):
                    self.step.counts.rollback += 1
            raise

    def contexts(self, others: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
        """Returns the contexts of the next checkpoint: those of the step's components, and the step's own as it is."""
        own = {"step": deepcopy(self.step.context)} if self.step.context else {}
        return {**{key: each for key, each in others.items() if key != "step"}, **own}

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Commits the checkpoint with what was written; from here on it is the truth."""
        if self.store is not None:
            self.store.commit(checkpoint)
        self.checkpoint = self.step.checkpoint = checkpoint
        self.step.counts = checkpoint.counts.copy()

    def save_progress(self) -> None:
        """Tells the repository of the last commit."""
        self.run.repository.save_progress(self.run.execution, self.step)

    def mark_finished(self) -> None:
        """Records that all work is committed and only its publication is left."""
        self.checkpoint = self.step.checkpoint = replace(self.checkpoint, finished=True)
        self.run.repository.save_step(self.run.execution, self.step)

    def forget(self) -> None:
        """Deletes the target's row; only once the repository has the step COMPLETED.

        That of a carried instance stays: another repository may hold the step as unfinished, and restarted there it
        would find no position and do everything again.
        """
        if self.store is None or self.run.execution.instance.is_carried:
            return
        try:
            self.store.forget()
        except BatchrunError as error:
            _log.warning("the checkpoint row of step %r stays in its target: %s", self.definition.name, error)

    def close(self) -> None:
        """Closes what the work opened; an error in closing does not undo what is committed."""
        try:
            self.opened.close()
        except Exception as error:
            _log.warning("closing step %r: %s: %s", self.definition.name, type(error).__name__, error)
