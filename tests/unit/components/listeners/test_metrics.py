"""The listener `metrics`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchrun.domain.execution import JobExecution, JobInstance, Owner, StepCounts, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.domain.status import COMPLETED, FAILED, BatchStatus, ExitStatus
from batchrun.errors import OutputError
from tests.unit.components.listeners.bench import make

BEGIN = datetime(2026, 1, 31, 6, tzinfo=UTC)


def step(name: str = "load", **counts: int) -> StepExecution:
    return StepExecution(
        7,
        1,
        name,
        status=BatchStatus.COMPLETED,
        exit_status=COMPLETED,
        counts=StepCounts(**counts),
        started_at=BEGIN,
        ended_at=BEGIN + timedelta(seconds=3),
    )


def execution(
    *steps: StepExecution, status: BatchStatus = BatchStatus.COMPLETED, exit_status: ExitStatus = COMPLETED, at: int = 5
) -> JobExecution:
    instance, owner = JobInstance(4, "job", "x"), Owner("here", 1, "boot")
    return JobExecution(
        9,
        instance,
        JobParameters(),
        owner,
        1,
        BEGIN,
        status,
        exit_status,
        started_at=BEGIN,
        ended_at=BEGIN + timedelta(seconds=at),
        steps=list(steps),
    )


def samples(file: Path) -> dict[str, float]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_it_writes_counts_and_times_for_prometheus(tmp_path: Path) -> None:
    make(tmp_path, "metrics", step_name="", path="job.prom").after_job(execution(step(read=5, write=3, filter=2)))
    found = samples(tmp_path / "job.prom")
    assert found['batchrun_job_completed{job="job"}'] == 1
    assert found['batchrun_job_duration_seconds{job="job"}'] == 5
    assert found['batchrun_job_last_completed_timestamp_seconds{job="job"}'] == BEGIN.timestamp() + 5
    assert found['batchrun_step_duration_seconds{job="job",step="load"}'] == 3
    assert found['batchrun_step_write_count{job="job",step="load"}'] == 3


def test_each_metric_has_its_type_once_and_its_samples_together(tmp_path: Path) -> None:
    make(tmp_path, "metrics", step_name="", path="job.prom").after_job(execution(step("a"), step("b")))
    lines = (tmp_path / "job.prom").read_text().splitlines()
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    current = ""
    for line in lines:
        if line.startswith("#"):
            current = line.split()[2]
        assert current in line


def test_a_label_is_escaped(tmp_path: Path) -> None:
    make(tmp_path, "metrics", step_name="", path="job.prom").after_job(execution(step('a"b\\c\nd')))
    assert r'step="a\"b\\c\nd"' in (tmp_path / "job.prom").read_text()


def test_a_failed_run_keeps_when_the_job_completed_last(tmp_path: Path) -> None:
    listener = make(tmp_path, "metrics", step_name="", path="job.prom")
    listener.after_job(execution(status=BatchStatus.FAILED, exit_status=FAILED))
    assert not any("last_completed" in name for name in samples(tmp_path / "job.prom"))
    listener.after_job(execution(at=5))
    listener.after_job(execution(status=BatchStatus.FAILED, exit_status=FAILED, at=50))
    found = samples(tmp_path / "job.prom")
    assert found['batchrun_job_completed{job="job"}'] == 0
    assert found['batchrun_job_last_completed_timestamp_seconds{job="job"}'] == BEGIN.timestamp() + 5
    assert found['batchrun_job_end_timestamp_seconds{job="job"}'] == BEGIN.timestamp() + 50


def test_the_file_appears_at_once_and_others_may_read_it(tmp_path: Path) -> None:
    make(tmp_path, "metrics", step_name="", path="job.prom").after_job(execution())
    assert [each.name for each in tmp_path.iterdir()] == ["job.prom"]
    assert (tmp_path / "job.prom").stat().st_mode & 0o444 == 0o444


def test_it_adds_a_line_of_json_for_each_run(tmp_path: Path) -> None:
    listener = make(tmp_path, "metrics", step_name="", path="runs.jsonl", format="json_lines")
    for _ in range(2):
        listener.after_job(execution(step(read=5)))
    first, second = map(json.loads, (tmp_path / "runs.jsonl").read_text().splitlines())
    assert first == second
    assert (first["job"], first["execution_id"], first["status"], first["seconds"]) == ("job", 9, "COMPLETED", 5)
    assert (first["steps"][0]["step"], first["steps"][0]["read_count"]) == ("load", 5)


def test_of_several_attempts_at_a_step_the_last_is_told(tmp_path: Path) -> None:
    listener = make(tmp_path, "metrics", step_name="", path="job.prom")
    listener.after_job(execution(step(read=5), step(read=8)))
    assert samples(tmp_path / "job.prom")['batchrun_step_read_count{job="job",step="load"}'] == 8


def test_at_a_step_it_tells_of_the_step_alone(tmp_path: Path) -> None:
    listener = make(tmp_path, "metrics", step_name="load", path="load.prom")
    listener.after_step(execution(), step(read=5))
    assert not any(re.match("batchrun_job", name) for name in samples(tmp_path / "load.prom"))
    assert samples(tmp_path / "load.prom")['batchrun_step_read_count{job="job",step="load"}'] == 5


def test_at_a_job_it_waits_for_the_job_s_end(tmp_path: Path) -> None:
    make(tmp_path, "metrics", step_name="", path="job.prom").after_step(execution(), step())
    assert not (tmp_path / "job.prom").exists()


def test_a_step_whose_end_is_not_saved_ends_now(tmp_path: Path) -> None:
    running = step()
    running.started_at, running.ended_at = datetime.now(UTC) - timedelta(seconds=100), None
    make(tmp_path, "metrics", step_name="load", path="load.prom").after_step(execution(), running)
    assert samples(tmp_path / "load.prom")['batchrun_step_duration_seconds{job="job",step="load"}'] >= 100


def test_the_place_of_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^/dev/job\.prom: it is a device or a pipe, and no file"):
        make(tmp_path, "metrics", step_name="", path="/dev/job.prom").after_job(execution())


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no/job\.prom: no such file or directory"):
        make(tmp_path, "metrics", step_name="", path="no/job.prom").after_job(execution())
