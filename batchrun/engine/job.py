"""A job's execution: started, walked through, ended, each saved before the next begins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from batchrun.domain.definition import JobDefinition
from batchrun.domain.execution import JobExecution
from batchrun.domain.status import FAILED, BatchStatus, ExitStatus
from batchrun.engine.flow import FlowEnd, walk
from batchrun.engine.lease import BEAT, Heartbeat
from batchrun.engine.listeners import Listeners
from batchrun.engine.stop import StopSignal
from batchrun.errors import FencedError, RepositoryError
from batchrun.spi.repository import JobRepository
from batchrun.spi.source import ComponentSource

_log = logging.getLogger("batchrun.engine")


@dataclass(frozen=True, slots=True)
class JobRun:
    """All that one execution of a job works with.

    Attributes:
        execution: as `JobRepository.begin` gave it; this process is its owner.
        mask: hides secrets in a text that is stored or shown.
        beat: how often the lease is renewed and a request to stop is looked for.
    """

    definition: JobDefinition
    execution: JobExecution
    repository: JobRepository
    components: ComponentSource
    listeners: Listeners = field(default_factory=Listeners)
    stop: StopSignal = field(default_factory=StopSignal)
    mask: Callable[[str], str] = str
    beat: timedelta = BEAT

    def describe(self, error: Exception) -> str:
        """Returns an error as an exit description: its message and the way out, or its class."""
        text = str(error) or type(error).__name__
        hint = getattr(error, "hint", None)
        return self.mask(f"{text} ({hint})" if hint else text)

    def execute(self) -> JobExecution:
        """Runs the job to its end and returns the execution, saved: COMPLETED, FAILED or STOPPED.

        Raises:
            FencedError: another process has taken over; it says how the execution ends.
            RepositoryError: the repository cannot be used any more; the execution is found dead by the next launch.
        """
        with Heartbeat(self.repository, self.execution, self.stop, beat=self.beat):
            self._start()
            end = self._walk()
            self._end(end)
        return self.execution

    def _start(self) -> None:
        self.execution.status = BatchStatus.STARTED
        self.execution.started_at = datetime.now(UTC)
        self.repository.save_job(self.execution)

    def _walk(self) -> FlowEnd:
        try:
            self.listeners.before_job(self.execution)
            return walk(self)
        except (FencedError, RepositoryError):
            raise
        except Exception as error:
            _log.debug("job %r failed", self.definition.name, exc_info=error)
            return FlowEnd(BatchStatus.FAILED, ExitStatus(FAILED.code, self.describe(error)))

    def _end(self, end: FlowEnd) -> None:
        self.execution.status, self.execution.exit_status = end
        self._tell_after_job()
        self.execution.ended_at = datetime.now(UTC)
        self.repository.save_job(self.execution)

    def _tell_after_job(self) -> None:
        try:
            self.listeners.after_job(self.execution)
        except (FencedError, RepositoryError):
            raise
        except Exception as error:
            self.execution.status = BatchStatus.FAILED
            self.execution.exit_status = ExitStatus(FAILED.code, self.describe(error))
