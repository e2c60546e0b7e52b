"""Walks a job's flow: which state comes next, saved before it is entered (SEMANTICS section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from batchrun.domain.definition import JobDefinition, Transition
from batchrun.domain.execution import FlowPosition, StepExecution
from batchrun.domain.flow import choose, has_transitions, matches
from batchrun.domain.status import FAILED, STOPPED, BatchStatus, ExitStatus
from batchrun.engine.run import JobRun
from batchrun.engine.step import execute_step


class FlowEnd(NamedTuple):
    """How a flow ended."""

    status: BatchStatus
    exit_status: ExitStatus


def walk(run: JobRun) -> FlowEnd:
    """Runs the states from the execution's position on, until the flow ends, fails or is stopped."""
    if run.execution.flow.state is None:
        _enter(run, FlowPosition().enter(run.definition.start))
    step = _rerun_completed(run)
    while True:
        position = run.execution.flow
        state = position.path[-1]
        if step is None and run.stop.is_requested:
            return FlowEnd(BatchStatus.STOPPED, ExitStatus(STOPPED.code, f"stopped before step {state!r}"))
        step = step or execute_step(run, run.definition.step(state), position.visit)
        following = after(run.definition, step)
        if isinstance(following, FlowEnd):
            return following
        if following.to is None:
            return _ended(run, following)
        _enter(run, position.enter(following.to))
        step = None


def _rerun_completed(run: JobRun) -> StepExecution | None:
    """Runs again those completed steps on the path so far that ask for it.

    Returns:
        The attempt that ended otherwise than the path went on, where the path is left; None where it stays as it is.
    """
    path = run.execution.flow.path
    again = {step.name: step for step in run.definition.steps if step.allow_start_if_complete}
    _tell_skipped(run, [state for state in dict.fromkeys(path[:-1]) if state not in again])
    for place, (state, following) in enumerate(pairwise(path)):
        if run.stop.is_requested or state not in again:
            continue
        step = execute_step(run, again[state], path[: place + 1].count(state))
        edge = after(run.definition, step)
        if isinstance(edge, FlowEnd) or edge.to != following:
            _enter(run, FlowPosition(path[: place + 1]))
            return step
    return None


def _tell_skipped(run: JobRun, states: Sequence[str]) -> None:
    for state in states:
        if (last := run.repository.last_step(run.execution, state)) is not None:
            run.listeners.on_step_skipped(run.execution, last)


def after(definition: JobDefinition, step: StepExecution) -> Transition | FlowEnd:
    """Returns the transition that the flow takes after a step, or the end it comes to without one."""
    name, exit_status = step.step_name, step.exit_status
    if step.status is BatchStatus.STOPPED:
        return FlowEnd(BatchStatus.STOPPED, ExitStatus(STOPPED.code, exit_status.description or f"in step {name!r}"))
    if definition.transitions is None:
        following = _declared_after(definition, name)
        if following is not None and _completed(step):
            return Transition(name, to=following)
        return _last(step)
    if not has_transitions(definition.transitions, name):
        return _last(step)
    edge = choose(definition.transitions, name, exit_status.code)
    if edge is not None:
        return edge
    if step.status is not BatchStatus.COMPLETED:
        return _last(step)
    return FlowEnd(
        BatchStatus.FAILED,
        ExitStatus(FAILED.code, f"no transition of step {name!r} takes its exit code {exit_status.code!r}"),
    )


def _last(step: StepExecution) -> FlowEnd:
    """Ends the job as the step ended: COMPLETED* completes it, anything else fails it."""
    if _completed(step):
        return FlowEnd(BatchStatus.COMPLETED, step.exit_status)
    return FlowEnd(BatchStatus.FAILED, _failure(step))


def _completed(step: StepExecution) -> bool:
    return step.status is BatchStatus.COMPLETED and matches("COMPLETED*", step.exit_status.code)


def _failure(step: StepExecution) -> ExitStatus:
    described = step.exit_status.description or f"ended with exit code {step.exit_status.code}"
    return ExitStatus(step.exit_status.code, f"step {step.step_name!r}: {described}")


def _ended(run: JobRun, edge: Transition) -> FlowEnd:
    """Ends the job as the transition says; a stop saves where the next execution begins."""
    if edge.end is not None:
        return FlowEnd(BatchStatus.COMPLETED, ExitStatus(edge.end))
    if edge.fail is not None:
        return FlowEnd(BatchStatus.FAILED, ExitStatus(edge.fail, f"by the flow, after step {edge.source!r}"))
    following = edge.restart or _declared_after(run.definition, edge.source)
    if following is not None:
        run.execution.flow = run.execution.flow.enter(following)
    code = edge.stop or STOPPED.code
    return FlowEnd(BatchStatus.STOPPED, ExitStatus(code, f"by the flow, after step {edge.source!r}"))


def _declared_after(definition: JobDefinition, name: str) -> str | None:
    names = [step.name for step in definition.steps]
    place = names.index(name) + 1
    return names[place] if place < len(names) else None


def _enter(run: JobRun, position: FlowPosition) -> None:
    run.execution.flow = position
    run.repository.save_job(run.execution)
