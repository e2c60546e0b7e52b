"""The JobOperator: launches and restarts jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from batchrun.definition import LoadedJob
from batchrun.domain.execution import JobExecution
from batchrun.domain.parameters import JobParameters
from batchrun.engine import JobRun, StopSignal, current_owner, execute_job, is_gone
from batchrun.engine.lease import LEASE
from batchrun.engine.listeners import Listeners
from batchrun.errors import JobFileChangedError
from batchrun.operations.assembly import Assembly
from batchrun.spi.listener import Listener
from batchrun.spi.repository import JobRepository, LaunchRequest

_log = logging.getLogger("batchrun.operations")

Attended = Callable[[JobExecution, Callable[[str], str]], AbstractContextManager[Listener]]
"""Given an execution that has begun, and what masks its secrets."""


@dataclass(frozen=True, slots=True)
class JobOperator:
    """Runs jobs in this process, to their end.

    Attributes:
        stop: ends the run at its next commit.
        attended: entered when an execution has begun, and left when it has ended; keeps its log, and gives the listener
            that does so.
    """

    repository: JobRepository
    listeners: Sequence[Listener] = ()
    stop: StopSignal = field(default_factory=StopSignal)
    attended: Attended = lambda _execution, _mask: nullcontext(Listener())

    def launch(self, assembly: Assembly, restart_of: int | None = None, *, allow_changed: bool = False) -> JobExecution:
        """Runs the assembled job and returns the ended execution, whatever its status.

        Args:
            assembly: the job with its parameters.
            restart_of: the execution to continue; None decides by the parameters.
            allow_changed: continue although the steps before the one to resume changed in the job file.

        Raises:
            DefinitionError: an option does not fit; nothing was written.
            LaunchRefusedError: the state of the job instance forbids it.
            RepositoryError: the repository cannot be used.
            FencedError: another process took over while this one ran.
        """
        assembly.check()
        execution = self.repository.begin(self._request(assembly, restart_of, allow_changed))
        with self.attended(execution, assembly.secrets.mask) as first:
            return execute_job(self._run(assembly, execution, first))

    def _run(self, assembly: Assembly, execution: JobExecution, first: Listener) -> JobRun:
        return JobRun(
            definition=assembly.job.definition,
            execution=execution,
            repository=self.repository,
            components=assembly,
            listeners=Listeners([first, *self.listeners]),
            stop=self.stop,
            mask=assembly.secrets.mask,
        )

    def _request(self, assembly: Assembly, restart_of: int | None, allow_changed: bool) -> LaunchRequest:
        def may_continue(last: JobExecution) -> None:
            refuse_changed_file(last, assembly.job, allow_changed=allow_changed)

        return LaunchRequest(
            job_name=assembly.job.definition.name,
            parameters=assembly.parameters,
            owner=current_owner(),
            lease=LEASE,
            is_gone=is_gone,
            job_file=str(assembly.job.path),
            job_text=assembly.job.text,
            restart_of=restart_of,
            may_continue=may_continue,
        )


def refuse_changed_file(last: JobExecution, job: LoadedJob, *, allow_changed: bool) -> None:
    """Warns of a job file that changed since the last execution, and refuses what a restart cannot make sense of.

    Raises:
        JobFileChangedError: the step to resume is gone, or other steps stand before it and `allow_changed` is false.
    """
    if last.job_text == job.text:
        return
    _log.warning("the job file %s has changed since execution %d", job.path, last.id)
    state = last.flow.state
    now = [step.name for step in job.definition.steps]
    if state is None:
        return
    if state not in now:
        raise JobFileChangedError(
            job.definition.name,
            last.id,
            f"step {state!r}, which is to be resumed, is gone",
            "bring the step back, or launch the job with other identifying parameters",
        )
    entered, before = list(dict.fromkeys(last.flow.path))[:-1], now[: now.index(state)]
    if job.definition.transitions is None and before != entered and not allow_changed:
        raise JobFileChangedError(
            job.definition.name,
            last.id,
            f"before step {state!r}, which is to be resumed, stood {_names(entered)}; now {_names(before)}",
            f"restore the file, or batchrun restart {last.id} --allow-changed",
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) if names else "nothing"


def overridden(previous: JobParameters, given: JobParameters) -> JobParameters:
    """Returns the parameters of a restart: those of the execution it continues, with the given values over them."""
    merged = {parameter.name: parameter for parameter in previous.all()}
    merged.update({parameter.name: parameter for parameter in given.all()})
    return JobParameters(list(merged.values()))
