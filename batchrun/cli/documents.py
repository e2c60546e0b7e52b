"""JSON forms of results: what `--output json` prints, and so what scripts rely on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from textwrap import indent
from typing import Any

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.parameters import JobParameter
from batchrun.errors import Problem


def as_json(document: Any) -> str:
    """Returns the document as JSON text with a final line end; ASCII, so that no stream can spoil it."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def as_json_list(documents: Iterable[Any]) -> Iterator[str]:
    """Yields the JSON text of a list document by document, so that a long one need not be held at once."""
    before = "["
    for document in documents:
        yield f"{before}\n{indent(json.dumps(document, indent=2, allow_nan=False), '  ')}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def execution_document(execution: JobExecution) -> dict[str, Any]:
    """Returns an execution with its steps."""
    return {
        "execution_id": execution.id,
        "instance_id": execution.instance.id,
        "job_name": execution.job_name,
        "status": execution.status.name,
        "exit_code": execution.exit_status.code,
        "exit_description": execution.exit_status.description,
        "parameters": {parameter.name: _parameter(parameter) for parameter in execution.parameters.all()},
        "restart_of": execution.restart_of,
        "job_file": execution.job_file,
        "created_at": _moment(execution.created_at),
        "started_at": _moment(execution.started_at),
        "ended_at": _moment(execution.ended_at),
        "steps": [_step_document(step) for step in execution.steps],
    }


def _step_document(step: StepExecution) -> dict[str, Any]:
    return {
        "name": step.step_name,
        "status": step.status.name,
        "exit_code": step.exit_status.code,
        "exit_description": step.exit_status.description,
        **step.counts.as_dict(),
        "started_at": _moment(step.started_at),
        "ended_at": _moment(step.ended_at),
    }


def problem_document(problem: Problem) -> dict[str, Any]:
    """Returns a problem of a job file."""
    return {
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
    }


def _parameter(parameter: JobParameter) -> Any:
    """Returns a JSON value of the parameter's own type where that is exact, else its text."""
    value = parameter.value
    if isinstance(value, float):
        return value if math.isfinite(value) else parameter.text
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int) else parameter.text


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
