"""Ends executions from outside: those whose owner is dead, and those that an operator gives up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from batchrun.domain.execution import JobExecution, Owner
from batchrun.domain.launch import dead, may_abandon, may_recover
from batchrun.domain.parameters import JobParameters
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import NoSuchExecutionError, NotRunningError
from batchrun.repository import rows, statements


def owner_is_alive(execution: JobExecution, row: rows.AnyRow, is_gone: Callable[[Owner], bool]) -> bool:
    """Tells of a running execution whether its owner lives: its lease has not run out, and its process is not gone."""
    return not (execution.status.is_running and (row.is_lapsed or is_gone(execution.owner)))


def end_unowned(connection: Connection, execution: JobExecution, how: str = "was found dead") -> None:
    """Sets an execution that nobody runs to FAILED, with its running steps."""
    _end(connection, execution, BatchStatus.FAILED, dead(execution.owner, how))


def _end(connection: Connection, execution: JobExecution, status: BatchStatus, exit_status: ExitStatus) -> None:
    ended_at = execution.ended_at or datetime.now(UTC)
    values = {**rows.ending_values(status, exit_status, ended_at), "b_execution_id": execution.id}
    connection.execute(statements.end_execution, values)
    connection.execute(statements.end_running_steps, values)


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operator does to one execution, in a transaction that holds it."""

    connection: Connection
    execution_id: int
    is_gone: Callable[[Owner], bool]

    def request_stop(self) -> None:
        """Records the request, for the owner to see."""
        execution, owner_is_alive = self._held()
        name, status = execution.job_name, execution.status
        if not status.is_running:
            raise NotRunningError(name, execution.id, status.name)
        if not owner_is_alive:
            way_out = f"batchrun recover {execution.id} sets it right, batchrun restart {execution.id} goes on"
            raise NotRunningError(name, execution.id, f"{status.name}, but its process is gone", way_out)
        values = {"b_execution_id": execution.id, "stop_requested_at": datetime.now(UTC)}
        self.connection.execute(statements.request_stop, values)

    def recover(self, *, force: bool) -> None:
        """Ends the execution if its owner is dead."""
        execution, owner_is_alive = self._held()
        if may_recover(execution, owner_is_alive=owner_is_alive, force=force):
            how = "was taken to be dead by an operator" if owner_is_alive else "was found dead"
            end_unowned(self.connection, execution, how)

    def abandon(self) -> None:
        """Gives the execution up for good."""
        execution, owner_is_alive = self._held()
        of_instance = {"b_instance_id": execution.instance.id}
        last_id = self.connection.execute(statements.last_execution_id, of_instance).scalar_one()
        if may_abandon(execution, last_id, owner_is_alive=owner_is_alive):
            given_up = ExitStatus(BatchStatus.ABANDONED.name, execution.exit_status.description)
            _end(self.connection, execution, BatchStatus.ABANDONED, given_up)

    def _held(self) -> tuple[JobExecution, bool]:
        """Returns the execution, locked against its owner, and whether that lives."""
        row = self.connection.execute(statements.lock_execution, {"b_execution_id": self.execution_id}).one_or_none()
        if row is None:
            raise NoSuchExecutionError(self.execution_id)
        execution = rows.execution_of(row, JobParameters(), [])
        return execution, owner_is_alive(execution, row, self.is_gone)
