"""SqlJobRepository: the JobRepository on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from batchrun.domain.carrying import CarriedInstance, new_number
from batchrun.domain.execution import Checkpoint, JobExecution, Owner, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.domain.purge import PurgeableInstance, PurgeCriteria, PurgedExecution
from batchrun.domain.selection import EVERY, ExecutionFilter
from batchrun.errors import FencedError, NoSuchExecutionError, RepositoryUnreachableError
from batchrun.repository import finding, loading, purging, rows, schema, statements
from batchrun.repository.begin import Beginning
from batchrun.repository.carrying import Export, Import
from batchrun.repository.database import Database
from batchrun.repository.ending import Operation, owner_is_alive

if TYPE_CHECKING:
    from batchrun.spi.repository import LaunchRequest

_PAGE = 500
"""Executions that one statement reads: neither database takes any number of values."""


class SqlJobRepository:
    """Keeps the JobRepository contract in tables, for any number of processes.

    Attributes:
        id: the repository's own id, made with its tables.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        try:
            self.id = schema.ensure(database)
        except BaseException:
            database.close()
            raise

    def begin(self, request: LaunchRequest) -> JobExecution:
        """Finds or makes the job instance and gives it a new execution.

        Where the partial unique index, the net below the row locks, forbids it, a second try sees who was faster.
        """
        try:
            return self._begin(request)
        except RepositoryUnreachableError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
        return self._begin(request)

    def _begin(self, request: LaunchRequest) -> JobExecution:
        with self._database.writing() as connection:
            return Beginning(connection, request).execute()

    def renew_lease(self, execution: JobExecution, lease: timedelta) -> None:
        """Prolongs the owner's lease, by the database's clock."""
        values = {**_fence(execution), "b_lease_seconds": lease.total_seconds()}
        if not self._database.write_quickly(statements.renew_lease, values):
            raise _fenced(execution)

    def is_stop_requested(self, execution: JobExecution) -> bool:
        """Tells whether somebody has asked the execution to stop."""
        with self._database.reading() as connection:
            values = {"b_execution_id": execution.id}
            return connection.execute(statements.stop_requested, values).scalar_one() is not None

    def save_job(self, execution: JobExecution) -> None:
        """Stores status, exit status, times and flow position."""
        values = {**_fence(execution), **rows.execution_values(execution)}
        with self._database.writing() as connection:
            if not connection.execute(statements.save_job, values).rowcount:
                raise _fenced(execution)

    def add_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores a new step execution and gives it its id and number."""
        values = rows.new_step_values(execution, step)
        values["number"] = new_number() if execution.instance.origin else None
        with self._database.writing() as connection:
            _hold(connection, execution)
            step_id = connection.execute(statements.insert_step, values).scalar_one()
        step.id, step.number = step_id, values["number"] or step_id

    def save_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores all of a step execution, durably."""
        with self._database.writing() as connection:
            if not connection.execute(statements.save_step, _step_update(execution, step)).rowcount:
                raise _fenced(execution)

    def save_progress(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores all of a step execution, with one statement that waits for no disk."""
        if not self._database.write_quickly(statements.save_step, _step_update(execution, step)):
            raise _fenced(execution)

    def correct_step(self, execution: JobExecution, checkpoint: Checkpoint) -> None:
        """Stores a target's checkpoint in the attempt that committed it."""
        values = {
            "b_number": checkpoint.attempt,
            "b_instance_id": execution.instance.id,
            "checkpoint": checkpoint.as_dict(),
            **checkpoint.counts.as_dict(),
        }
        with self._database.writing() as connection:
            _hold(connection, execution)
            connection.execute(statements.correct_step, values)

    def last_execution(self, job_name: str, identity: str) -> JobExecution | None:
        """Returns the last execution of a job instance with its steps, or None."""
        values = {"b_job_name": job_name, "b_identity": identity}
        with self._database.reading() as connection:
            found = loading.load(connection, connection.execute(finding.last_execution_id, values).scalars().all())
        return found[0] if found else None

    def last_visits(self, execution: JobExecution) -> list[StepExecution]:
        """Returns all attempts at each step's last visit in the execution's instance."""
        of_instance = {"b_instance_id": execution.instance.id}
        with self._database.reading() as connection:
            found = connection.execute(statements.last_visits, of_instance).all()
        return sorted((rows.step_of(row) for row in found), key=lambda step: step.id)

    def count_step_starts(self, execution: JobExecution, step_name: str) -> int:
        """Returns how many times the step has started in the execution's instance."""
        with self._database.reading() as connection:
            of_step = {"b_instance_id": execution.instance.id, "b_step_name": step_name}
            return connection.execute(statements.count_steps, of_step).scalar_one()

    def is_alive(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> bool:
        """Tells whether the execution runs and its owner lives, by one statement that locks nothing."""
        with self._database.reading() as connection:
            row = connection.execute(statements.find_execution, {"b_execution_id": execution_id}).one_or_none()
        if row is None:
            raise NoSuchExecutionError(execution_id)
        execution = rows.execution_of(row, JobParameters(), [])
        return execution.status.is_running and owner_is_alive(execution, row, is_gone)

    def request_stop(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> JobExecution:
        """Records that the execution is to stop."""
        with self._database.writing() as connection:
            Operation(connection, execution_id, is_gone).request_stop()
        return self.find_execution(execution_id)

    def recover(self, execution_id: int, is_gone: Callable[[Owner], bool], *, force: bool = False) -> JobExecution:
        """Sets an execution whose owner is dead to FAILED."""
        with self._database.writing() as connection:
            Operation(connection, execution_id, is_gone).recover(force=force)
        return self.find_execution(execution_id)

    def abandon(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> JobExecution:
        """Sets an execution to ABANDONED."""
        with self._database.writing() as connection:
            Operation(connection, execution_id, is_gone).abandon()
        return self.find_execution(execution_id)

    def find_execution(self, execution_id: int) -> JobExecution:
        """Returns an execution with its steps."""
        with self._database.reading() as connection:
            found = loading.load(connection, [execution_id])
        if not found:
            raise NoSuchExecutionError(execution_id)
        return found[0]

    def find_executions(self, chosen: ExecutionFilter = EVERY, *, limit: int | None = None) -> list[JobExecution]:
        """Returns executions with their steps, newest first, by four statements for each few hundred."""
        with self._database.reading() as connection:
            ids = connection.execute(finding.execution_ids(chosen, limit)).scalars().all()
            pages = [ids[begin : begin + _PAGE] for begin in range(0, len(ids), _PAGE)]
            return [execution for page in pages for execution in loading.load(connection, page)]

    def later_execution_id(self, execution: JobExecution) -> int | None:
        """Returns the execution that came next in the same instance."""
        values = {"b_instance_id": execution.instance.id, "b_execution_id": execution.id}
        with self._database.reading() as connection:
            return connection.execute(finding.later_execution_id, values).scalar_one()

    def job_names(self) -> list[str]:
        """Returns the names of all jobs that have instances."""
        with self._database.reading() as connection:
            return sorted(connection.execute(finding.job_names).scalars())

    def find_purgeable(self, criteria: PurgeCriteria) -> list[PurgeableInstance]:
        """Returns the job instances that the criteria let go."""
        with self._database.reading() as connection:
            return purging.find_purgeable(connection, criteria)

    def purge(self, instances: Sequence[PurgeableInstance]) -> list[PurgedExecution]:
        """Deletes a bounded number of the instances' executions in one short transaction."""
        with self._database.writing() as connection:
            return purging.purge(connection, instances)

    def export_instance(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> list[CarriedInstance]:
        """Returns the instance of an execution and those of its child jobs, as they are to be carried elsewhere."""
        with self._database.writing() as connection:
            return Export(connection, self.id, is_gone).execute(execution_id)

    def import_instances(self, carried: Sequence[CarriedInstance], is_gone: Callable[[Owner], bool]) -> int:
        """Takes an instance in, with those of its child jobs; returns the id of its last execution here."""
        with self._database.writing() as connection:
            return Import(connection, self.id, is_gone).execute(carried)

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()


def _fence(execution: JobExecution) -> Mapping[str, Any]:
    return {"b_execution_id": execution.id, "b_token": execution.token}


def _fenced(execution: JobExecution) -> FencedError:
    return FencedError(f"execution {execution.id} of job {execution.job_name!r}", execution.token)


def _hold(connection: Connection, execution: JobExecution) -> None:
    """Holds the execution against a takeover until the transaction ends."""
    if connection.execute(statements.owned, _fence(execution)).one_or_none() is None:
        raise _fenced(execution)


def _step_update(execution: JobExecution, step: StepExecution) -> Mapping[str, Any]:
    return {**_fence(execution), **rows.step_values(step), "b_step_id": step.id}
