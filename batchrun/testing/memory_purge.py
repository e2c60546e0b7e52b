"""What a purge may delete of executions in memory: the rules of a repository, said in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from batchrun.domain.execution import JobExecution
from batchrun.domain.purge import PurgeableInstance, PurgeCriteria

Histories = Sequence[Sequence[JobExecution]]
"""The executions of each instance, in their order."""


def purgeable_instances(histories: Histories, criteria: PurgeCriteria) -> list[PurgeableInstance]:
    """Returns the instances that the criteria let go, in the order of their last executions."""
    kept = set(_newest(histories, criteria.keep_last))
    found = [
        PurgeableInstance(
            history[-1].instance.id, history[-1].job_name, history[-1].status, history[-1].id, len(history)
        )
        for history in histories
        if _admits(criteria, history[-1])
        and history[-1].id not in kept
        and not _has_unfinished_parent(history[-1], histories)
    ]
    return sorted(found, key=lambda instance: instance.last_execution_id)


def _admits(criteria: PurgeCriteria, last: JobExecution) -> bool:
    return (
        last.status in criteria.purged_statuses
        and (not criteria.job_names or last.job_name in criteria.job_names)
        and (criteria.ended_before is None or (last.ended_at or last.created_at) < criteria.ended_before)
    )


def _newest(histories: Histories, count: int) -> Iterator[int]:
    names = {history[-1].job_name for history in histories}
    for name in names if count else ():
        yield from sorted(each.id for history in histories for each in history if each.job_name == name)[-count:]


def _has_unfinished_parent(child: JobExecution, histories: Histories) -> bool:
    parents = [history for history in histories if any(_launched(each, child) for each in history)]
    return any(history[-1].status.is_running or history[-1].status.is_restartable for history in parents)


def _launched(execution: JobExecution, child: JobExecution) -> bool:
    return any(step.id == child.parent_step_id for step in execution.steps)
