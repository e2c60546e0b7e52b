"""The statements that find executions by what they are like, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, text

from batchrun.domain.selection import ExecutionFilter
from batchrun.domain.status import BatchStatus
from batchrun.repository.tables import INDEXED_CHARACTERS, job_execution, job_instance, job_parameter, value_start

_counted_id = job_execution.c.id + 0
"""Keeps PostgreSQL from looking for the least id along the primary key, past all executions of another time."""
_RUNNING = frozenset(status for status in BatchStatus if status.is_running)


def execution_ids(chosen: ExecutionFilter, limit: int | None) -> Select[int]:
    """Returns the ids of the executions asked for, newest first."""
    found = select(job_execution.c.id).where(*_conditions(chosen)).order_by(job_execution.c.id.desc())
    return found if limit is None else found.limit(limit)


later_execution_id: Select[int | None] = select(func.min(job_execution.c.id)).where(
    job_execution.c.instance_id == bindparam("b_instance_id"), job_execution.c.id > bindparam("b_execution_id")
)
"""The execution that came next in the same instance."""

last_execution_id: Select[int] = (
    select(job_execution.c.id)
    .join(job_instance, job_instance.c.id == job_execution.c.instance_id)
    .where(job_instance.c.job_name == bindparam("b_job_name"), job_instance.c.identity == bindparam("b_identity"))
    .order_by(job_execution.c.id.desc())
    .limit(1)
)
"""The last execution of an instance."""

job_names = text(
    "WITH RECURSIVE name (job_name) AS ("
    "SELECT min(job_name) FROM job_instance UNION ALL "
    "SELECT (SELECT min(job_name) FROM job_instance WHERE job_name > name.job_name) FROM name "
    "WHERE name.job_name IS NOT NULL"
    ") SELECT job_name FROM name WHERE job_name IS NOT NULL"
)
"""All names, by one step of the index for each; DISTINCT would walk through all instances."""


def _conditions(chosen: ExecutionFilter) -> Iterator[ColumnElement[bool]]:
    if chosen.job_names:
        yield job_execution.c.job_name.in_(sorted(chosen.job_names))
    if chosen.statuses:
        yield from _of_status(frozenset(chosen.statuses))
    if chosen.before_id is not None:
        yield job_execution.c.id < chosen.before_id
    yield from _created(chosen.since, chosen.until)
    for name, texts in chosen.parameters.items():
        yield job_execution.c.id.in_(_with_parameter(name, texts))


def _of_status(asked: frozenset[BatchStatus]) -> Iterator[ColumnElement[bool]]:
    """Adds to what is stored that a running execution which has been asked to stop is STOPPING."""
    running = asked & _RUNNING
    stored = asked | _RUNNING if running else asked
    yield job_execution.c.status.in_(sorted(stored))
    if running and running != _RUNNING:
        is_asked_to_stop = job_execution.c.stop_requested_at.is_not(None)
        runs_on = _RUNNING if BatchStatus.STOPPING in running else frozenset()
        yield or_(
            job_execution.c.status.in_(sorted(asked - _RUNNING)),
            and_(job_execution.c.status.in_(sorted(running)), ~is_asked_to_stop),
            and_(job_execution.c.status.in_(sorted(runs_on)), is_asked_to_stop),
        )


def _created(since: datetime | None, until: datetime | None) -> Iterator[ColumnElement[bool]]:
    """Bounds the ids too: they count up about as time does, so that the walk in their order is a short one."""
    if since is not None:
        first = select(func.min(_counted_id)).where(job_execution.c.created_at >= since)
        yield job_execution.c.id >= first.scalar_subquery()
        yield job_execution.c.created_at >= since
    if until is not None:
        last = select(func.max(_counted_id)).where(job_execution.c.created_at < until)
        yield job_execution.c.id <= last.scalar_subquery()
        yield job_execution.c.created_at < until


def _with_parameter(name: str, texts: Collection[str]) -> Select[int]:
    """Compares the start of the value, which is indexed, and then the whole."""
    starts = {each[:INDEXED_CHARACTERS] for each in texts}
    # A plain `value = ?` SQLite would put in the place of the value in the other condition, and then miss the index.
    whole = job_parameter.c.value + ""
    return select(job_parameter.c.job_execution_id).where(
        job_parameter.c.name == name, value_start.in_(sorted(starts)), whole.in_(sorted(texts))
    )
