"""The log of an execution: a file in the project folder with all that its process has to say. Never fails the run."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus
from batchrun.operations.log_routing import routed
from batchrun.spi.listener import Listener
from batchrun.version import __version__

LOGS_FOLDER = ".batchrun/logs"
NO_STEP = "-"
"""Stands in a line for the step where it belongs to none."""

_log = logging.getLogger("batchrun.operations")
_formatter = logging.Formatter("%(message)s")
_STEP_LEVELS = {BatchStatus.FAILED: logging.ERROR, BatchStatus.STOPPED: logging.WARNING}


def log_file(project: Path, repository_id: str, execution_id: int) -> Path:
    """Returns where the log of an execution stands: several repositories may share a project folder."""
    return project / LOGS_FOLDER / repository_id[:8] / f"{execution_id}.log"


def remove_logs(files: Iterable[Path]) -> None:
    """Removes logs whose executions are gone; what cannot be removed is told and stays."""
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("the log %s stays: %s", file, error.strerror)


class ExecutionLog(Listener):
    """Writes lines `2026-07-30T05:02:11.123Z INFO    load  text`; the further lines of a record are indented.

    It is a sink of log records, and a listener that tells what the steps did. Each record is one write to a file opened
    for appending, so that nothing is lost when the process dies, and nothing costs while nothing is said.

    Attributes:
        path: where it is to stand.
        level: the least severe records to keep.
        mask: hides secrets.
    """

    def __init__(
        self,
        path: Path,
        *,
        level: int = logging.INFO,
        mask: Callable[[str], str] = str,
    ) -> None:
        self.path = path
        self.level = level
        self._mask = mask
        self._file: int | None = None
        self._complained = False
        self._thread: int | None = None
        self._steps: dict[int | None, str] = {}
        self._loggers_of_job = ""

    @contextmanager
    def open(self, execution: JobExecution) -> Iterator[None]:
        """Keeps the log from when the execution has begun to when it has ended."""
        self._loggers_of_job = f"batchrun.job.{execution.job_name}."
        self._thread = threading.get_ident()
        self._steps[self._thread] = NO_STEP
        self._open_file()
        try:
            with routed(self):
                self._say(logging.INFO, _beginning(execution))
                yield
        except BaseException as error:
            self._say(logging.CRITICAL, f"the process gives up: {self._described(error)}")
            raise
        finally:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _open_file(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            self._complain(error)

    def _described(self, error: BaseException) -> str:
        if self.level > logging.DEBUG:
            return f"{type(error).__name__}: {error}"
        return "".join(traceback.format_exception(error))

    def owns(self, thread: int | None) -> bool:
        """Tells whether the thread runs this execution or one of its steps."""
        return thread in self._steps

    def write(self, record: logging.LogRecord) -> None:
        """Writes a record."""
        self._write(record.created, record.levelname, self._step_of(record), _formatter.format(record))

    def _step_of(self, record: logging.LogRecord) -> str:
        """Returns the step that a record belongs to: its logger says it, or its thread, or there is only one."""
        if record.name.startswith(self._loggers_of_job):
            return record.name.removeprefix(self._loggers_of_job)
        if record.thread in self._steps:
            return self._steps[record.thread]
        running = set(self._steps.values()) - {NO_STEP}
        return running.pop() if len(running) == 1 else NO_STEP

    def _say(self, level: int, text: str, step: str = NO_STEP) -> None:
        self._write(datetime.now(UTC).timestamp(), logging.getLevelName(level), step, text)

    def _write(self, at: float, level: str, step: str, text: str) -> None:
        if self._file is None:
            return
        time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = self._mask(text).rstrip("\n").replace("\n", "\n  ")
        try:
            os.write(self._file, f"{time} {level:<7} {step} {lines}\n".encode(errors="replace"))
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        """Warns once; the run is worth more than its log."""
        if not self._complained:
            self._complained = True
            _log.warning("the log of the execution cannot be written: %s; the run goes on without", error)

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells the step's start, and that this thread works for it."""
        del execution
        self._steps[threading.get_ident()] = step.step_name
        self._say(logging.INFO, "started", step.step_name)

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells the step's end."""
        del execution
        self._say(_STEP_LEVELS.get(step.status, logging.INFO), _ending(step), step.step_name)
        self._forget_thread()

    def _forget_thread(self) -> None:
        """Gives the thread back to the job if it is the job's own, else to nobody: a thread's number is used again."""
        thread = threading.get_ident()
        if thread == self._thread:
            self._steps[thread] = NO_STEP
        else:
            self._steps.pop(thread, None)

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells that there is nothing to do."""
        del execution
        self._say(logging.INFO, f"completed before, in execution {step.job_execution_id}", step.step_name)

    def after_job(self, execution: JobExecution) -> None:
        """Tells the job's end."""
        self._say(_STEP_LEVELS.get(execution.status, logging.INFO), f"ended {_outcome(execution)}")


def _beginning(execution: JobExecution) -> str:
    owner = execution.owner
    continues = f", continues execution {execution.restart_of}" if execution.restart_of else ""
    return (
        f"execution {execution.id} of {execution.job_name}{continues}: process {owner.pid} on {owner.host}, "
        f"batchrun {__version__}, {execution.job_file}"
    )


def _ending(step: StepExecution) -> str:
    told = [f"{number:,} {name}" for name, number in _counts(step) if number]
    return ", ".join([_outcome(step), *told])


def _counts(step: StepExecution) -> list[tuple[str, int]]:
    counts = step.counts
    return [
        ("read", counts.read),
        ("written", counts.write),
        ("filtered", counts.filter),
        ("skipped", counts.skip),
        ("commit" if counts.commit == 1 else "commits", counts.commit),
        ("rollback" if counts.rollback == 1 else "rollbacks", counts.rollback),
    ]


def _outcome(ended: JobExecution | StepExecution) -> str:
    code, description = ended.exit_status.code, ended.exit_status.description
    own = f" ({code})" if code != ended.status.name else ""
    return f"{ended.status.name}{own}{f': {description}' if description else ''}"
