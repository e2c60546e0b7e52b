"""A step's execution: a list of named stages over one record, each a screen at most."""

from __future__ import annotations

import logging
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from batchrun.domain.carrying import new_number, shared_run
from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    DecisionDefinition,
    FlowDefinition,
    ParallelDefinition,
    TaskletDefinition,
)
from batchrun.domain.execution import Checkpoint, StepExecution
from batchrun.domain.status import STOPPED, BatchStatus, ExitStatus
from batchrun.engine.child_job import ChildJobWork
from batchrun.engine.chunk import ChunkWork
from batchrun.engine.decision import DecisionWork
from batchrun.engine.ending import Ending, failed
from batchrun.engine.flow import tell_skipped
from batchrun.engine.nested import FlowsWork
from batchrun.engine.tasklet import TaskletWork
from batchrun.engine.visit import Visit
from batchrun.engine.work import StepWork
from batchrun.errors import (
    FencedError,
    ListenerError,
    PromotionError,
    RepositoryError,
    StartLimitError,
    StepStoppedError,
)
from batchrun.spi.listener import Listener

_log = logging.getLogger("batchrun.engine")

_WORK: dict[type, type[StepWork]] = {
    ChunkDefinition: ChunkWork,
    TaskletDefinition: TaskletWork,
    DecisionDefinition: DecisionWork,
    ParallelDefinition: FlowsWork,
    FlowDefinition: FlowsWork,
    ChildJobDefinition: ChildJobWork,
}


@dataclass(slots=True)
class _Attempt:
    """The record that the stages work on."""

    visit: Visit
    step: StepExecution
    work: StepWork


def execute_step(visit: Visit) -> StepExecution:
    """Runs one visit of the flow to a step, or takes the result that an earlier execution has of it.

    Returns:
        The attempt, ended and saved: COMPLETED, FAILED or STOPPED.

    Raises:
        StartLimitError: the step has been started as often as it may.
        FencedError: another process has taken over the execution; nothing more is saved.
        RepositoryError: the repository cannot be used; the attempt stays as it was last saved.
    """
    previous = visit.run.attempts.last(visit.definition.name, visit.number)
    is_complete = previous is not None and previous.status is BatchStatus.COMPLETED
    if is_complete and not visit.definition.runs_again:
        assert previous is not None
        tell_skipped(visit.run, previous)
        return previous
    attempt = _begin(visit, None if is_complete else previous)
    try:
        _work(attempt)
        _after(attempt)
        _settle(attempt)
    finally:
        attempt.work.close()
    return attempt.step


def _begin(visit: Visit, previous: StepExecution | None) -> _Attempt:
    """Counts the start and makes the record: with the checkpoint of the attempt it continues, or an empty one."""
    run, definition = visit.run, visit.definition
    limit = definition.start_limit
    if limit is not None and run.repository.count_step_starts(run.execution, definition.name) >= limit:
        raise StartLimitError(definition.name, limit)
    step = StepExecution(
        0,
        run.execution.id,
        definition.name,
        visit.number,
        BatchStatus.STARTED,
        started_at=datetime.now(UTC),
        parent_id=None if visit.parent is None else visit.parent.id,
    )
    if previous is not None:
        # One that died before its first save has no run in its checkpoint, but began it all the same.
        step.checkpoint = replace(previous.checkpoint, run=previous.checkpoint.run or previous.number)
        step.context = deepcopy(step.checkpoint.contexts.get("step", {}))
    elif run.execution.instance.is_carried:
        is_rerun = run.attempts.last(definition.name, visit.number) is not None
        step.checkpoint = Checkpoint(run=new_number() if is_rerun else shared_run(definition.name, visit.number))
    run.repository.add_step(run.execution, step)
    if not step.checkpoint.run:
        step.checkpoint = Checkpoint(run=step.number)
    run.attempts.add(step)
    with run.lock:
        run.execution.steps.append(step)
    return _Attempt(visit, step, _WORK[type(definition.work)](visit, step, execute_step))


def _work(attempt: _Attempt) -> None:
    """Does the step's work between its listeners, and records how it ended."""
    work, execution, step = attempt.work, attempt.visit.run.execution, attempt.step
    try:
        work.listeners = work.listeners.with_(attempt.visit.run.components.step_listeners(work.start))
        work.listeners.before(Listener.before_step, execution, step)
        _end(step, _worked(work))
        if step.status is BatchStatus.COMPLETED:
            _check_promotion(attempt)
    except (FencedError, RepositoryError, KeyboardInterrupt):
        raise
    except (
        BaseException
    ) as error:  # SystemExit would end the process as if all were well, a panic of polars as a defect
        _fail(attempt, error)


def _worked(work: StepWork) -> Ending:
    """Does the work and returns how it ended.

    Raises:
        StepTimeoutError: it ended early because its time was over.
    """
    try:
        work.execute()
        ending = work.ending()
    except StepStoppedError as error:
        ending = Ending(BatchStatus.STOPPED, ExitStatus(STOPPED.code, work.run.describe(error)))
    if ending.status is BatchStatus.STOPPED:
        work.refuse_overdue()
    return ending


def _check_promotion(attempt: _Attempt) -> None:
    for key in attempt.visit.definition.promote:
        if key not in attempt.step.context:
            raise PromotionError(attempt.step.step_name, key, attempt.step.context)


def _after(attempt: _Attempt) -> None:
    """Tells the listeners, and merges what each says of the exit before the next is told.

    An exception of theirs fails the step; Spring Batch swallows it.
    """
    step = attempt.step
    for said in attempt.work.listeners.answers(Listener.after_step, attempt.visit.run.execution, step):
        if isinstance(said, ListenerError):
            _fail(attempt, said)
        elif said is not None:
            step.exit_status = step.exit_status.and_(said)


def _settle(attempt: _Attempt) -> None:
    """Saves the end, and only then lets the target forget where the step was.

    What is promoted is saved before: after a crash in between the step completes, and promotes, once more.
    """
    run, step = attempt.visit.run, attempt.step
    step.ended_at = datetime.now(UTC)
    if step.status is BatchStatus.COMPLETED:
        step.checkpoint = replace(step.checkpoint, contexts=attempt.work.contexts(step.checkpoint.contexts))
        run.promote({key: step.context[key] for key in attempt.visit.definition.promote})
    run.repository.save_step(run.execution, step)
    if step.status is BatchStatus.COMPLETED:
        attempt.work.forget()


def _fail(attempt: _Attempt, error: BaseException) -> None:
    _log.debug("step %r failed", attempt.visit.definition.name, exc_info=error)
    _end(attempt.step, failed(attempt.visit.run.describe(error), attempt.step))


def _end(step: StepExecution, ending: Ending) -> None:
    step.status, step.exit_status = ending
