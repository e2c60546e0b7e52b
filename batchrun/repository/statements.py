"""The repository's statements, each built once, so that SQLAlchemy compiles it once.

A name in `bindparam` that is no column's begins with `b_`, since an UPDATE takes the columns' names for its values.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, bindparam, func, insert, select, text, update

from batchrun.domain.execution import StepCounts
from batchrun.repository.columns import epoch_now
from batchrun.repository.tables import is_running, job_execution, job_instance, job_parameter, step_execution

_lease_end = epoch_now() + bindparam("b_lease_seconds")

# --- the fence ----------------------------------------------------------------------------------------

# FOR SHARE (SQLite leaves it out): waits for a takeover that is under way, and looks again when that has ended.
owned = (
    select(job_execution.c.id)
    .where(job_execution.c.id == bindparam("b_execution_id"), job_execution.c.token == bindparam("b_token"), is_running)
    .with_for_update(read=True)
)
"""The execution's id, if its owner still has it."""

# --- begin --------------------------------------------------------------------------------------------

# FOR NO KEY UPDATE: each new step of a running execution refers to the instance, and looks at its key while it holds
# the execution. FOR UPDATE would make it wait for a launch that in turn waits for the execution, a deadlock.
find_instance = (
    select(job_instance)
    .where(job_instance.c.job_name == bindparam("b_job_name"), job_instance.c.identity == bindparam("b_identity"))
    .with_for_update(key_share=True)
)
insert_instance = text(
    "INSERT INTO job_instance (job_name, identity, token) VALUES (:job_name, :identity, 0) ON CONFLICT DO NOTHING"
)
"""A text, which both databases take as it is: SQLAlchemy's form would import both dialects, 0.05 s of each start."""
count_run = text(
    "INSERT INTO job_counter (job_name, run_id) VALUES (:job_name, 1) "
    "ON CONFLICT (job_name) DO UPDATE SET run_id = job_counter.run_id + 1 RETURNING run_id"
)
"""Gives the job's next `run.id`; who asks meanwhile waits for the end of this transaction."""
note_run = text(
    "INSERT INTO job_counter (job_name, run_id) VALUES (:job_name, :run_id) "
    "ON CONFLICT (job_name) DO UPDATE SET run_id = excluded.run_id WHERE excluded.run_id > job_counter.run_id"
)
"""Keeps the next `run.id` above one that was given."""
raise_token = (
    update(job_instance).where(job_instance.c.id == bindparam("b_instance_id")).values(token=bindparam("token"))
)

_execution = select(
    *(column for column in job_execution.c if column is not job_execution.c.lease_until_epoch),
    job_instance.c.identity,
    job_instance.c.origin_repository_id,
    job_instance.c.origin_instance_id,
    job_instance.c.exported_at,
    (job_execution.c.lease_until_epoch < epoch_now()).label("is_lapsed"),
).join(job_instance, job_instance.c.id == job_execution.c.instance_id)

lock_last_execution = (
    _execution.where(job_execution.c.instance_id == bindparam("b_instance_id"))
    .order_by(job_execution.c.id.desc())
    .limit(1)
    .with_for_update(of=job_execution)
)
find_execution = _execution.where(job_execution.c.id == bindparam("b_execution_id"))
lock_execution = find_execution.with_for_update(of=job_execution)
last_execution_id = select(func.max(job_execution.c.id)).where(
    job_execution.c.instance_id == bindparam("b_instance_id")
)
request_stop = (
    update(job_execution)
    .where(job_execution.c.id == bindparam("b_execution_id"), job_execution.c.stop_requested_at.is_(None))
    .values(stop_requested_at=bindparam("stop_requested_at"))
)
insert_execution = insert(job_execution).values(lease_until_epoch=_lease_end).returning(job_execution.c.id)
insert_parameters = insert(job_parameter)

_ending = ("status", "exit_code", "exit_description", "ended_at")
end_execution = (
    update(job_execution)
    .where(job_execution.c.id == bindparam("b_execution_id"))
    .values({name: bindparam(name) for name in _ending})
)
end_running_steps = (
    update(step_execution)
    .where(step_execution.c.job_execution_id == bindparam("b_execution_id"), is_running)
    .values({name: bindparam(name) for name in _ending})
)

# --- what the owner writes ----------------------------------------------------------------------------

renew_lease = (
    update(job_execution)
    .where(job_execution.c.id == bindparam("b_execution_id"), job_execution.c.token == bindparam("b_token"), is_running)
    .values(lease_until_epoch=_lease_end)
)
stop_requested = select(job_execution.c.stop_requested_at).where(job_execution.c.id == bindparam("b_execution_id"))
save_job = (
    update(job_execution)
    .where(job_execution.c.id == bindparam("b_execution_id"), job_execution.c.token == bindparam("b_token"), is_running)
    .values({name: bindparam(name) for name in (*_ending, "started_at", "flow_position", "context")})
)
insert_step = insert(step_execution).returning(step_execution.c.id)

_counts = tuple(StepCounts().as_dict())
save_step = (
    update(step_execution)
    .where(
        step_execution.c.id == bindparam("b_step_id"),
        step_execution.c.job_execution_id == owned.scalar_subquery(),
    )
    .values({name: bindparam(name) for name in (*_ending, *_counts, "visit", "checkpoint", "started_at", "parent_id")})
)
correct_step = (
    update(step_execution)
    .where(
        step_execution.c.instance_id == bindparam("b_instance_id"),
        func.coalesce(step_execution.c.number, step_execution.c.id) == bindparam("b_number"),
    )
    .values({name: bindparam(name) for name in (*_counts, "checkpoint")})
)

# --- what readers ask ---------------------------------------------------------------------------------

_of_step = (
    step_execution.c.instance_id == bindparam("b_instance_id"),
    step_execution.c.step_name == bindparam("b_step_name"),
)
_last_visit = (
    select(step_execution.c.step_name, func.max(step_execution.c.visit).label("visit"))
    .where(step_execution.c.instance_id == bindparam("b_instance_id"))
    .group_by(step_execution.c.step_name)
    .subquery()
)
last_visits = (
    select(step_execution)
    .join(
        _last_visit,
        (step_execution.c.step_name == _last_visit.c.step_name) & (step_execution.c.visit == _last_visit.c.visit),
    )
    .where(step_execution.c.instance_id == bindparam("b_instance_id"))
)
"""In no order: sorting the few rows is cheaper than having the database do it."""
count_steps = select(func.count()).select_from(step_execution).where(*_of_step)


_ids: BindParameter[int] = bindparam("b_ids", expanding=True)
heads = _execution.where(job_execution.c.id.in_(_ids)).order_by(job_execution.c.id.desc())
"""The executions of these ids, newest first."""
parameters = (
    select(job_parameter)
    .where(job_parameter.c.job_execution_id.in_(_ids))
    .order_by(job_parameter.c.job_execution_id, job_parameter.c.position)
)
"""The parameters of all executions of these ids, in order."""
steps = select(step_execution).where(step_execution.c.job_execution_id.in_(_ids)).order_by(step_execution.c.id)
"""The steps of all executions of these ids, in order of their start."""
