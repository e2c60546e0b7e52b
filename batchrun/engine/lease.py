"""The heartbeat: a side thread that prolongs the owner's lease, and looks whether the execution is to stop."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType

from batchrun.domain.execution import JobExecution
from batchrun.engine.stop import StopSignal
from batchrun.errors import FencedError, RepositoryError
from batchrun.spi.repository import JobRepository

LEASE = timedelta(seconds=30)
"""How long an owner may be silent before another process may take over."""

BEAT = timedelta(seconds=2)
"""Between two beats: how long a request to stop may go unseen where no chunk is committed."""

_log = logging.getLogger("batchrun.engine")


class Heartbeat:
    """Renews the lease and looks for a request to stop at each beat, from entering to leaving the context.

    A renewal that fails because the repository cannot be reached is tried again at the next beat: nothing is lost by a
    lapsed lease, since whoever takes over fences this owner off. A renewal that is fenced ends the beating; the next
    commit of this owner fails with FencedError.
    """

    def __init__(
        self,
        repository: JobRepository,
        execution: JobExecution,
        stop: StopSignal,
        *,
        lease: timedelta = LEASE,
        beat: timedelta = BEAT,
    ) -> None:
        self._repository = repository
        self._execution = execution
        self._stop = stop
        self._lease = lease
        self._seconds = min(beat, lease / 3).total_seconds()
        self._ended = Event()
        self._thread = Thread(target=self._beat, name=f"lease-{execution.id}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def join(self, seconds: float) -> None:
        """Waits until the beating has ended by itself, at most so long."""
        self._thread.join(seconds)

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._repository.renew_lease(self._execution, self._lease)
                if not self._stop.is_requested and self._repository.is_stop_requested(self._execution):
                    _log.warning("execution %d has been asked to stop", self._execution.id)
                    self._stop.request()
            except FencedError:
                return
            except RepositoryError as error:
                _log.warning("the lease of execution %d could not be renewed: %s", self._execution.id, error)
