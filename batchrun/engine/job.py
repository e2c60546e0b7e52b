"""A job's execution: started, walked through, ended, each saved before the next begins."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import BatchStatus
from batchrun.engine.attempts import Attempts
from batchrun.engine.ending import Ending, failed
from batchrun.engine.flow import FlowWalk
from batchrun.engine.lease import Heartbeat
from batchrun.engine.run import JobRun
from batchrun.engine.step import execute_step
from batchrun.errors import DefinitionError, FencedError, ListenerError, RepositoryError
from batchrun.spi.listener import Listener

_log = logging.getLogger("batchrun.engine")


def execute_job(run: JobRun) -> JobExecution:
    """Runs the job to its end and returns the execution, saved: COMPLETED, FAILED or STOPPED.

    Raises:
        FencedError: another process has taken over; it says how the execution ends.
        RepositoryError: the repository cannot be used any more; the execution is found dead by the next launch.
    """
    with Heartbeat(run.repository, run.execution, run.stop, beat=run.beat):
        _start(run)
        try:
            run = _prepared(run)
        except DefinitionError as error:
            ending = _failure(run, error)
        else:
            ending = _walk(run)
        _end(run, ending)
    return run.execution


def _prepared(run: JobRun) -> JobRun:
    """Returns the run with the job's own listeners, and with what earlier executions have of its steps."""
    earlier = run.repository.last_visits(run.execution) if run.execution.restart_of is not None else ()
    return replace(
        run,
        listeners=run.listeners.with_(run.components.job_listeners(run.execution)),
        attempts=Attempts([step.name for step in run.definition.steps], earlier),
    )


def _start(run: JobRun) -> None:
    run.execution.status = BatchStatus.STARTED
    run.execution.started_at = datetime.now(UTC)
    run.repository.save_job(run.execution)


def _walk(run: JobRun) -> Ending:
    try:
        run.listeners.before(Listener.before_job, run.execution)
        return FlowWalk(run, run.definition.flow, execute_step).to_end()
    except (FencedError, RepositoryError):
        raise
    except Exception as error:
        return _failure(run, error)


def _end(run: JobRun, end: Ending) -> None:
    run.execution.status, run.execution.exit_status = end
    for said in run.listeners.answers(Listener.after_job, run.execution):
        if isinstance(said, ListenerError):
            run.execution.status, run.execution.exit_status = failed(run.describe(said), run.execution)
    run.execution.ended_at = datetime.now(UTC)
    run.repository.save_job(run.execution)


def _failure(run: JobRun, error: Exception) -> Ending:
    _log.debug("job %r failed", run.definition.name, exc_info=error)
    return failed(run.describe(error))
