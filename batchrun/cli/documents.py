"""JSON forms of results: what `--output json` prints, and so what scripts rely on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from textwrap import indent
from typing import TYPE_CHECKING, Any

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.parameters import JobParameter
from batchrun.errors import Problem

if TYPE_CHECKING:
    from batchrun.domain.comparison import ExecutionComparison, StepPair
    from batchrun.operations.export_file import Export
    from batchrun.operations.purging import PurgedJob
    from batchrun.repository import RepositoryState


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
        "visit": step.visit,
        "status": step.status.name,
        "exit_code": step.exit_status.code,
        "exit_description": step.exit_status.description,
        **step.counts.as_dict(),
        "started_at": _moment(step.started_at),
        "ended_at": _moment(step.ended_at),
        "times": step.times.as_dict(),
    }


def comparison_document(comparison: ExecutionComparison) -> dict[str, Any]:
    """Returns what differs between two executions; a value that one of them lacks is null."""
    sides = {"before": comparison.before, "after": comparison.after}
    return {
        **{side: _summary(execution) for side, execution in sides.items()},
        "differs": comparison.differs,
        "parameters": {
            change.name: {"before": change.before, "after": change.after} for change in comparison.parameters
        },
        "job_text_diff": list(comparison.text_diff()),
        "steps": [_pair(pair) for pair in comparison.steps],
    }


def _summary(execution: JobExecution) -> dict[str, Any]:
    left_out = ("parameters", "steps")
    document = {key: value for key, value in execution_document(execution).items() if key not in left_out}
    return {**document, "job_hash": execution.job_hash, "batchrun_version": execution.batchrun_version}


def _pair(pair: StepPair) -> dict[str, Any]:
    sides = {"before": pair.before, "after": pair.after}
    steps = {side: None if step is None else _step_document(step) for side, step in sides.items()}
    return {"name": pair.name, "differs": pair.differs, **steps}


def purge_document(jobs: Sequence[PurgedJob], *, dry_run: bool) -> dict[str, Any]:
    """Returns what a purge has deleted, or would delete."""
    return {
        "dry_run": dry_run,
        "executions": sum(each.execution_count for each in jobs),
        "instances": sum(each.instance_count for each in jobs),
        "jobs": [
            {
                "job_name": each.job_name,
                "status": each.status.name,
                "executions": each.execution_count,
                "instances": each.instance_count,
            }
            for each in jobs
        ],
    }


def export_document(export: Export, file: str, size: int) -> dict[str, Any]:
    """Returns what was exported, and where to."""
    return {
        "file": file,
        "bytes": size,
        "execution_id": export.last.id,
        "job_name": export.last.job_name,
        "status": export.last.status.name,
        "executions": len(export.instances[0].executions),
        "child_jobs": [each.job_name for each in export.instances[1:]],
    }


def repository_document(state: RepositoryState) -> dict[str, Any]:
    """Returns what is at a repository's URL; how much it holds is left out where its version is another one."""
    document: dict[str, Any] = {"url": state.url, "version": state.found, "expected": state.expected}
    if state.contents is not None:
        document |= {**state.contents._asdict(), "oldest_at": _moment(state.contents.oldest_at)}
    return document


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
