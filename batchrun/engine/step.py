"""A step's execution: a list of named stages over one record, each a screen at most."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from batchrun.domain.definition import ChunkDefinition, StepDefinition
from batchrun.domain.execution import Checkpoint, StepExecution
from batchrun.domain.status import (
    COMPLETED,
    COMPLETED_WITH_SKIPS,
    EXECUTING,
    FAILED,
    STOPPED,
    BatchStatus,
    ExitStatus,
)
from batchrun.engine.chunk import ChunkWork
from batchrun.engine.run import JobRun
from batchrun.engine.tasklet import TaskletWork
from batchrun.engine.work import StepWork
from batchrun.errors import FencedError, RepositoryError, StartLimitError, StepStoppedError

_log = logging.getLogger("batchrun.engine")


@dataclass(slots=True)
class _Attempt:
    """The record that the stages work on."""

    run: JobRun
    definition: StepDefinition
    step: StepExecution
    work: StepWork


def execute_step(run: JobRun, definition: StepDefinition, visit: int) -> StepExecution:
    """Runs one visit of the flow to a step, or takes the result that an earlier execution has of it.

    Returns:
        The attempt, ended and saved: COMPLETED, FAILED or STOPPED.

    Raises:
        StartLimitError: the step has been started as often as it may.
        FencedError: another process has taken over the execution; nothing more is saved.
        RepositoryError: the repository cannot be used; the attempt stays as it was last saved.
    """
    last = run.repository.last_step(run.execution, definition.name)
    previous = last if last is not None and last.visit == visit else None
    if previous is not None and previous.status is BatchStatus.COMPLETED:
        if not definition.allow_start_if_complete:
            run.listeners.on_step_skipped(run.execution, previous)
            return previous
        previous = None
    attempt = _begin(run, definition, visit, previous)
    try:
        _work(attempt)
        _after(attempt)
        _settle(attempt)
    finally:
        attempt.work.close()
    return attempt.step


def _begin(run: JobRun, definition: StepDefinition, visit: int, previous: StepExecution | None) -> _Attempt:
    """Counts the start and makes the record: with the checkpoint of the attempt it continues, or an empty one."""
    limit = definition.start_limit
    if limit is not None and run.repository.count_step_starts(run.execution, definition.name) >= limit:
        raise StartLimitError(definition.name, limit)
    step = StepExecution(0, run.execution.id, definition.name, visit, BatchStatus.STARTED, started_at=datetime.now(UTC))
    if previous is not None:
        # One that died before its first save has no run in its checkpoint, but began it all the same.
        step.checkpoint = replace(previous.checkpoint, run=previous.checkpoint.run or previous.id)
    run.repository.add_step(run.execution, step)
    if previous is None:
        step.checkpoint = Checkpoint(run=step.id)
    run.execution.steps.append(step)
    kind = ChunkWork if isinstance(definition.work, ChunkDefinition) else TaskletWork
    return _Attempt(run, definition, step, kind(run, definition, step, previous))


def _work(attempt: _Attempt) -> None:
    """Does the step's work between its listeners, and records how it ended."""
    step = attempt.step
    try:
        attempt.run.listeners.before_step(attempt.run.execution, step)
        attempt.work.execute()
    except (FencedError, RepositoryError):
        raise
    except StepStoppedError as error:
        _end(step, BatchStatus.STOPPED, ExitStatus(STOPPED.code, attempt.run.describe(error)))
    except (Exception, SystemExit) as error:  # a component that ends the process would end it as if all were well
        _fail(attempt, error)
    else:
        if attempt.work.stopped:
            _end(step, BatchStatus.STOPPED, STOPPED)
        else:
            _end(step, BatchStatus.COMPLETED, _completed(step))


def _after(attempt: _Attempt) -> None:
    """Tells the listeners; an exception of theirs fails the step (Spring Batch swallows it)."""
    try:
        attempt.run.listeners.after_step(attempt.run.execution, attempt.step)
    except (FencedError, RepositoryError):
        raise
    except Exception as error:
        _fail(attempt, error)


def _settle(attempt: _Attempt) -> None:
    """Saves the end, and only then lets the target forget where the step was."""
    attempt.step.ended_at = datetime.now(UTC)
    attempt.run.repository.save_step(attempt.run.execution, attempt.step)
    if attempt.step.status is BatchStatus.COMPLETED:
        attempt.work.forget()


def _completed(step: StepExecution) -> ExitStatus:
    """Returns the exit status of completed work: the tasklet's own word, or whether items were skipped."""
    if step.exit_status != EXECUTING:
        return step.exit_status
    return COMPLETED_WITH_SKIPS if step.counts.skip else COMPLETED


def _fail(attempt: _Attempt, error: BaseException) -> None:
    _log.debug("step %r failed", attempt.definition.name, exc_info=error)
    _end(attempt.step, BatchStatus.FAILED, ExitStatus(FAILED.code, attempt.run.describe(error)))


def _end(step: StepExecution, status: BatchStatus, exit_status: ExitStatus) -> None:
    step.status, step.exit_status = status, exit_status
