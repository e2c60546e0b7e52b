"""What may be done with a job instance now: the launch table of SEMANTICS section 1, a function for each column."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from batchrun.domain.execution import JobExecution, Owner
from batchrun.domain.status import FAILED, BatchStatus, ExitStatus
from batchrun.errors import (
    ExecutionRunningError,
    InstanceAbandonedError,
    InstanceCompleteError,
    NotAbandonableError,
    NotLatestExecutionError,
    OtherInstanceError,
)


class LaunchDecision(Enum):
    """What a launch or restart does with the instance's last execution.

    START: there is none, begin at the beginning. CONTINUE: begin where it ended. RECOVER: its owner is dead; set it to
    FAILED, then continue it.
    """

    START = "start"
    CONTINUE = "continue"
    RECOVER = "recover"


def decide_launch(last: JobExecution | None, *, owner_is_alive: bool, restart_of: int | None = None) -> LaunchDecision:
    """Decides about a launch, or about the restart of an execution; the rules are the same.

    Args:
        last: the instance's last execution.
        owner_is_alive: of a running last execution, whether its owner lives; else it does not matter.
        restart_of: the execution that a restart names; None for a launch.

    Raises:
        OtherInstanceError: the restart would begin another instance than that of the execution it names.
        NotLatestExecutionError: the restart names an execution that a later one has superseded.
        ExecutionRunningError: the last execution runs, and its owner lives.
        InstanceCompleteError: the last execution COMPLETED.
        InstanceAbandonedError: the last execution is ABANDONED, or UNKNOWN, which nobody can continue.
    """
    if last is None:
        if restart_of is not None:
            raise OtherInstanceError(restart_of)
        return LaunchDecision.START
    if restart_of is not None and restart_of != last.id:
        raise NotLatestExecutionError(restart_of, last.id)
    if last.status.is_running:
        if owner_is_alive:
            raise ExecutionRunningError(last.job_name, last.id, last.owner.host, last.owner.pid)
        return LaunchDecision.RECOVER
    if last.status is BatchStatus.COMPLETED:
        raise InstanceCompleteError(last.job_name, last.id, last.parameters.has_identifying)
    if last.status.is_restartable:
        return LaunchDecision.CONTINUE
    raise InstanceAbandonedError(last.job_name, last.id)


def may_recover(execution: JobExecution, *, owner_is_alive: bool, force: bool = False) -> bool:
    """Tells whether an execution is to be set to FAILED because nobody runs it; False where there is nothing to do.

    Args:
        execution: any.
        owner_is_alive: of a running one, whether its owner lives; else it does not matter.
        force: do it although the owner seems to live, which may be a process that hangs: it is fenced off.

    Raises:
        ExecutionRunningError: its owner lives, and `force` is false.
    """
    if not execution.status.is_running:
        return False
    if owner_is_alive and not force:
        raise ExecutionRunningError(
            execution.job_name, execution.id, execution.owner.host, execution.owner.pid, verb="recover"
        )
    return True


def may_abandon(execution: JobExecution, last_id: int, *, owner_is_alive: bool) -> bool:
    """Tells whether an execution is to be ABANDONED, so that its instance never starts again; False where it is.

    Args:
        execution: any; a dead one is recovered and abandoned in one.
        last_id: the last execution of its instance.
        owner_is_alive: of a running one, whether its owner lives; else it does not matter.

    Raises:
        NotLatestExecutionError: a later execution of the instance has superseded it.
        ExecutionRunningError: its owner lives.
        NotAbandonableError: it has COMPLETED.
    """
    if execution.id != last_id:
        raise NotLatestExecutionError(execution.id, last_id, verb="abandon")
    if execution.status is BatchStatus.ABANDONED:
        return False
    if execution.status is BatchStatus.COMPLETED:
        raise NotAbandonableError(execution.job_name, execution.id)
    if execution.status.is_running and owner_is_alive:
        raise ExecutionRunningError(
            execution.job_name, execution.id, execution.owner.host, execution.owner.pid, verb="abandon"
        )
    return True


def dead(owner: Owner, how: str = "was found dead") -> ExitStatus:
    """Returns how an execution ends whose owner cannot say it any more."""
    return ExitStatus(FAILED.code, f"its process (host {owner.host}, pid {owner.pid}) {how}")


def seen_dead(execution: JobExecution) -> JobExecution:
    """Returns a running execution as it will be once somebody recovers it: FAILED, with its running steps.

    Nothing of it is stored; who only looks at a dead execution changes nothing. One that has ended stays as it is.
    """
    if not execution.status.is_running:
        return execution
    failed, end = BatchStatus.FAILED, dead(execution.owner)
    steps = [
        replace(step, status=failed, exit_status=end) if step.status.is_running else step for step in execution.steps
    ]
    return replace(execution, status=failed, exit_status=end, steps=steps)
