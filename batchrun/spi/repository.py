"""The JobRepository: stores instances, executions and steps, and lets one owner at a time move each execution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from batchrun.domain.carrying import CarriedInstance
from batchrun.domain.execution import Checkpoint, JobExecution, Owner, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.domain.purge import PurgeableInstance, PurgeCriteria, PurgedExecution
from batchrun.domain.selection import EVERY, ExecutionFilter


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """What a new execution needs.

    Attributes:
        owner: the process that will run it.
        lease: how long the owner may be silent before anybody may take over.
        is_gone: tells of another owner whether its process certainly no longer exists (same host, pid gone).
        restart_of: the execution that is to be restarted; None to launch by parameters.
        next_run: give the new execution the job's next `run.id`: one more than any that the job has had, from 1.
        may_continue: called with the last execution, if this one is to continue it, before anything is written; raises
            LaunchRefusedError to forbid it, as where the job file has changed.
        parent_step_id: the step execution that launches this as its child job, or None.
    """

    job_name: str
    parameters: JobParameters
    owner: Owner
    lease: timedelta
    is_gone: Callable[[Owner], bool]
    job_file: str = ""
    job_text: str = ""
    restart_of: int | None = None
    next_run: bool = False
    may_continue: Callable[[JobExecution], None] = lambda _last: None
    parent_step_id: int | None = None


class JobRepository(Protocol):
    """Stores what a restart and a history need.

    *Fence*: every method that takes an execution or a step and writes holds the token against the stored one and
    raises FencedError where another owner has taken over. *Threads*: any method from any thread. *Clock*: leases are
    measured by the database's clock, in one statement with what they decide. *Errors*: RepositoryError.
    """

    @property
    def id(self) -> str:
        """The repository's own id, made once, which names it in checkpoints of targets."""
        ...

    def begin(self, request: LaunchRequest) -> JobExecution:
        """Finds or makes the job instance and gives it a new execution, STARTING, in one transaction.

        Decides by the launch table of SEMANTICS section 1. An execution whose owner is dead (lease expired, or
        `is_gone`) is set to FAILED first. The new execution has a token above all earlier ones of the instance,
        and takes the flow position and the context of the one it continues.

        Raises:
            ExecutionRunningError: another execution of the instance is alive.
            InstanceCompleteError: the last execution COMPLETED.
            InstanceAbandonedError: the last execution is ABANDONED.
            NotLatestExecutionError: `restart_of` is not the last execution of its instance.
        """
        ...

    def renew_lease(self, execution: JobExecution, lease: timedelta) -> None:
        """Prolongs the owner's lease, counted from now."""
        ...

    def is_stop_requested(self, execution: JobExecution) -> bool:
        """Tells whether somebody has asked the execution to stop."""
        ...

    def save_job(self, execution: JobExecution) -> None:
        """Stores status, exit status, times, flow position and context, durably."""
        ...

    def add_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores a new step execution and gives it its id and number; the number is the id where the instance began."""
        ...

    def save_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores all of a step execution, durably."""
        ...

    def correct_step(self, execution: JobExecution, checkpoint: Checkpoint) -> None:
        """Stores a checkpoint that a target gave, with its counts, in the attempt that committed it.

        That attempt, `checkpoint.attempt`, belongs to an earlier execution of the same instance, whose process died
        between the target's commit and the repository's. Doing it again changes nothing.
        """
        ...

    def save_progress(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores counts and checkpoint after a chunk; a power cut may lose the last ones, but never an earlier one."""
        ...

    def last_execution(self, job_name: str, identity: str) -> JobExecution | None:
        """Returns the last execution of a job instance with its steps, or None; makes nothing."""
        ...

    def last_visits(self, execution: JobExecution) -> list[StepExecution]:
        """Returns, in order, all attempts at each step's last visit in the execution's instance."""
        ...

    def count_step_starts(self, execution: JobExecution, step_name: str) -> int:
        """Returns how many times the step has started in the execution's instance."""
        ...

    def is_alive(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> bool:
        """Tells whether the execution runs and its owner lives, by the rule of the launch table; changes nothing.

        Raises:
            NoSuchExecutionError: there is none.
        """
        ...

    def request_stop(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> JobExecution:
        """Records that the execution is to stop; its owner sees that, nobody else writes its rows (Spring lets both).

        Asking again changes nothing.

        Raises:
            NoSuchExecutionError: there is none.
            NotRunningError: it does not run, or its owner is dead.
        """
        ...

    def recover(self, execution_id: int, is_gone: Callable[[Owner], bool], *, force: bool = False) -> JobExecution:
        """Sets an execution whose owner is dead to FAILED, with its running steps; any other stays as it is.

        Raises:
            NoSuchExecutionError: there is none.
            ExecutionRunningError: its owner lives, and `force` is false.
        """
        ...

    def abandon(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> JobExecution:
        """Sets an execution to ABANDONED, so that its instance never starts again.

        Raises:
            NoSuchExecutionError: there is none.
            LaunchRefusedError: it runs, has completed, or a later one has superseded it.
        """
        ...

    def find_execution(self, execution_id: int) -> JobExecution:
        """Returns an execution with its steps.

        Raises:
            NoSuchExecutionError: there is none.
        """
        ...

    def find_executions(self, chosen: ExecutionFilter = EVERY, *, limit: int | None = None) -> list[JobExecution]:
        """Returns the executions asked for with their steps, newest first; `limit` bounds their number."""
        ...

    def later_execution_id(self, execution: JobExecution) -> int | None:
        """Returns the execution that came next in the same instance, or None where this is the last one."""
        ...

    def job_names(self) -> list[str]:
        """Returns the names of all jobs that have instances, sorted."""
        ...

    def find_purgeable(self, criteria: PurgeCriteria) -> list[PurgeableInstance]:
        """Returns the job instances that the criteria let go, in the order of their last executions.

        A child job whose parent can still be restarted is none of them: the parent may ask whether it has completed.
        """
        ...

    def purge(self, instances: Sequence[PurgeableInstance]) -> list[PurgedExecution]:
        """Deletes a bounded number of the instances' executions, with what belongs to them, in one short transaction.

        The first executions of an instance go first, and with its last one the instance itself. An instance of which
        only a part is gone cannot be restarted any more; one that has a later execution meanwhile stays as it is.

        Args:
            instances: a few hundred at most.

        Returns:
            The deleted executions; none where nothing of the instances is left to delete.
        """
        ...

    def export_instance(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> list[CarriedInstance]:
        """Returns the instance of an execution, and behind it those of its child jobs, to be carried elsewhere.

        An execution whose owner is dead is set to FAILED first. The instances count as carried from here on: what they
        leave in targets stays there (`JobInstance.is_carried`).

        Args:
            execution_id: the last of its instance.
            is_gone: as in `LaunchRequest`.

        Raises:
            NoSuchExecutionError: there is none.
            NotLatestExecutionError: a later one of the instance has superseded it.
            ExecutionRunningError: it runs, or a child of it does, and the owner lives.
        """
        ...

    def import_instances(self, carried: Sequence[CarriedInstance], is_gone: Callable[[Owner], bool]) -> int:
        """Takes in what `export_instance` returned elsewhere; returns the id here of the first one's last execution.

        Executions that are here already, from an earlier import or because the instance began here, stay as they are,
        but that one whose owner is dead is set to FAILED, and that the last one gets the parameters and the job file
        that come in. Those that are missing are added behind them. Where any are, the instance gets a token above all
        before (`carried_token`).

        Raises:
            LaunchRefusedError: an instance has gone on here meanwhile, or another of its name and parameters is here;
                nothing is taken in.
            ExecutionRunningError: an execution here runs, and its owner lives.
        """
        ...

    def close(self) -> None:
        """Closes all connections."""
        ...
