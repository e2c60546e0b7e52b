"""Gives job instances away and takes them in, each in one transaction; `domain.carrying` says what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from batchrun.domain.carrying import (
    CarriedInstance,
    OtherOriginError,
    carried_token,
    may_export,
    missing_executions,
)
from batchrun.domain.execution import InstanceOrigin, JobExecution, JobInstance, Owner, StepExecution
from batchrun.domain.launch import may_recover
from batchrun.domain.parameters import JobParameters
from batchrun.errors import NoSuchExecutionError
from batchrun.repository import loading, rows, statements
from batchrun.repository.ending import end_unowned, owner_is_alive
from batchrun.repository.tables import job_execution, job_instance, job_parameter, step_execution

_PAGE = 500
_instance_id: BindParameter[int] = bindparam("b_instance_id")
_of_instance = job_instance.c.id == _instance_id

_execution_ids = select(job_execution.c.id).where(job_execution.c.instance_id == _instance_id).order_by("id")
_children = (
    select(job_execution.c.instance_id)
    .join(step_execution, step_execution.c.id == job_execution.c.parent_step_id)
    .where(step_execution.c.instance_id == _instance_id)
    .group_by(job_execution.c.instance_id)
    .order_by(job_execution.c.instance_id)
)
_mark_exported = update(job_instance).where(_of_instance).values(exported_at=bindparam("exported_at"))
_find_carried = select(job_instance).where(
    job_instance.c.origin_repository_id == bindparam("repository_id"),
    job_instance.c.origin_instance_id == bindparam("instance_id"),
)
_find_own = select(job_instance).where(_of_instance, job_instance.c.origin_repository_id.is_(None))
_insert_carried = insert(job_instance).returning(job_instance.c.id)
_set_identity = update(job_instance).where(_of_instance).values(identity=bindparam("identity"))
_of_execution: BindParameter[int] = bindparam("b_execution_id")
_set_file = update(job_execution).where(job_execution.c.id == _of_execution).values(job_file=bindparam("job_file"))
_delete_parameters = delete(job_parameter).where(job_parameter.c.job_execution_id == _of_execution)


def _load_instance(connection: Connection, instance_id: int) -> list[JobExecution]:
    """Returns all executions of an instance, in order."""
    ids = connection.execute(_execution_ids, {"b_instance_id": instance_id}).scalars().all()
    pages = [ids[begin : begin + _PAGE] for begin in range(0, len(ids), _PAGE)]
    return [execution for page in pages for execution in reversed(loading.load(connection, page))]


def _is_alive(connection: Connection, execution: JobExecution, is_gone: Callable[[Owner], bool]) -> bool:
    """Tells whether the owner of an execution lives, which is locked against it."""
    row = connection.execute(statements.lock_execution, {"b_execution_id": execution.id}).one()
    return owner_is_alive(rows.execution_of(row, JobParameters(), []), row, is_gone)


@dataclass(frozen=True, slots=True)
class Export:
    """An export in the transaction that makes it."""

    connection: Connection
    repository_id: str
    is_gone: Callable[[Owner], bool]

    def execute(self, execution_id: int) -> list[CarriedInstance]:
        """Returns the instance of the execution, and behind it those of its child jobs."""
        found = loading.load(self.connection, [execution_id])
        if not found:
            raise NoSuchExecutionError(execution_id)
        ids = [found[0].instance.id]
        carried = [self._carried(found[0].instance.id, execution_id)]
        for instance_id in ids:
            children = self.connection.execute(_children, {"b_instance_id": instance_id}).scalars().all()
            new = [child for child in children if child not in ids]
            ids += new
            carried += [self._carried(child) for child in new]
        return carried

    def _carried(self, instance_id: int, execution_id: int | None = None) -> CarriedInstance:
        last = _load_instance(self.connection, instance_id)[-1]
        named = last if execution_id is None else replace(last, id=execution_id)
        if may_export(named, last.id, owner_is_alive=_is_alive(self.connection, last, self.is_gone)):
            end_unowned(self.connection, last)
        values = {"b_instance_id": instance_id, "exported_at": datetime.now(UTC)}
        self.connection.execute(_mark_exported, values)
        executions = _load_instance(self.connection, instance_id)
        return CarriedInstance(last.job_name, last.instance.known_as(self.repository_id), tuple(executions))


@dataclass(frozen=True, slots=True)
class Import:
    """An import in the transaction that makes it.

    Attributes:
        step_ids: the ids here of the steps that come in, by those that they had.
    """

    connection: Connection
    repository_id: str
    is_gone: Callable[[Owner], bool]
    step_ids: dict[int, int] = field(default_factory=dict)

    def execute(self, carried: Sequence[CarriedInstance]) -> int:
        """Takes the instances in and returns the id of the first one's last execution."""
        first, *children = carried
        last_id = self._take_in(first)
        for child in children:
            self._take_in(child)
        return last_id

    def _take_in(self, carried: CarriedInstance) -> int:
        instance_id = self._find(carried.origin)
        here = [] if instance_id is None else _load_instance(self.connection, instance_id)
        missing = missing_executions(carried, here)
        self._refuse_other(carried, instance_id)
        if here and may_recover(here[-1], owner_is_alive=_is_alive(self.connection, here[-1], self.is_gone)):
            end_unowned(self.connection, here[-1])
        self._know_steps(carried, here)
        instance = self._stored(carried, instance_id, is_new=bool(missing))
        ids = {each.token: each.id for each in here}
        for execution in missing:
            ids[execution.token] = self._add(replace(execution, instance=instance), carried, ids)
        last_id = ids[carried.last.token]
        if not missing:
            self._put_in_place(last_id, carried.last)
        return last_id

    def _put_in_place(self, last_id: int, last: JobExecution) -> None:
        """Lets the execution that a restart continues find its files where this import says, not the one before."""
        self.connection.execute(_set_file, {"b_execution_id": last_id, "job_file": last.job_file})
        self.connection.execute(_delete_parameters, {"b_execution_id": last_id})
        if parameters := rows.parameter_rows(last_id, last.parameters):
            self.connection.execute(statements.insert_parameters, parameters)

    def _find(self, origin: InstanceOrigin) -> int | None:
        if origin.repository_id == self.repository_id:
            found = self.connection.execute(_find_own, {"b_instance_id": origin.instance_id})
        else:
            values = {"repository_id": origin.repository_id, "instance_id": origin.instance_id}
            found = self.connection.execute(_find_carried, values)
        row = found.one_or_none()
        return None if row is None else int(row.id)

    def _refuse_other(self, carried: CarriedInstance, instance_id: int | None) -> None:
        """Raises where another instance has the same name and parameters."""
        key = {"b_job_name": carried.job_name, "b_identity": carried.identity}
        row = self.connection.execute(statements.find_instance, key).one_or_none()
        if row is not None and row.id != instance_id:
            last_id = self.connection.execute(statements.last_execution_id, {"b_instance_id": row.id}).scalar_one()
            raise OtherOriginError(carried.job_name, last_id)

    def _know_steps(self, carried: CarriedInstance, here: Sequence[JobExecution]) -> None:
        """Notes which of the steps that come in are here already; their numbers tell."""
        by_number = {step.number: step.id for execution in here for step in execution.steps}
        for step in (step for execution in carried.executions for step in execution.steps):
            if step.number in by_number:
                self.step_ids[step.id] = by_number[step.number]

    def _stored(self, carried: CarriedInstance, instance_id: int | None, *, is_new: bool) -> JobInstance:
        token = carried_token(carried.last.token, datetime.now(UTC))
        if instance_id is None:
            values = {
                "job_name": carried.job_name,
                "identity": carried.identity,
                "token": token,
                "origin_repository_id": carried.origin.repository_id,
                "origin_instance_id": carried.origin.instance_id,
            }
            instance_id = self.connection.execute(_insert_carried, values).scalar_one()
        else:
            values = {"b_instance_id": instance_id, "identity": carried.identity}
            self.connection.execute(_set_identity, values)
            if is_new:
                self.connection.execute(statements.raise_token, {"b_instance_id": instance_id, "token": token})
        return JobInstance(instance_id, carried.job_name, carried.identity, carried.origin)

    def _add(self, execution: JobExecution, carried: CarriedInstance, ids: dict[int, int]) -> int:
        tokens = {each.id: each.token for each in carried.executions}
        added = replace(
            execution,
            restart_of=ids.get(tokens.get(execution.restart_of or 0, 0)),
            parent_step_id=self.step_ids.get(execution.parent_step_id or 0),
        )
        values = {**rows.new_execution_values(added), "b_lease_seconds": 0.0}
        added.id = self.connection.execute(statements.insert_execution, values).scalar_one()
        if parameters := rows.parameter_rows(added.id, added.parameters):
            self.connection.execute(statements.insert_parameters, parameters)
        if (run_id := added.parameters.run_id) is not None:
            self.connection.execute(statements.note_run, {"job_name": added.job_name, "run_id": run_id})
        for step in execution.steps:
            self._add_step(added, step)
        return added.id

    def _add_step(self, execution: JobExecution, step: StepExecution) -> None:
        added = replace(step, parent_id=self.step_ids.get(step.parent_id or 0))
        values = rows.new_step_values(execution, added)
        self.step_ids[step.id] = self.connection.execute(statements.insert_step, values).scalar_one()
