"""A run under way, as a handle: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from batchrun.errors import NotRunningError, StillRunningError

if TYPE_CHECKING:
    from batchrun.app import Application
    from batchrun.domain.execution import JobExecution
    from batchrun.domain.status import BatchStatus
    from batchrun.engine import StopSignal

Timeout = timedelta | float | None
"""A duration, or its seconds; None is for ever."""

OpenApplication: TypeAlias = "Callable[[], Application]"
"""Opens the project and repository of a run, to look at it."""

Work: TypeAlias = "Callable[[Callable[[JobExecution, OpenApplication], None], StopSignal], JobExecution]"
"""Runs a job: calls the one when the execution has begun, and is stopped by the other."""


class Run(ABC):
    """A run under way; as a context manager, left when it has ended, which an exception in the block asks it to do.

    Attributes:
        id: of its execution.
    """

    def __init__(self, execution_id: int, open_application: OpenApplication) -> None:
        self.id = execution_id
        self._open = open_application

    def __repr__(self) -> str:
        return f"<run of execution {self.id}>"

    @property
    def execution(self) -> JobExecution:
        """The execution with its steps, as the repository has it now."""
        with self._open() as application:
            return application.explorer.execution(self.id)

    @property
    def status(self) -> BatchStatus:
        """The execution's status now."""
        return self.execution.status

    @abstractmethod
    def wait(self, timeout: Timeout = None) -> JobExecution:
        """Waits for the end, and returns the ended execution, whatever its status.

        Raises:
            StillRunningError: the time is over, and it runs still.
            BatchrunError: the run could not go on to an end, such as FencedError or RepositoryError.
        """

    @abstractmethod
    def stop(self) -> None:
        """Asks it to stop at its next commit; one that has ended stays as it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.stop()
        self.wait()


class ThreadRun(Run):
    """A run in a thread; the program does not end before it."""

    def __init__(
        self,
        execution: JobExecution,
        open_application: OpenApplication,
        stop: StopSignal,
        ended: Future[JobExecution],
    ) -> None:
        super().__init__(execution.id, open_application)
        self._job_name = execution.job_name
        self._stop = stop
        self._ended = ended

    @classmethod
    def start(cls, work: Work) -> ThreadRun:
        """Starts the work in a thread, and returns when its execution has begun; raises what it raises before."""
        from batchrun.engine import StopSignal

        stop = StopSignal()
        begun: Future[tuple[JobExecution, OpenApplication]] = Future()
        ended: Future[JobExecution] = Future()

        def run() -> None:
            try:
                ended.set_result(work(lambda *told: begun.set_result(told), stop))
            except BaseException as error:
                (ended if begun.done() else begun).set_exception(error)

        thread = threading.Thread(target=run, name="batchrun-run")
        thread.start()
        execution, open_application = begun.result()
        return cls(execution, open_application, stop, ended)

    def wait(self, timeout: Timeout = None) -> JobExecution:
        """Waits for the thread's work."""
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        try:
            return self._ended.result(seconds)
        except TimeoutError as error:
            if self._ended.done():
                raise
            raise StillRunningError(self._job_name, self.id) from error

    def stop(self) -> None:
        """Tells the run itself, without the repository."""
        self._stop.request()


class ProcessRun(Run):
    """A run in a process of its own, which outlives this one."""

    def wait(self, timeout: Timeout = None) -> JobExecution:
        """Asks the repository until it has ended; one whose process is dead is FAILED."""
        limit = timeout if timeout is None or isinstance(timeout, timedelta) else timedelta(seconds=timeout)
        with self._open() as application:
            return application.wait(self.id, timeout=limit)

    def stop(self) -> None:
        """Asks through the repository."""
        with self._open() as application:
            try:
                application.stop(self.id)
            except NotRunningError:
                return
