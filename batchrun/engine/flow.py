"""Walks a flow: which state comes next, saved before it is entered (SEMANTICS section 3).

The job's own flow, the branches of a parallel state and nested flows are all walked by this; they differ in the place
where their position is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from batchrun.domain.definition import FlowDefinition, Transition
from batchrun.domain.execution import StepExecution
from batchrun.domain.flow import choose, has_transitions
from batchrun.domain.position import Address, FlowPosition
from batchrun.domain.status import FAILED, STOPPED, BatchStatus, ExitStatus
from batchrun.engine.ending import Ending, is_completed, of_last, stopped
from batchrun.engine.run import JobRun
from batchrun.engine.visit import StepRunner, Visit
from batchrun.errors import VisitLimitError
from batchrun.spi.listener import Listener


@dataclass(frozen=True, slots=True)
class FlowWalk:
    """One walk through a flow, from where its position stands to its end.

    Attributes:
        execute: runs a visit to a state.
        address: which flow of the job it is.
        parent: the attempt at the state that holds the flow; None for the job's own.
    """

    run: JobRun
    flow: FlowDefinition
    execute: StepRunner
    address: Address = ()
    parent: StepExecution | None = None

    def to_end(self) -> Ending:
        """Runs the states until the flow ends, fails or is stopped."""
        if self._position.state is None:
            self._enter(self.flow.start)
        step = self._rerun_completed()
        while True:
            state = self._position.state
            assert state is not None
            if step is None and self.run.stop.is_requested:
                return stopped(f"stopped before step {state!r}")
            step = step or self._visit(state)
            following = after(self.flow, step)
            if isinstance(following, Ending):
                return following
            if following.to is None:
                return self._ended(following)
            self._enter(following.to)
            step = None

    @property
    def _position(self) -> FlowPosition:
        return self.run.position(self.address)

    def _enter(self, state: str) -> None:
        position = self._position.enter(state)
        limit = self.flow.state(state).max_visits
        if limit is not None and position.visit > limit:
            raise VisitLimitError(state, limit)
        self.run.move(self.address, position)

    def _visit(self, state: str) -> StepExecution:
        visit = self._position.visits[state]
        return self.execute(Visit(self.run, self.flow.state(state), visit, self.address, self.parent))

    def _rerun_completed(self) -> StepExecution | None:
        """Runs again those completed states on the way so far that ask for it.

        Returns:
            The attempt that ended otherwise than the flow went on, where the way is left; None where it stays as it is.
        """
        here = {state.name for state in self.flow.states}  # a file that was changed may have lost some
        entered = (self._last_attempt(state) for state in self._position.path[:-1] if state in here)
        attempts = [step for step in entered if step is not None]
        again = [step for step in attempts if self._runs_again(step)]
        for step in attempts:
            if step not in again:
                tell_skipped(self.run, step)
        for state in (step.step_name for step in again):
            if self.run.stop.is_requested:
                break
            step = self._visit(state)
            edge = after(self.flow, step)
            if isinstance(edge, Ending) or edge.to != self._position.edges[state]:
                self.run.move(self.address, self._position.back_to(state))
                return step
        return None

    def _last_attempt(self, state: str) -> StepExecution | None:
        return self.run.attempts.last(state, self._position.visits[state])

    def _runs_again(self, step: StepExecution) -> bool:
        return step.status is BatchStatus.COMPLETED and self.flow.state(step.step_name).runs_again

    def _ended(self, edge: Transition) -> Ending:
        """Ends the flow as the transition says; a stop saves where the next execution begins."""
        described = f"by the flow, after step {edge.source!r}"
        if edge.end is not None:
            return Ending(BatchStatus.COMPLETED, ExitStatus(edge.end))
        if edge.fail is not None:
            return Ending(BatchStatus.FAILED, ExitStatus(edge.fail, described))
        following = edge.restart or self.flow.after(edge.source)
        if following is not None:
            self._enter(following)
        return Ending(BatchStatus.STOPPED, ExitStatus(edge.stop or STOPPED.code, described))


def tell_skipped(run: JobRun, step: StepExecution) -> None:
    """Tells the listeners of a step that an earlier execution has completed."""
    run.listeners.after(Listener.on_step_skipped, run.execution, step)


def after(flow: FlowDefinition, step: StepExecution) -> Transition | Ending:
    """Returns the transition that the flow takes after a step, or the end it comes to without one."""
    name, exit_status = step.step_name, step.exit_status
    if step.status is BatchStatus.STOPPED:
        return stopped(exit_status.description or f"in step {name!r}")
    if flow.transitions is None:
        following = flow.after(name)
        return Transition(name, to=following) if following is not None and is_completed(step) else of_last(step)
    if not has_transitions(flow.transitions, name):
        return of_last(step)
    edge = choose(flow.transitions, name, exit_status.code)
    if edge is not None:
        return edge
    if step.status is not BatchStatus.COMPLETED:
        return of_last(step)
    described = f"no transition of step {name!r} takes its exit code {exit_status.code!r}"
    return Ending(BatchStatus.FAILED, ExitStatus(FAILED.code, described))
