"""Follows an execution that another process runs, by what the repository knows of it. Writes nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta

from batchrun.domain.execution import JobExecution, Owner, StepExecution
from batchrun.domain.launch import seen_dead
from batchrun.errors import RepositoryUnreachableError, StillRunningError
from batchrun.spi.listener import Listener, Progress
from batchrun.spi.repository import JobRepository

POLL = timedelta(seconds=0.5)
"""Between two looks: short enough for a person and a script, and three small statements."""

PATIENCE = timedelta(seconds=30)
"""How long a repository may be away while it is looked at: as long as the run itself may be silent."""

_log = logging.getLogger("batchrun.operations")


@dataclass(slots=True)
class Following:
    """Tells listeners, look by look, what the run itself would tell its listeners.

    A chunk is not there to be seen, and neither is how far the reader is: the counts are.
    """

    listeners: Sequence[Listener]
    _is_known: bool = False
    _steps: dict[int, StepExecution] = field(default_factory=dict)

    def see(self, execution: JobExecution) -> None:
        """Takes a look's result; listeners keep the records they get, so those known are brought up to date."""
        for listener in self.listeners:
            if not self._is_known:
                listener.before_job(execution)
        self._is_known = True
        for step in execution.steps:
            self._see_step(execution, step)
        if not execution.status.is_running:
            for listener in self.listeners:
                listener.after_job(execution)

    def _see_step(self, execution: JobExecution, step: StepExecution) -> None:
        known = self._steps.get(step.id)
        if known is None:
            self._steps[step.id] = known = step
            for listener in self.listeners:
                listener.before_step(execution, known)
        elif not known.status.is_running:
            return
        for each in fields(StepExecution):
            setattr(known, each.name, getattr(step, each.name))
        for listener in self.listeners:
            if known.status.is_running:
                listener.after_chunk(execution, known, None, Progress(known.counts.read, None, "items"))
            else:
                listener.after_step(execution, known)


@dataclass(frozen=True, slots=True)
class Follower:
    """Waits for executions to end.

    Attributes:
        is_gone: tells of an owner whether its process certainly no longer exists.
        pause: sleeps; seconds.
        clock: seconds on a clock that never goes back.
    """

    repository: JobRepository
    is_gone: Callable[[Owner], bool]
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def wait(
        self, execution_id: int, listeners: Sequence[Listener] = (), *, timeout: timedelta | None = None
    ) -> JobExecution:
        """Returns the execution when it has ended; one whose owner is dead as it will be once it is recovered.

        Raises:
            NoSuchExecutionError: there is none.
            StillRunningError: the time is over.
            RepositoryUnreachableError: the repository cannot be reached at first, or has not come back.
        """
        following = Following(listeners)
        end = None if timeout is None else self.clock() + timeout.total_seconds()
        execution = self.look(execution_id)
        while True:
            following.see(execution)
            if not execution.status.is_running:
                return execution
            left = POLL.total_seconds() if end is None else end - self.clock()
            if left <= 0:
                raise StillRunningError(execution.job_name, execution.id)
            self.pause(min(left, POLL.total_seconds()))
            execution = self.look_again(execution_id, end)

    def look_again(self, execution_id: int, end: float | None = None) -> JobExecution:
        """As `look`, but waits for a repository that is away for a while, which need not end the run either.

        Args:
            execution_id: of an execution that has been looked at.
            end: the moment of the clock to which it is waited for at most.

        Raises:
            RepositoryUnreachableError: it has not come back.
        """
        last: float | None = None
        while True:
            try:
                return self.look(execution_id)
            except RepositoryUnreachableError as error:
                if last is None:
                    _log.warning("execution %d cannot be followed for now: %s", execution_id, error)
                    last = self.clock() + PATIENCE.total_seconds()
                    last = last if end is None else min(last, end)
                if self.clock() >= last:
                    raise
                self.pause(POLL.total_seconds())

    def look(self, execution_id: int) -> JobExecution:
        """Returns the execution as it stands; one whose owner is dead as FAILED, though the repository says it runs."""
        execution = self.repository.find_execution(execution_id)
        if execution.status.is_running and not self.repository.is_alive(execution_id, self.is_gone):
            # It may have ended between the two questions.
            return seen_dead(self.repository.find_execution(execution_id))
        return execution
