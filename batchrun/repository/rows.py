"""Rows to records and back: which column holds what of an execution, a step and a parameter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from batchrun.domain.execution import (
    Checkpoint,
    InstanceOrigin,
    JobExecution,
    JobInstance,
    Owner,
    StepCounts,
    StepExecution,
    StepTimes,
)
from batchrun.domain.parameters import JobParameter, JobParameters
from batchrun.domain.position import FlowPosition
from batchrun.domain.status import BatchStatus, ExitStatus

Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]


def new_execution_values(execution: JobExecution) -> Values:
    """Returns the columns of an execution that is to be inserted."""
    owner = execution.owner
    return {
        **execution_values(execution),
        "instance_id": execution.instance.id,
        "job_name": execution.job_name,
        "token": execution.token,
        "created_at": execution.created_at,
        "owner_host": owner.host,
        "owner_pid": owner.pid,
        "owner_boot_id": owner.boot_id,
        "owner_started_ticks": owner.started_ticks,
        "restart_of": execution.restart_of,
        "parent_step_id": execution.parent_step_id,
        "job_file": execution.job_file,
        "job_text": execution.job_text,
        "job_hash": execution.job_hash,
        "batchrun_version": execution.batchrun_version,
    }


def execution_values(execution: JobExecution) -> Values:
    """Returns the columns of an execution that change while it runs."""
    return {
        **ending_values(execution.status, execution.exit_status, execution.ended_at),
        "started_at": execution.started_at,
        "flow_position": execution.flow.as_dict(),
        "context": execution.context or None,
    }


def ending_values(status: BatchStatus, exit_status: ExitStatus, ended_at: datetime | None) -> Values:
    """Returns the columns that tell how a job or step execution stands."""
    return {
        "status": status,
        "exit_code": exit_status.code,
        "exit_description": exit_status.description,
        "ended_at": ended_at,
    }


def parameter_rows(execution_id: int, parameters: JobParameters) -> list[Values]:
    """Returns the rows of an execution's parameters."""
    return [
        {
            "job_execution_id": execution_id,
            "position": position,
            "name": parameter.name,
            "type": parameter.type_text,
            "value": parameter.text,
            "identifying": parameter.identifying,
        }
        for position, parameter in enumerate(parameters.all())
    ]


def new_step_values(execution: JobExecution, step: StepExecution) -> Values:
    """Returns the columns of a step execution that is to be inserted; one without a number is called by its id."""
    return {
        **step_values(step),
        "number": step.number or None,
        "job_execution_id": execution.id,
        "instance_id": execution.instance.id,
        "step_name": step.step_name,
    }


def step_values(step: StepExecution) -> Values:
    """Returns the columns of a step execution that change while it runs."""
    return {
        **ending_values(step.status, step.exit_status, step.ended_at),
        **step.counts.as_dict(),
        "visit": step.visit,
        "checkpoint": step.checkpoint.as_dict(),
        "times": step.times.as_dict(),
        "started_at": step.started_at,
        "parent_id": step.parent_id,
    }


def executions_of(heads: Iterable[AnyRow], parameters: Iterable[AnyRow], steps: Iterable[AnyRow]) -> list[JobExecution]:
    """Puts executions together with their parameters and steps, in the order of `heads`."""
    parameters_by_id: dict[int, list[JobParameter]] = defaultdict(list)
    for row in parameters:
        parameters_by_id[row.job_execution_id].append(
            JobParameter.from_texts(row.name, row.value, row.type, row.identifying)
        )
    steps_by_id: dict[int, list[StepExecution]] = defaultdict(list)
    for row in steps:
        steps_by_id[row.job_execution_id].append(step_of(row))
    return [execution_of(row, JobParameters(parameters_by_id[row.id]), steps_by_id[row.id]) for row in heads]


def instance_of(row: AnyRow, instance_id: int) -> JobInstance:
    """Makes an instance of a row that has its columns."""
    origin = None
    if row.origin_repository_id is not None:
        origin = InstanceOrigin(row.origin_repository_id, row.origin_instance_id)
    return JobInstance(instance_id, row.job_name, row.identity, origin, row.exported_at is not None)


def execution_of(row: AnyRow, parameters: JobParameters, steps: list[StepExecution]) -> JobExecution:
    """Makes an execution of its row; one that runs and has been asked to stop is STOPPING."""
    is_stopping = row.stop_requested_at is not None and row.status.is_running
    return JobExecution(
        id=row.id,
        instance=instance_of(row, row.instance_id),
        parameters=parameters,
        owner=Owner(row.owner_host, row.owner_pid, row.owner_boot_id, row.owner_started_ticks),
        token=row.token,
        created_at=row.created_at,
        status=BatchStatus.STOPPING if is_stopping else row.status,
        exit_status=ExitStatus(row.exit_code, row.exit_description),
        started_at=row.started_at,
        ended_at=row.ended_at,
        restart_of=row.restart_of,
        stop_requested_at=row.stop_requested_at,
        job_file=row.job_file,
        job_text=row.job_text,
        batchrun_version=row.batchrun_version,
        parent_step_id=row.parent_step_id,
        flow=FlowPosition.from_dict(row.flow_position),
        context=row.context or {},
        steps=steps,
    )


def step_of(row: AnyRow) -> StepExecution:
    """Makes a step execution of its row."""
    checkpoint = Checkpoint.from_dict(row.checkpoint)
    return StepExecution(
        id=row.id,
        job_execution_id=row.job_execution_id,
        step_name=row.step_name,
        visit=row.visit,
        status=row.status,
        exit_status=ExitStatus(row.exit_code, row.exit_description),
        counts=StepCounts.from_dict(dict(row._mapping)),
        checkpoint=checkpoint,
        started_at=row.started_at,
        ended_at=row.ended_at,
        parent_id=row.parent_id,
        context=checkpoint.contexts.get("step", {}),
        number=row.number or row.id,
        times=StepTimes.from_dict(row.times),
    )
