"""One transaction that finds or makes a job instance and gives it a new execution, by the launch table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from batchrun.domain.execution import JobExecution, JobInstance
from batchrun.domain.launch import LaunchDecision, decide_launch
from batchrun.domain.position import FlowPosition
from batchrun.repository import rows, statements
from batchrun.repository.ending import end_unowned, owner_is_alive
from batchrun.version import __version__

if TYPE_CHECKING:
    from batchrun.spi.repository import LaunchRequest


@dataclass(frozen=True, slots=True)
class Beginning:
    """A launch request in the transaction that decides it.

    Where the request has a `run.id`, the job's counter is locked first, so that two requests lock in one order. Then
    the instance's row is, so that requests for one instance are decided one after another; then its last
    execution's, so that an owner that is found dead cannot end the execution meanwhile. SQLite has locked the whole
    database already.
    """

    connection: Connection
    request: LaunchRequest

    def execute(self) -> JobExecution:
        """Returns the new execution, or raises what forbids it."""
        return replace(self, request=self._numbered()).begin()

    def _numbered(self) -> LaunchRequest:
        """Returns the request with the job's next `run.id`, where it asks for one; one that it has is noted."""
        request = self.request
        job = {"job_name": request.job_name}
        if request.next_run:
            run_id = self.connection.execute(statements.count_run, job).scalar_one()
            return replace(request, parameters=request.parameters.with_run_id(run_id))
        run_id = request.parameters.run_id
        if run_id is not None:
            self.connection.execute(statements.note_run, {**job, "run_id": run_id})
        return request

    def begin(self) -> JobExecution:
        """Returns the new execution of a request that has its `run.id`."""
        instance, token = self._instance()
        last, owner_is_alive = self._last(instance)
        decision = decide_launch(last, owner_is_alive=owner_is_alive, restart_of=self.request.restart_of)
        if last is not None:
            self.request.may_continue(last)
            if decision is LaunchDecision.RECOVER:
                end_unowned(self.connection, last)
        return self._insert(instance, token + 1, last)

    def _instance(self) -> tuple[JobInstance, int]:
        """Returns the instance, made if need be, and its last token; locked."""
        name, identity = self.request.job_name, self.request.parameters.identity()
        key = {"b_job_name": name, "b_identity": identity}
        row = self.connection.execute(statements.find_instance, key).one_or_none()
        if row is None:
            self.connection.execute(statements.insert_instance, {"job_name": name, "identity": identity})
            row = self.connection.execute(statements.find_instance, key).one()
        return rows.instance_of(row, row.id), row.token

    def _last(self, instance: JobInstance) -> tuple[JobExecution | None, bool]:
        """Returns the instance's last execution, locked, and whether its owner is alive."""
        row = self.connection.execute(statements.lock_last_execution, {"b_instance_id": instance.id}).one_or_none()
        if row is None:
            return None, False
        # The same instance has the same identifying parameters, and the launch table looks at no others.
        last = rows.execution_of(row, self.request.parameters, [])
        return last, owner_is_alive(last, row, self.request.is_gone)

    def _insert(self, instance: JobInstance, token: int, last: JobExecution | None) -> JobExecution:
        request = self.request
        execution = JobExecution(
            id=0,
            instance=instance,
            parameters=request.parameters,
            owner=request.owner,
            token=token,
            created_at=datetime.now(UTC),
            restart_of=last.id if last else None,
            job_file=request.job_file,
            job_text=request.job_text,
            batchrun_version=__version__,
            parent_step_id=request.parent_step_id,
            flow=last.flow if last else FlowPosition(),
            context=last.context if last else {},
        )
        self.connection.execute(statements.raise_token, {"b_instance_id": instance.id, "token": token})
        values = {**rows.new_execution_values(execution), "b_lease_seconds": request.lease.total_seconds()}
        execution.id = self.connection.execute(statements.insert_execution, values).scalar_one()
        if parameters := rows.parameter_rows(execution.id, request.parameters):
            self.connection.execute(statements.insert_parameters, parameters)
        return execution
