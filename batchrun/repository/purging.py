"""Deletes job instances with all that belongs to them, a bounded number of executions in a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, delete, exists, func, select, update

from batchrun.domain.purge import PurgeableInstance, PurgeCriteria, PurgedExecution
from batchrun.domain.status import BatchStatus
from batchrun.repository.tables import job_execution, job_instance, step_execution

EXECUTIONS_AT_ONCE = 500
"""Few enough that a transaction is over before anybody waits for it."""

_ids: BindParameter[int] = bindparam("b_ids", expanding=True)
_lasts = (
    select(
        job_execution.c.instance_id,
        func.max(job_execution.c.id).label("id"),
        func.count().label("execution_count"),
    )
    .group_by(job_execution.c.instance_id)
    .subquery("last")
)
_unfinished = [status for status in BatchStatus if status.is_running or status.is_restartable]

lock_instances = select(job_instance.c.id).where(job_instance.c.id.in_(_ids)).order_by(job_instance.c.id)
last_ids = (
    select(job_execution.c.instance_id, func.max(job_execution.c.id))
    .where(job_execution.c.instance_id.in_(_ids))
    .group_by(job_execution.c.instance_id)
)
first_executions = (
    select(job_execution.c.id, job_execution.c.instance_id, job_execution.c.job_file)
    .where(job_execution.c.instance_id.in_(_ids))
    .order_by(job_execution.c.instance_id, job_execution.c.id)
    .limit(EXECUTIONS_AT_ONCE)
)
give_up = update(job_execution).where(job_execution.c.id.in_(_ids)).values(status=BatchStatus.ABANDONED)
delete_executions = delete(job_execution).where(job_execution.c.id.in_(_ids))
delete_instances = delete(job_instance).where(
    job_instance.c.id.in_(_ids), ~exists().where(job_execution.c.instance_id == job_instance.c.id)
)


def find_purgeable(connection: Connection, criteria: PurgeCriteria) -> list[PurgeableInstance]:
    """Returns the instances to delete, in the order of their last executions."""
    found = (
        select(
            job_execution.c.instance_id,
            job_execution.c.job_name,
            job_execution.c.status,
            job_execution.c.id,
            _lasts.c.execution_count,
        )
        .join(_lasts, _lasts.c.id == job_execution.c.id)
        .where(*_conditions(criteria))
        .order_by(job_execution.c.id)
    )
    return [PurgeableInstance._make(row) for row in connection.execute(found)]


def _conditions(criteria: PurgeCriteria) -> Iterator[ColumnElement[bool]]:
    yield job_execution.c.status.in_(sorted(criteria.purged_statuses))
    yield ~_parent_is_unfinished()
    if criteria.job_names:
        yield job_execution.c.job_name.in_(sorted(criteria.job_names))
    if criteria.ended_before is not None:
        yield func.coalesce(job_execution.c.ended_at, job_execution.c.created_at) < criteria.ended_before
    if criteria.keep_last:
        yield job_execution.c.id.not_in(_newest(criteria.keep_last))


def _newest(count: int) -> Select[int]:
    """Returns the newest executions of each job."""
    place = func.row_number().over(partition_by=job_execution.c.job_name, order_by=job_execution.c.id.desc())
    placed = select(job_execution.c.id, place.label("place")).subquery()
    return select(placed.c.id).where(placed.c.place <= count)


def _parent_is_unfinished() -> ColumnElement[bool]:
    """Tells whether the job that launched it as a child may still ask whether it has completed."""
    parent = job_execution.alias("parent")
    last_of_parent = _lasts.alias("last_of_parent")
    return (
        exists()
        .where(step_execution.c.id == job_execution.c.parent_step_id)
        .where(last_of_parent.c.instance_id == step_execution.c.instance_id)
        .where(parent.c.id == last_of_parent.c.id, parent.c.status.in_(_unfinished))
    )


def purge(connection: Connection, instances: Sequence[PurgeableInstance]) -> list[PurgedExecution]:
    """Deletes the first executions of the instances, and each instance whose last one is gone with them."""
    kept_ids = _unchanged(connection, instances)
    found = connection.execute(first_executions, {"b_ids": kept_ids})
    purged = [PurgedExecution(row.id, row.instance_id, row.job_file) for row in found]
    purged_ids = {execution.id for execution in purged}
    left = [each.last_execution_id for each in instances if each.id in kept_ids]
    # Of an instance of which a part is gone, nothing more can be restarted: also if this process dies now.
    connection.execute(give_up, {"b_ids": [each for each in left if each not in purged_ids]})
    connection.execute(delete_executions, {"b_ids": list(purged_ids)})
    connection.execute(delete_instances, {"b_ids": kept_ids})
    return purged


def _unchanged(connection: Connection, instances: Sequence[PurgeableInstance]) -> list[int]:
    """Returns those that have no later execution meanwhile, locked against a launch."""
    known = {instance.id: instance.last_execution_id for instance in instances}
    connection.execute(lock_instances.with_for_update(), {"b_ids": list(known)})
    lasts = connection.execute(last_ids, {"b_ids": list(known)})
    return [instance_id for instance_id, last_id in lasts if known[instance_id] == last_id]
