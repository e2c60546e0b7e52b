"""The RejectOperator: shows what runs have rejected, and replays it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from batchrun.definition import LoadedJob
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.engine import StopSignal
from batchrun.errors import DefinitionError, InstanceCompleteError, JobInCodeError
from batchrun.operations.assembly import Assembly
from batchrun.operations.explorer import JobExplorer
from batchrun.operations.job_files import JobFiles
from batchrun.operations.operator import Begun
from batchrun.operations.rejects import AssumedSink, InstanceRejects, default_sink
from batchrun.operations.replaying import (
    RejectsReplayedError,
    found_replay,
    refuse_own,
    replay_job,
    replay_parameters,
    replayed,
)
from batchrun.spi.listener import Listener
from batchrun.spi.repository import JobRepository


class Assemble(Protocol):
    """Reads a job's parameters, and makes its components ready to be built."""

    def __call__(
        self, job: LoadedJob, given: Mapping[str, object], *, previous: JobParameters | None = None
    ) -> Assembly:
        """Returns the assembly of a job; what is not given is as it was before, if it was."""
        ...


class Run(Protocol):
    """Runs an assembled job to its end."""

    def __call__(
        self, assembly: Assembly, listeners: Sequence[Listener], begun: Begun | None, stop: StopSignal | None
    ) -> JobExecution:
        """Returns the execution, ended."""
        ...


@dataclass(frozen=True, slots=True)
class RejectOperator:
    """Shows and replays the rejects of one repository's runs."""

    repository: JobRepository
    jobs: JobFiles
    assemble: Assemble
    run: Run

    def of(self, execution_id: int) -> InstanceRejects:
        """Returns what the job instance of an execution has rejected, over all its executions.

        Raises:
            NoSuchExecutionError: there is no such execution.
        """
        execution = self.repository.find_execution(execution_id)
        return InstanceRejects(JobExplorer(self.repository).of_instance(execution), self._sink)

    def replay(
        self,
        execution_id: int,
        given: Mapping[str, object],
        *,
        step_name: str | None = None,
        listeners: Sequence[Listener] = (),
        begun: Begun | None = None,
        stop: StopSignal | None = None,
    ) -> JobExecution:
        """Sends the rejects of a step through its current processors and writer; returns the execution, ended.

        It is of a job instance of its own; one that has failed is continued.

        Args:
            execution_id: any of the instance whose rejects they are.
            given: values for parameters of the job, in place of those that it had.
            step_name: whose rejects; None is the one step that has any.
            listeners: observe the run.
            begun: called when the execution has an id and a log, before anything of it runs.
            stop: stops it at the next commit, in place of signals.

        Raises:
            NoSuchExecutionError: there is no such execution.
            UsageError: several steps have rejects, or there is no such step.
            DefinitionError: the job file as it is now, or a parameter, is wrong.
            LaunchRefusedError: there is nothing to replay, or it has been replayed.
        """
        refuse_own(given)
        replay = found_replay(self.of(execution_id), step_name)
        job = replay_job(self.jobs.file_of(replay.of), replay.of.id, replay.step_name)
        assembly = self.assemble(job, given, previous=replay.of.parameters)
        assembly.parameters = replay_parameters(assembly.parameters, replay)
        self.give_replayed(assembly)
        try:
            return self.run(assembly, listeners, begun, stop)
        except InstanceCompleteError as error:
            raise RejectsReplayedError(replay.of.id, replay.step_name, error.execution_id) from error

    def give_replayed(self, assembly: Assembly) -> None:
        """Gives a job that is a replay the rejects that it replays; does nothing for any other."""
        if found := replayed(assembly.job.definition.name, assembly.parameters):
            execution_id, step_name = found
            assembly.replayed = lambda: self.of(execution_id).of_completed(step_name, execution_id)

    def _sink(self, execution: JobExecution, step: StepExecution) -> object:
        """Returns the sink of a step as its job says now; where it cannot, the one of a step that names none."""
        try:
            assembly = self.assemble(self.jobs.of(execution), {}, previous=execution.parameters)
            return assembly.reject_sink(execution, step)
        except (DefinitionError, JobInCodeError) as error:
            folder = self.jobs.project_of(execution)
            return AssumedSink(default_sink(execution, step, self.repository.id, folder), error)
