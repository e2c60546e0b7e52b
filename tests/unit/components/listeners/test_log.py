"""The listener `log`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from batchrun.domain.execution import JobExecution, JobInstance, Owner, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import ParseError
from batchrun.spi.chunk import Chunk
from batchrun.spi.listener import POINTS, Progress
from batchrun.testing.memory import ListItemReader
from tests.unit.components.listeners.bench import make

EXECUTION = JobExecution(1, JobInstance(1, "job", "x"), JobParameters(), Owner("here", 1, "b"), 1, datetime.now(UTC))
STEP = StepExecution(1, 1, "load")


def chunk() -> Chunk:
    read = ListItemReader([{"n": 1}, {"n": 2}]).read(2)
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("point", "arguments", "told"),
    [
        ("before_step", (), "before_step"),
        ("before_chunk", (chunk(),), "before_chunk: 2 items of list:0-1"),
        ("after_chunk", (chunk(), Progress(2, 5, "items")), "after_chunk: 2 items of list:0-1, 2 of 5 items"),
        ("after_chunk", (None, Progress(0, None, "bytes")), "after_chunk: 0 bytes"),
        ("on_chunk_error", (chunk(), ValueError("no")), "on_chunk_error: 2 items of list:0-1, ValueError: no"),
        ("on_read_error", (ParseError("odd", origin="a.csv:7"),), "on_read_error: a.csv:7: odd"),
        ("on_filter", ({"n": 1},), "on_filter: item {'n': 1}"),
        ("after_process", ({"n": 1}, {"m": 2}), "after_process: item {'n': 1}, result {'m': 2}"),
        ("on_skip", ("read", None, ParseError("odd", origin="a:7")), "on_skip: phase read, a:7: odd"),
        ("on_retry", (2, OSError("gone")), "on_retry: attempt 2, OSError: gone"),
    ],
)
def test_a_record_names_the_point_and_what_belongs_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, point: str, arguments: tuple[Any, ...], told: str
) -> None:
    caplog.set_level(logging.INFO)
    getattr(make(tmp_path, "log", at=[point]), point)(EXECUTION, STEP, *arguments)
    assert [record.getMessage() for record in caplog.records] == [told]


@pytest.mark.parametrize(
    ("status", "exit_status", "told"),
    [
        (BatchStatus.COMPLETED, ExitStatus("COMPLETED"), "after_step: COMPLETED"),
        (BatchStatus.FAILED, ExitStatus("FAILED", "no disk"), "after_step: FAILED: no disk"),
        (BatchStatus.COMPLETED, ExitStatus("NOOP"), "after_step: COMPLETED (NOOP)"),
    ],
)
def test_at_the_end_it_tells_how_that_came(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: BatchStatus, exit_status: ExitStatus, told: str
) -> None:
    caplog.set_level(logging.INFO)
    step = StepExecution(1, 1, "load", status=status, exit_status=exit_status)
    make(tmp_path, "log", at=["after_step"]).after_step(EXECUTION, step)
    assert [record.getMessage() for record in caplog.records] == [told]


def test_the_level_is_chosen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(tmp_path, "log", at=["before_job"], level="warning").before_job(EXECUTION)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_at_a_job_its_records_are_of_the_step_that_they_tell_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    listener = make(tmp_path, "log", step_name="", at=["before_job", "before_step"])
    listener.before_job(EXECUTION)
    listener.before_step(EXECUTION, STEP)
    assert [record.name for record in caplog.records] == ["batchrun.job.job", "batchrun.job.job.load"]


def test_it_hears_the_chosen_points_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from batchrun.engine.listeners import Listeners
    from batchrun.spi.listener import Listener

    listeners = Listeners.of([make(tmp_path, "log", at=["on_filter"])])
    assert [point for point in POINTS if listeners.hears(getattr(Listener, point))] == ["on_filter"]
