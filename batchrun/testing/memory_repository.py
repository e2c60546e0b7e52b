"""A JobRepository in memory: for tests, and for runs whose history nobody needs.

What it stores is copied in and out, so a run that dies leaves what it had saved and nothing else.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice

from batchrun.domain.carrying import new_number
from batchrun.domain.execution import Checkpoint, JobExecution, JobInstance, Owner, StepExecution
from batchrun.domain.launch import LaunchDecision, decide_launch, may_abandon, may_recover
from batchrun.domain.purge import PurgeableInstance, PurgeCriteria, PurgedExecution
from batchrun.domain.selection import EVERY, ExecutionFilter
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import FencedError, NoSuchExecutionError, NotRunningError
from batchrun.spi.repository import LaunchRequest
from batchrun.testing.memory import Point, survive
from batchrun.testing.memory_carrying import MemoryCarrying
from batchrun.testing.memory_purge import purgeable_instances
from batchrun.testing.memory_records import copied, read, recover
from batchrun.version import __version__


class MemoryJobRepository(MemoryCarrying):
    """Keeps the JobRepository contract for the threads of one process.

    Attributes:
        point: called at `step.added`, `step.saved`, `progress.saved` and `job.saved`, when it is stored.
    """

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.point: Point = survive
        self._lock = threading.RLock()
        self._executions: dict[int, JobExecution] = {}
        self._instances: dict[tuple[str, str], JobInstance] = {}
        self._run_ids: dict[str, int] = {}
        self._tokens: dict[int, int] = {}
        self._leases: dict[int, float] = {}
        self._execution_ids, self._instance_ids = count(1), count(1)
        self._next_step_id = 0

    def begin(self, request: LaunchRequest) -> JobExecution:
        """Finds or makes the instance and gives it a new execution."""
        with self._lock:
            request = self._numbered(request)
            instance = self._instance(request)
            last = self._last(instance)
            alive = last is not None and not self._is_dead(last, request)
            decision = decide_launch(last, owner_is_alive=alive, restart_of=request.restart_of)
            if last is not None:
                request.may_continue(last)
            if decision is LaunchDecision.RECOVER:
                assert last is not None
                recover(last)
            execution = JobExecution(
                id=next(self._execution_ids),
                instance=instance,
                parameters=request.parameters,
                owner=request.owner,
                token=max(self._tokens.get(instance.id, 0), 0 if last is None else last.token) + 1,
                created_at=datetime.now(UTC),
                restart_of=None if last is None else last.id,
                job_file=request.job_file,
                job_text=request.job_text,
                batchrun_version=__version__,
                parent_step_id=request.parent_step_id,
            )
            if last is not None:
                execution.flow, execution.context = last.flow, copied(last.context)
            stored = copied(execution)
            stored.parameters = request.parameters.masked()
            self._executions[execution.id] = stored
            self._leases[execution.id] = time.monotonic() + request.lease.total_seconds()
            return execution

    def _numbered(self, request: LaunchRequest) -> LaunchRequest:
        highest = self._run_ids.get(request.job_name, 0)
        if request.next_run:
            request = replace(request, parameters=request.parameters.with_run_id(highest + 1))
        self._run_ids[request.job_name] = max(highest, request.parameters.run_id or 0)
        return request

    def _instance(self, request: LaunchRequest) -> JobInstance:
        key = (request.job_name, request.parameters.identity())
        if key not in self._instances:
            self._instances[key] = JobInstance(next(self._instance_ids), *key)
        return self._instances[key]

    def _last(self, instance: JobInstance) -> JobExecution | None:
        of_instance = self._of(instance)
        return of_instance[-1] if of_instance else None

    def _is_dead(self, execution: JobExecution, request: LaunchRequest) -> bool:
        return self._leases[execution.id] < time.monotonic() or request.is_gone(execution.owner)

    def renew_lease(self, execution: JobExecution, lease: timedelta) -> None:
        """Prolongs the owner's lease."""
        with self._lock:
            self._owned(execution)
            self._leases[execution.id] = time.monotonic() + lease.total_seconds()

    def is_stop_requested(self, execution: JobExecution) -> bool:
        """Tells whether somebody has asked the execution to stop."""
        with self._lock:
            return self._executions[execution.id].stop_requested_at is not None

    def save_job(self, execution: JobExecution) -> None:
        """Stores the execution without its steps."""
        with self._lock:
            stored = self._owned(execution)
            saved = copied(replace(execution, steps=[]))
            saved.steps, saved.stop_requested_at = stored.steps, stored.stop_requested_at
            self._executions[execution.id] = saved
        self.point("job.saved")

    def add_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores a new step execution."""
        with self._lock:
            stored = self._owned(execution)
            step.id = self._new_step_id()
            step.number = new_number() if execution.instance.origin else step.id
            stored.steps.append(copied(step))
        self.point("step.added")

    def save_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores all of a step execution."""
        self._store(execution, step)
        self.point("step.saved")

    def correct_step(self, execution: JobExecution, checkpoint: Checkpoint) -> None:
        """Stores a target's checkpoint in the attempt that committed it."""
        with self._lock:
            self._owned(execution)
            for each in self._executions.values():
                for step in each.steps:
                    if step.number == checkpoint.attempt and each.instance.id == execution.instance.id:
                        step.checkpoint, step.counts = checkpoint, checkpoint.counts.copy()
        self.point("step.corrected")

    def save_progress(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores a step execution after a chunk."""
        self._store(execution, step)
        self.point("progress.saved")

    def _store(self, execution: JobExecution, step: StepExecution) -> None:
        with self._lock:
            self._owned(execution)
            steps = self._executions[step.job_execution_id].steps
            place = next(place for place, each in enumerate(steps) if each.id == step.id)
            steps[place] = copied(step)

    def _owned(self, execution: JobExecution) -> JobExecution:
        stored = self._executions[execution.id]
        if not stored.status.is_running or stored.token != execution.token:
            raise FencedError(f"execution {execution.id}", execution.token)
        return stored

    def last_execution(self, job_name: str, identity: str) -> JobExecution | None:
        """Returns the last execution of an instance, or None."""
        with self._lock:
            instance = self._instances.get((job_name, identity))
            return None if instance is None else copied(self._last(instance))

    def last_visits(self, execution: JobExecution) -> list[StepExecution]:
        """Returns all attempts at each step's last visit in the instance."""
        with self._lock:
            steps = self._steps(execution)
            last = {step.step_name: step.visit for step in sorted(steps, key=lambda each: each.visit)}
            return [copied(step) for step in steps if step.visit == last[step.step_name]]

    def count_step_starts(self, execution: JobExecution, step_name: str) -> int:
        """Returns the number of attempts at the step in the instance."""
        with self._lock:
            return sum(step.step_name == step_name for step in self._steps(execution))

    def _steps(self, execution: JobExecution) -> list[StepExecution]:
        of_instance = (each for each in self._executions.values() if each.instance.id == execution.instance.id)
        return [step for each in of_instance for step in each.steps]

    def request_stop(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> JobExecution:
        """Records that the execution is to stop."""
        with self._lock:
            execution, alive = self._held(execution_id, is_gone)
            if not (execution.status.is_running and alive):
                raise NotRunningError(execution.job_name, execution.id, execution.status.name)
            execution.stop_requested_at = execution.stop_requested_at or datetime.now(UTC)
            return read(execution)

    def recover(self, execution_id: int, is_gone: Callable[[Owner], bool], *, force: bool = False) -> JobExecution:
        """Sets an execution whose owner is dead to FAILED."""
        with self._lock:
            execution, alive = self._held(execution_id, is_gone)
            if may_recover(execution, owner_is_alive=alive, force=force):
                recover(execution)
            return read(execution)

    def abandon(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> JobExecution:
        """Sets an execution to ABANDONED."""
        with self._lock:
            execution, alive = self._held(execution_id, is_gone)
            last = self._last(execution.instance)
            assert last is not None
            if may_abandon(execution, last.id, owner_is_alive=alive):
                if execution.status.is_running:
                    recover(execution)
                execution.status = BatchStatus.ABANDONED
                execution.exit_status = ExitStatus(BatchStatus.ABANDONED.name, execution.exit_status.description)
            return read(execution)

    def is_alive(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> bool:
        """Tells whether the execution runs and its owner lives."""
        with self._lock:
            execution, alive = self._held(execution_id, is_gone)
            return execution.status.is_running and alive

    def find_execution(self, execution_id: int) -> JobExecution:
        """Returns an execution with its steps."""
        with self._lock:
            if execution_id not in self._executions:
                raise NoSuchExecutionError(execution_id)
            return read(self._executions[execution_id])

    def find_executions(self, chosen: ExecutionFilter = EVERY, *, limit: int | None = None) -> list[JobExecution]:
        """Returns executions, newest first."""
        with self._lock:
            executions = map(read, reversed(self._executions.values()))
            return list(islice(filter(chosen.admits, executions), limit))

    def later_execution_id(self, execution: JobExecution) -> int | None:
        """Returns the execution that came next in the same instance."""
        with self._lock:
            of_instance = [each.id for each in self._executions.values() if each.instance.id == execution.instance.id]
            return next((each for each in of_instance if each > execution.id), None)

    def job_names(self) -> list[str]:
        """Returns the names of all jobs that have instances."""
        with self._lock:
            return sorted({name for name, _ in self._instances})

    def find_purgeable(self, criteria: PurgeCriteria) -> list[PurgeableInstance]:
        """Returns the job instances that the criteria let go."""
        with self._lock:
            return purgeable_instances([self._of(instance) for instance in self._instances.values()], criteria)

    def purge(self, instances: Sequence[PurgeableInstance]) -> list[PurgedExecution]:
        """Deletes all executions of the instances at once."""
        with self._lock:
            known = {instance.id: instance.last_execution_id for instance in instances}
            found = [instance for instance in self._instances.values() if instance.id in known]
            going = [instance for instance in found if self._of(instance)[-1].id == known[instance.id]]
            purged = [execution for instance in going for execution in self._of(instance)]
            for execution in purged:
                del self._executions[execution.id]
            for instance in going:
                del self._instances[instance.job_name, instance.identity]
            return [PurgedExecution(execution.id, execution.instance.id, execution.job_file) for execution in purged]

    def close(self) -> None:
        """Has nothing to close."""
