"""The heartbeat: a side thread that prolongs the owner's lease while the execution runs."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType

from batchrun.domain.execution import JobExecution
from batchrun.errors import FencedError, RepositoryError
from batchrun.spi.repository import JobRepository

LEASE = timedelta(seconds=30)
"""How long an owner may be silent before another process may take over."""

_log = logging.getLogger("batchrun.engine")


class Heartbeat:
    """Renews the lease every third of its time, from entering to leaving the context.

    A renewal that fails because the repository cannot be reached is tried again at the next beat: nothing is lost by a
    lapsed lease, since whoever takes over fences this owner off. A renewal that is fenced ends the beating; the next
    commit of this owner fails with FencedError.
    """

    def __init__(self, repository: JobRepository, execution: JobExecution, lease: timedelta = LEASE) -> None:
        self._repository = repository
        self._execution = execution
        self._lease = lease
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

    def _beat(self) -> None:
        while not self._ended.wait(self._lease.total_seconds() / 3):
            try:
                self._repository.renew_lease(self._execution, self._lease)
            except FencedError:
                return
            except RepositoryError as error:
                _log.warning("the lease of execution %d could not be renewed: %s", self._execution.id, error)
