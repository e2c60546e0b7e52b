"""The JobOperator: launches and restarts jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from batchrun.definition import LoadedJob
from batchrun.domain.execution import JobExecution
from batchrun.engine import JobRun, StopSignal, current_owner, execute_job, is_gone
from batchrun.engine.lease import LEASE
from batchrun.engine.listeners import Listeners
from batchrun.errors import RepositoryError
from batchrun.operations.assembly import Assembly
from batchrun.operations.changed_file import refuse_changed_file
from batchrun.operations.child_jobs import ChildJobOperator
from batchrun.spi.listener import Listener
from batchrun.spi.repository import JobRepository, LaunchRequest

_log = logging.getLogger("batchrun.operations")

Attended = Callable[[JobExecution, Callable[[str], str]], AbstractContextManager[Listener]]
"""Given an execution that has begun, and what masks its secrets."""

Begun = Callable[[JobExecution], None]
"""Called with an execution that is in the repository, before any of its work."""


@dataclass(frozen=True, slots=True)
class JobOperator:
    """Runs jobs in this process, to their end.

    Attributes:
        load: reads a job file, given by its path or name: a child's.
        stop: ends the run at its next commit.
        attended: entered when an execution has begun, and left when it has ended; keeps its log, and gives the listener
            that does so.
    """

    repository: JobRepository
    load: Callable[[str], LoadedJob]
    listeners: Sequence[Listener] = ()
    stop: StopSignal = field(default_factory=StopSignal)
    attended: Attended = lambda _execution, _mask: nullcontext(Listener())

    def launch(
        self,
        assembly: Assembly,
        restart_of: int | None = None,
        *,
        allow_changed: bool = False,
        parent_step_id: int | None = None,
        begun: Begun | None = None,
        next_run: bool = False,
    ) -> JobExecution:
        """Runs the assembled job and returns the ended execution, whatever its status.

        Args:
            assembly: the job with its parameters.
            restart_of: the execution to continue; None decides by the parameters.
            allow_changed: continue although the steps before the one to resume changed in the job file.
            parent_step_id: the step execution that launches it as its child, or None.
            begun: called when the execution is in the repository, before any of its work.
            next_run: give the execution the job's next `run.id`, in place of the provisional one.

        Raises:
            DefinitionError: an option does not fit; nothing was written.
            LaunchRefusedError: the state of the job instance forbids it.
            RepositoryError: the repository cannot be used.
            FencedError: another process took over while this one ran.
        """
        assembly.children = ChildJobOperator(self.load, self._launch_child)
        assembly.check()
        request = self._request(assembly, restart_of, allow_changed)
        execution = self.repository.begin(replace(request, parent_step_id=parent_step_id, next_run=next_run))
        if next_run:
            assembly.take_run_id(execution.parameters.run_id)
        with self.attended(execution, assembly.secrets.mask) as first:
            if begun is not None:
                begun(execution)
            try:
                return execute_job(self._run(assembly, execution, first))
            except RepositoryError as error:
                error.execution_id = execution.id
                error.hint = f"batchrun restart {execution.id} goes on at the last commit, once it can be used again"
                raise

    def _run(self, assembly: Assembly, execution: JobExecution, first: Listener) -> JobRun:
        return JobRun(
            definition=assembly.job.definition,
            execution=execution,
            repository=self.repository,
            components=assembly,
            listeners=Listeners.of([first, *self.listeners]),
            stop=self.stop,
            mask=assembly.secrets.mask,
        )

    def _launch_child(self, assembly: Assembly, stop: StopSignal, parent_step_id: int) -> JobExecution:
        return replace(self, stop=stop).launch(assembly, parent_step_id=parent_step_id)

    def _request(self, assembly: Assembly, restart_of: int | None, allow_changed: bool) -> LaunchRequest:
        def may_continue(last: JobExecution) -> None:
            refuse_changed_file(last, assembly.job, allow_changed=allow_changed)

        return LaunchRequest(
            job_name=assembly.job.definition.name,
            parameters=assembly.parameters.masked(),
            owner=current_owner(),
            lease=LEASE,
            is_gone=is_gone,
            job_file=str(assembly.job.path or ""),
            job_text=assembly.job.text,
            restart_of=restart_of,
            may_continue=may_continue,
        )
