"""Listener `metrics`: counts and times of a run as a file, for Prometheus or as JSON lines."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from batchrun.components.files.source import reason
from batchrun.components.files.written_file import refuse_device
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus
from batchrun.errors import OutputError
from batchrun.spi.listener import Listener
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, component, option

_LAST_COMPLETED = "batchrun_job_last_completed_timestamp_seconds"


class MetricsOptions(Options, kw_only=True):
    """Options of the listener `metrics`."""

    path: Annotated[str, option("The file, relative to the project folder.", min_length=1)]
    format: Annotated[
        Literal["prometheus", "json_lines"],
        option("A file in Prometheus' text format, written anew by each run; or one line of JSON more for each run."),
    ] = "prometheus"


SPEC = ComponentSpec(
    role="listener",
    name="metrics",
    summary="Writes counts and times of a run into a file.",
    options=MetricsOptions,
    example="""
type: metrics
path: /var/lib/node_exporter/textfile/load_trades.prom
on_error: warn
""",
    description=(
        "For the textfile collector of Prometheus' node exporter, which reads `*.prom` in its folder: a file for each "
        "job. It appears at once and whole. `batchrun_job_completed` is 1 or 0; "
        "`batchrun_job_last_completed_timestamp_seconds` stays as it was when a run fails, so that an alert can watch "
        "its age. Each step has its duration and its counts, as of its last attempt in this execution.\n\n"
        "At a job it tells of the job and its steps when the job has ended, at a step of the step alone when that has "
        "ended; then give it a file of its own. Where it cannot write, it fails what it listens to: `on_error: warn` "
        "leaves it at a warning."
    ),
)


@component(SPEC)
class MetricsListener(Listener):
    """Writes at the end of the job that it is declared at, or of the step."""

    def __init__(self, options: MetricsOptions, scope: ComponentScope) -> None:
        self._name = options.path
        self._path = scope.path(options.path)
        self._is_prometheus = options.format == "prometheus"
        self._is_of_step = bool(scope.step_name)

    def after_job(self, execution: JobExecution) -> None:
        """Tells of the job and of the last attempt at each of its steps."""
        steps = {step.step_name: step for step in execution.steps}
        self._write({**_document(execution, "job", execution.job_name), "steps": _steps(list(steps.values()))})

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells of the step, where it is declared there."""
        if self._is_of_step:
            about = {"job": execution.job_name, "execution_id": execution.id, "instance_id": execution.instance.id}
            self._write({**about, "steps": _steps([step])})

    def _write(self, told: dict[str, Any]) -> None:
        try:
            if self._is_prometheus:
                refuse_device(self._path, self._name)
                _replace(self._path, "\n".join(_prometheus(told, self._last_completed())) + "\n")
            else:
                _append(self._path, json.dumps(told) + "\n")
        except OSError as error:
            raise OutputError(f"{self._name}: {reason(error)}") from error

    def _last_completed(self) -> float | None:
        """Returns what the file of the run before has of it."""
        try:
            found = re.search(rf"^{_LAST_COMPLETED}{{.*}} (\S+)$", self._path.read_text("utf-8"), re.MULTILINE)
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return float(found[1]) if found else None


def _document(ended: JobExecution | StepExecution, kind: str, name: str) -> dict[str, Any]:
    """Returns what JSON tells of an execution; one whose end is not saved yet ends now."""
    at = ended.ended_at or datetime.now(UTC)
    started = ended.started_at or at
    numbers = {"execution_id": ended.id, "instance_id": ended.instance.id} if isinstance(ended, JobExecution) else {}
    return {
        kind: name,
        **numbers,
        "status": ended.status.name,
        "exit_code": ended.exit_status.code,
        "started_at": started.isoformat(),
        "ended_at": at.isoformat(),
        "seconds": (at - started).total_seconds(),
    }


def _steps(steps: Sequence[StepExecution]) -> list[dict[str, Any]]:
    return [{**_document(step, "step", step.step_name), **step.counts.as_dict()} for step in steps]


def _prometheus(told: dict[str, Any], last_completed: float | None) -> Iterator[str]:
    """Yields the lines of the text format: for each metric its type, then its samples."""
    samples: dict[str, list[str]] = {}
    for name, labels, value in _samples(told, last_completed):
        text = ",".join(f'{label}="{_escaped(given)}"' for label, given in labels.items())
        samples.setdefault(name, []).append(f"{name}{{{text}}} {value}")
    for name, lines in samples.items():
        yield f"# TYPE {name} gauge"
        yield from lines


def _samples(told: dict[str, Any], last_completed: float | None) -> Iterator[tuple[str, dict[str, str], float]]:
    of_job = {"job": told["job"]}
    if "status" in told:
        is_completed = told["status"] == BatchStatus.COMPLETED.name
        ended = datetime.fromisoformat(told["ended_at"]).timestamp()
        yield "batchrun_job_completed", of_job, int(is_completed)
        yield "batchrun_job_duration_seconds", of_job, told["seconds"]
        yield "batchrun_job_end_timestamp_seconds", of_job, ended
        if is_completed or last_completed is not None:
            yield _LAST_COMPLETED, of_job, ended if is_completed else last_completed or 0
    for step in told["steps"]:
        labels = {**of_job, "step": step["step"]}
        yield "batchrun_step_completed", labels, int(step["status"] == BatchStatus.COMPLETED.name)
        yield "batchrun_step_duration_seconds", labels, step["seconds"]
        for name, count in step.items():
            if name.endswith("_count"):
                yield f"batchrun_step_{name}", labels, count


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _replace(path: Path, text: str) -> None:
    """Gives the file its new text at once: who reads it finds the old one or the new one, and never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _append(path: Path, line: str) -> None:
    """Adds the line by one write, so that those of runs at the same time do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
