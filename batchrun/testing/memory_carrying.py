"""Job instances in memory that are given away and taken in; the rules are those of `domain.carrying`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from batchrun.domain.carrying import (
    CarriedInstance,
    OtherOriginError,
    carried_token,
    may_export,
    missing_executions,
)
from batchrun.domain.execution import JobExecution, JobInstance, Owner
from batchrun.domain.launch import may_recover
from batchrun.errors import NoSuchExecutionError
from batchrun.testing.memory_records import copied, read, recover


class MemoryCarrying:
    """The part of a MemoryJobRepository that carries instances."""

    id: str
    _lock: threading.RLock
    _executions: dict[int, JobExecution]
    _instances: dict[tuple[str, str], JobInstance]
    _run_ids: dict[str, int]
    _tokens: dict[int, int]
    _leases: dict[int, float]
    _execution_ids: Iterator[int]
    _instance_ids: Iterator[int]
    _next_step_id: int

    def _of(self, instance: JobInstance) -> list[JobExecution]:
        return [each for each in self._executions.values() if each.instance.id == instance.id]

    def _held(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> tuple[JobExecution, bool]:
        """Returns an execution as it is stored, and whether its owner lives."""
        if execution_id not in self._executions:
            raise NoSuchExecutionError(execution_id)
        execution = self._executions[execution_id]
        is_dead = self._leases[execution.id] < time.monotonic() or is_gone(execution.owner)
        return execution, not (execution.status.is_running and is_dead)

    def export_instance(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> list[CarriedInstance]:
        """Returns the instance of an execution, and behind it those of its child jobs."""
        with self._lock:
            instances = family(self._held(execution_id, is_gone)[0].instance, list(self._executions.values()))
            return [
                self._given_away(each, execution_id if each is instances[0] else None, is_gone) for each in instances
            ]

    def _given_away(
        self, instance: JobInstance, execution_id: int | None, is_gone: Callable[[Owner], bool]
    ) -> CarriedInstance:
        last = self._of(instance)[-1]
        named = last if execution_id is None else self._executions[execution_id]
        if may_export(named, last.id, owner_is_alive=self._held(last.id, is_gone)[1]):
            recover(last)
        self._set_instance(replace(instance, is_exported=True))
        executions = tuple(read(each) for each in self._of(instance))
        return CarriedInstance(instance.job_name, instance.known_as(self.id), executions)

    def _set_instance(self, instance: JobInstance) -> None:
        self._instances = {key: each for key, each in self._instances.items() if each.id != instance.id}
        self._instances[instance.job_name, instance.identity] = instance
        for execution in self._of(instance):
            execution.instance = instance

    def import_instances(self, carried: Sequence[CarriedInstance], is_gone: Callable[[Owner], bool]) -> int:
        """Takes an instance in, with those of its child jobs."""
        with self._lock:
            step_ids: dict[int, int] = {}
            here = [self._found(each, is_gone) for each in carried]
            return [self._taken_in(*each, step_ids) for each in zip(carried, here, strict=True)][0]  # noqa: RUF015 - all of them

    def _found(self, carried: CarriedInstance, is_gone: Callable[[Owner], bool]) -> JobInstance | None:
        """Returns the instance where it is here already; raises what forbids it to come in."""
        same = [each for each in self._instances.values() if each.known_as(self.id) == carried.origin]
        instance = same[0] if same else None
        missing_executions(carried, [] if instance is None else self._of(instance))
        other = self._instances.get((carried.job_name, carried.identity))
        if other is not None and other is not instance:
            raise OtherOriginError(carried.job_name, self._of(other)[-1].id)
        if instance is not None:
            last, alive = self._held(self._of(instance)[-1].id, is_gone)
            if may_recover(last, owner_is_alive=alive):
                recover(last)
        return instance

    def _taken_in(self, carried: CarriedInstance, instance: JobInstance | None, step_ids: dict[int, int]) -> int:
        here = [] if instance is None else self._of(instance)
        missing = missing_executions(carried, here)
        if instance is None:
            instance = JobInstance(next(self._instance_ids), carried.job_name, carried.identity, carried.origin)
        self._set_instance(replace(instance, identity=carried.identity))
        if missing:
            self._tokens[instance.id] = carried_token(carried.last.token, datetime.now(UTC))
        step_ids |= steps_here(carried, here)
        ids = {each.token: each.id for each in here}
        for execution in missing:
            added = renumbered(execution, carried, next(self._execution_ids), ids, step_ids, self._new_step_id)
            self._executions[added.id] = replace(added, instance=self._instances[carried.job_name, carried.identity])
            self._leases[added.id] = 0.0
            self._run_ids[added.job_name] = max(self._run_ids.get(added.job_name, 0), added.parameters.run_id or 0)
        last = self._executions[ids[carried.last.token]]
        last.job_file, last.parameters = carried.last.job_file, carried.last.parameters
        return last.id

    def _new_step_id(self) -> int:
        self._next_step_id += 1
        return self._next_step_id


def family(instance: JobInstance, executions: Sequence[JobExecution]) -> list[JobInstance]:
    """Returns the instance, and behind it those of the child jobs that its steps have launched, and theirs."""
    found = [instance]
    for parent in found:
        steps = {step.id for each in executions if each.instance.id == parent.id for step in each.steps}
        known = {each.id for each in found}
        children = {each.instance.id: each.instance for each in executions if each.parent_step_id in steps}
        found += [child for child in children.values() if child.id not in known]
    return found


def steps_here(carried: CarriedInstance, here: Sequence[JobExecution]) -> dict[int, int]:
    """Returns the ids of those steps of a carried instance that are here already, by the ids that they had."""
    by_number = {step.number: step.id for execution in here for step in execution.steps}
    steps = [step for execution in carried.executions for step in execution.steps]
    return {step.id: by_number[step.number] for step in steps if step.number in by_number}


def renumbered(
    execution: JobExecution,
    carried: CarriedInstance,
    execution_id: int,
    ids: dict[int, int],
    step_ids: dict[int, int],
    new_step_id: Callable[[], int],
) -> JobExecution:
    """Returns a copy of an execution that comes in, with ids of this repository.

    Args:
        execution: one of the carried.
        carried: its instance.
        execution_id: its own here.
        ids: of the instance's executions here, by token; this one is added.
        step_ids: of steps here, by the ids that they had; its own are added.
        new_step_id: gives an id to a step.
    """
    for step in execution.steps:
        step_ids[step.id] = new_step_id()
    tokens = {each.id: each.token for each in carried.executions}
    ids[execution.token] = execution_id
    steps = [
        replace(
            copied(step),
            id=step_ids[step.id],
            job_execution_id=execution_id,
            parent_id=step_ids.get(step.parent_id or 0),
        )
        for step in execution.steps
    ]
    return replace(
        copied(execution),
        id=execution_id,
        restart_of=ids.get(tokens.get(execution.restart_of or 0, 0)),
        parent_step_id=step_ids.get(execution.parent_step_id or 0),
        steps=steps,
    )
