"""A job's execution: started, walked through, ended, each saved before the next begins."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import FAILED, BatchStatus, ExitStatus
from batchrun.engine.flow import FlowEnd, walk
from batchrun.engine.lease import Heartbeat
from batchrun.engine.run import JobRun
from batchrun.errors import FencedError, RepositoryError

_log = logging.getLogger("batchrun.engine")


def execute_job(run: JobRun) -> JobExecution:
    """Runs the job to its end and returns the execution, saved: COMPLETED, FAILED or STOPPED.

    Raises:
        FencedError: another process has taken over; it says how the execution ends.
        RepositoryError: the repository cannot be used any more; the execution is found dead by the next launch.
    """
    with Heartbeat(run.repository, run.execution, run.stop, beat=run.beat):
        _start(run)
        end = _walk(run)
        _end(run, end)
    return run.execution


def _start(run: JobRun) -> None:
    run.execution.status = BatchStatus.STARTED
    run.execution.started_at = datetime.now(UTC)
    run.repository.save_job(run.execution)


def _walk(run: JobRun) -> FlowEnd:
    try:
        run.listeners.before_job(run.execution)
        return walk(run)
    except (FencedError, RepositoryError):
        raise
    except Exception as error:
        return _failure(run, error)


def _end(run: JobRun, end: FlowEnd) -> None:
    run.execution.status, run.execution.exit_status = end
    try:
        run.listeners.after_job(run.execution)
    except (FencedError, RepositoryError):
        raise
    except Exception as error:
        run.execution.status, run.execution.exit_status = _failure(run, error)
    run.execution.ended_at = datetime.now(UTC)
    run.repository.save_job(run.execution)


def _failure(run: JobRun, error: Exception) -> FlowEnd:
    _log.debug("job %r failed", run.definition.name, exc_info=error)
    return FlowEnd(BatchStatus.FAILED, ExitStatus(FAILED.code, run.describe(error)))
