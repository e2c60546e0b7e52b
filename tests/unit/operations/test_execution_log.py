"""The log of an execution: what is in it, how it reads, and that nothing about it fails a run."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchrun.domain.execution import JobExecution, StepCounts, StepExecution
from batchrun.domain.status import COMPLETED, BatchStatus
from batchrun.errors import NoLogError
from batchrun.operations.execution_log import ExecutionLog, log_file
from batchrun.operations.log_reading import LogLine, read_log
from batchrun.testing.memory_repository import MemoryJobRepository
from batchrun.testing.repository.parts import add_step, request, save

OF_STEP = logging.getLogger("batchrun.job.load.copy")
OF_ENGINE = logging.getLogger("batchrun.engine")


@pytest.fixture(autouse=True)
def _logger_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("batchrun")
    before = (logger.level, logger.propagate, list(logger.handlers))
    yield
    assert (logger.level, logger.propagate, logger.handlers) == before


@pytest.fixture
def repository() -> MemoryJobRepository:
    return MemoryJobRepository()


@pytest.fixture
def execution(repository: MemoryJobRepository) -> JobExecution:
    return repository.begin(request())


@pytest.fixture
def log(tmp_path: Path) -> ExecutionLog:
    return ExecutionLog(tmp_path / "logs" / "1.log", mask=lambda text: text.replace("s3cret", "***"))


def lines(log: ExecutionLog, execution: JobExecution) -> list[LogLine]:
    return list(read_log(log.path, execution, None))


def texts(log: ExecutionLog) -> list[str]:
    """Returns the lines without their times."""
    return [line if line[:2] == "  " else line.split(" ", 1)[1] for line in log.path.read_text().splitlines()]


def test_records_of_the_run_and_its_steps_are_kept_with_time_level_and_step(
    log: ExecutionLog, execution: JobExecution
) -> None:
    with log.open(execution):
        OF_STEP.info("copied %d", 7)
        OF_ENGINE.warning("first\nsecond")
        OF_ENGINE.debug("not asked for")
    OF_STEP.warning("too late")
    first = log.path.read_text().splitlines()[0]
    assert first.startswith("20")
    assert first.split()[0].endswith("Z")
    assert texts(log)[1:] == ["INFO    copy copied 7", "WARNING - first", "  second"]
    assert [(each.level, each.step, each.begins) for each in lines(log, execution)[1:]] == [
        (logging.INFO, "copy", True),
        (logging.WARNING, None, True),
        (logging.WARNING, None, False),
    ]


def test_the_debug_log_is_kept_where_it_is_asked_for(log: ExecutionLog, execution: JobExecution) -> None:
    log.level = logging.DEBUG
    with log.open(execution):
        OF_ENGINE.debug("asked for")
    assert texts(log)[1:] == ["DEBUG   - asked for"]


def test_secrets_are_masked_in_tracebacks_too(log: ExecutionLog, execution: JobExecution) -> None:
    with log.open(execution):
        try:
            raise ValueError("s3cret")
        except ValueError:
            OF_STEP.exception("with s3cret")
    assert "s3cret" not in log.path.read_text()
    assert "  ValueError: ***" in log.path.read_text()


def test_steps_are_told_as_they_go(log: ExecutionLog, execution: JobExecution, repository: MemoryJobRepository) -> None:
    step = add_step(repository, execution)
    with log.open(execution):
        log.before_step(execution, step)
        OF_ENGINE.info("by the thread of the step")
        on_side_thread(lambda: OF_ENGINE.info("by another thread"))
        step.status, step.exit_status, step.counts = BatchStatus.COMPLETED, COMPLETED, StepCounts(read=1000, commit=1)
        log.after_step(execution, step)
        OF_ENGINE.info("after it")
        log.on_step_skipped(execution, StepExecution(1, 3, "earlier"))
        save(repository, execution, BatchStatus.FAILED)
        log.after_job(execution)
    assert texts(log)[1:] == [
        "INFO    copy started",
        "INFO    copy by the thread of the step",
        "INFO    copy by another thread",
        "INFO    copy COMPLETED, 1,000 read, 1 commit",
        "INFO    - after it",
        "INFO    earlier completed before, in execution 3",
        "ERROR   - ended FAILED",
    ]


def on_side_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_two_executions_in_one_process_keep_their_records_apart(tmp_path: Path) -> None:
    repository = MemoryJobRepository()
    logs = {name: ExecutionLog(tmp_path / f"{name}.log") for name in ("one", "two")}
    ready = threading.Barrier(2, timeout=30)

    def run(name: str) -> None:
        with logs[name].open(repository.begin(request(name))):
            ready.wait()
            OF_ENGINE.info("of %s", name)
            ready.wait()

    threads = [threading.Thread(target=run, args=(name,)) for name in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [texts(log)[1:] for log in logs.values()] == [["INFO    - of one"], ["INFO    - of two"]]


def test_others_hear_what_they_heard_before(
    log: ExecutionLog, execution: JobExecution, caplog: pytest.LogCaptureFixture
) -> None:
    with log.open(execution):
        OF_STEP.info("for the log")
        OF_STEP.warning("for all")
    assert [record.message for record in caplog.records] == ["for all"]


def test_a_folder_that_cannot_be_made_is_told_once_and_fails_nothing(
    tmp_path: Path, execution: JobExecution, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logs").write_text("a file stands in the way")
    log = ExecutionLog(tmp_path / "logs" / "1.log")
    with log.open(execution):
        OF_STEP.info("lost")
    [told] = caplog.records
    assert "the log of the execution cannot be written" in told.message
    with pytest.raises(NoLogError, match="the log of execution 1 is not here"):
        lines(log, execution)


def test_a_full_disk_is_told_once_and_fails_nothing(execution: JobExecution, caplog: pytest.LogCaptureFixture) -> None:
    log = ExecutionLog(Path("/dev/full"))
    with log.open(execution):
        OF_STEP.info("lost")
        OF_STEP.info("lost too")
    assert [os.strerror(28) in record.message for record in caplog.records] == [True]


def test_what_ends_the_process_is_in_the_log(log: ExecutionLog, execution: JobExecution) -> None:
    with pytest.raises(RuntimeError), log.open(execution):
        raise RuntimeError("the repository is gone, s3cret")
    assert texts(log)[1:] == ["CRITICAL - the process gives up: RuntimeError: the repository is gone, ***"]


def test_repositories_that_share_a_folder_keep_logs_of_their_own() -> None:
    one, two = (log_file(Path("/project"), repository_id, 7) for repository_id in ("1234567890", "abcdefghij"))
    assert one == Path("/project/.batchrun/logs/12345678/7.log")
    assert one != two


def test_a_followed_log_ends_with_its_execution(
    log: ExecutionLog, execution: JobExecution, repository: MemoryJobRepository
) -> None:
    came: list[str] = []

    def look(execution_id: int) -> JobExecution:
        """The run goes on while the reader looks whether it has ended."""
        OF_STEP.info("more")
        save(repository, execution, BatchStatus.COMPLETED)
        log.after_job(execution)
        return repository.find_execution(execution_id)

    with log.open(execution):
        OF_STEP.info("at first")
        came = [line.text.split(" ", 1)[1] for line in read_log(log.path, execution, look)]
    assert came[1:] == ["INFO    copy at first", "INFO    copy more", "INFO    - ended COMPLETED"]
