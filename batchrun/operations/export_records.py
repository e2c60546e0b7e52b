"""The JSON form of carried job instances, and back; ids in it are those of the repository that was left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from batchrun.domain.carrying import CarriedInstance
from batchrun.domain.execution import (
    Checkpoint,
    InstanceOrigin,
    JobExecution,
    JobInstance,
    JsonObject,
    Owner,
    StepCounts,
    StepExecution,
    StepTimes,
)
from batchrun.domain.parameters import JobParameter, JobParameters
from batchrun.domain.position import FlowPosition
from batchrun.domain.status import BatchStatus, ExitStatus


def instance_record(carried: CarriedInstance) -> JsonObject:
    """Returns an instance with all its executions."""
    return {
        "job_name": carried.job_name,
        "origin": {"repository_id": carried.origin.repository_id, "instance_id": carried.origin.instance_id},
        "identity": carried.identity,
        "token": carried.last.token,
        "executions": [_execution_record(each) for each in carried.executions],
    }


def read_instance(record: JsonObject) -> CarriedInstance:
    """Reads what `instance_record` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    origin = InstanceOrigin(record["origin"]["repository_id"], int(record["origin"]["instance_id"]))
    instance = JobInstance(origin.instance_id, record["job_name"], record["identity"], origin)
    executions = tuple(_read_execution(each, instance) for each in record["executions"])
    if not executions:
        raise ValueError("an instance has no executions")
    return CarriedInstance(instance.job_name, origin, executions)


def _execution_record(execution: JobExecution) -> JsonObject:
    owner = execution.owner
    return {
        "id": execution.id,
        "token": execution.token,
        "restart_of": execution.restart_of,
        "parent_step_id": execution.parent_step_id,
        **_state_record(execution),
        "created_at": _moment(execution.created_at),
        "owner": {
            "host": owner.host,
            "pid": owner.pid,
            "boot_id": owner.boot_id,
            "started_ticks": owner.started_ticks,
        },
        "batchrun_version": execution.batchrun_version,
        "job_file": execution.job_file,
        "job_text": execution.job_text,
        "parameters": [_parameter_record(each) for each in execution.parameters.all()],
        "flow": execution.flow.as_dict(),
        "context": execution.context,
        "steps": [_step_record(each) for each in execution.steps],
    }


def _state_record(record: JobExecution | StepExecution) -> JsonObject:
    return {
        "status": record.status.name,
        "exit_code": record.exit_status.code,
        "exit_description": record.exit_status.description,
        "started_at": _moment(record.started_at),
        "ended_at": _moment(record.ended_at),
    }


def _read_state(record: JsonObject) -> dict[str, Any]:
    return {
        "status": BatchStatus[record["status"]],
        "exit_status": ExitStatus(record["exit_code"], record["exit_description"]),
        "started_at": _read_moment(record["started_at"]),
        "ended_at": _read_moment(record["ended_at"]),
    }


def _read_execution(record: JsonObject, instance: JobInstance) -> JobExecution:
    parameters = [JobParameter.from_texts(**each) for each in record["parameters"]]
    return JobExecution(
        id=record["id"],
        instance=instance,
        parameters=JobParameters(parameters),
        owner=Owner(**record["owner"]),
        token=record["token"],
        created_at=datetime.fromisoformat(record["created_at"]),
        restart_of=record["restart_of"],
        job_file=record["job_file"],
        job_text=record["job_text"],
        batchrun_version=record["batchrun_version"],
        parent_step_id=record["parent_step_id"],
        flow=FlowPosition.from_dict(record["flow"]),
        context=record["context"],
        steps=[_read_step(each, record["id"]) for each in record["steps"]],
        **_read_state(record),
    )


def _parameter_record(parameter: JobParameter) -> JsonObject:
    return {
        "name": parameter.name,
        "text": parameter.text,
        "type_text": parameter.type_text,
        "identifying": parameter.identifying,
    }


def _step_record(step: StepExecution) -> JsonObject:
    return {
        "id": step.id,
        "number": step.number,
        "parent_id": step.parent_id,
        "name": step.step_name,
        "visit": step.visit,
        **_state_record(step),
        **step.counts.as_dict(),
        "checkpoint": step.checkpoint.as_dict(),
        "times": step.times.as_dict(),
    }


def _read_step(record: JsonObject, execution_id: int) -> StepExecution:
    checkpoint = Checkpoint.from_dict(record["checkpoint"])
    return StepExecution(
        id=record["id"],
        job_execution_id=execution_id,
        step_name=record["name"],
        visit=record["visit"],
        counts=StepCounts.from_dict(record),
        checkpoint=checkpoint,
        parent_id=record["parent_id"],
        context=checkpoint.contexts.get("step", {}),
        number=record["number"],
        times=StepTimes.from_dict(record.get("times")),
        **_read_state(record),
    )


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
