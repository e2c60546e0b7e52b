"""Walks a flow as the engine would, from where it stands, without running anything.

It follows `engine.flow.FlowWalk` and `engine.step.execute_step` rule by rule; where the way depends on how a step
ends, it follows all of them and says so. A property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from batchrun.domain.definition import FlowDefinition, StepDefinition
from batchrun.domain.execution import StepExecution
from batchrun.domain.position import FlowPosition, Inside
from batchrun.domain.status import BatchStatus
from batchrun.engine.ending import Ending
from batchrun.engine.flow import after
from batchrun.operations.plan.record import Action, PlannedStep


@dataclass(frozen=True, slots=True)
class Resumption:
    """How an attempt that has not completed is continued, or how a step begins; see `PlannedStep`."""

    action: Action
    reason: str = ""
    position: str | None = None
    is_exact: bool = True
    child_id: int | None = None


class Facts(Protocol):
    """What the repository has of the instance's steps."""

    def last(self, step_name: str, visit: int) -> StepExecution | None:
        """Returns the last attempt at a visit to the step, or None."""
        ...

    def starts(self, step_name: str) -> int:
        """Returns how many times the step has started in the instance."""
        ...

    def resumption(self, state: StepDefinition, attempt: StepExecution | None) -> Resumption:
        """Tells how an attempt that has not completed is continued, or how the step begins where there is none."""
        ...


def plan_flow(facts: Facts, flow: FlowDefinition, position: FlowPosition, condition: str = "") -> list[PlannedStep]:
    """Returns what becomes of each state of the flow, in order of declaration.

    Args:
        facts: what there is of the steps.
        flow: as the job file has it now.
        position: where it stands.
        condition: when the flow is walked at all; empty where that is certain.
    """
    return _FlowPlan(facts, flow, position, condition).steps()


class _Way(NamedTuple):
    """A transition that may be taken: on which exit codes, and of which state."""

    on: str
    source: str


class _FlowPlan:
    def __init__(self, facts: Facts, flow: FlowDefinition, position: FlowPosition, condition: str) -> None:
        self._facts = facts
        self._flow = flow
        self._position = position
        self._condition = condition
        self._names = {state.name for state in flow.states}
        self._planned: dict[str, PlannedStep] = {}
        self._open: list[str] = []
        """States whose ending nobody knows yet."""
        self._returns: list[str] = []
        """Those of them that the flow enters once more."""

    def steps(self) -> list[PlannedStep]:
        if self._position.state is None:
            self._enter(self._flow.start)
        else:
            self._pass_entered()
            self._stand()
        self._possible()
        return [self._planned.get(state.name) or _not_reached(state) for state in self._flow.states]

    def _pass_entered(self) -> None:
        """Plans the states on the way so far: their results are taken, but for those that run again."""
        walked = self._condition
        for name in (each for each in self._position.path[:-1] if each in self._names):
            attempt, state = self._attempt(name), self._flow.state(name)
            if attempt is None:
                continue
            if not _runs_again(state, attempt):
                self._planned[name] = replace(_skip(state, attempt), condition=walked)
            elif not self._is_stuck:
                self._plan(self._rerun(state, attempt))
                self._condition = self._condition or f"when {name} ends as it did before"

    def _stand(self) -> None:
        """Plans the state where the flow stands, and what follows where its ending is known."""
        assert self._position.state is not None
        if self._is_stuck or self._position.state not in self._names:
            return
        state = self._flow.state(self._position.state)
        attempt = self._attempt(state.name)
        if attempt is None or attempt.status is not BatchStatus.COMPLETED:
            self._plan(self._limited(state, self._resumed(state, attempt)))
        elif _runs_again(state, attempt):
            self._plan(self._rerun(state, attempt))
        else:
            self._planned[state.name] = replace(_skip(state, attempt), condition=self._condition)
            following = after(self._flow, attempt)
            if not isinstance(following, Ending) and following.to is not None:
                self._go_on(following.to)

    def _go_on(self, name: str) -> None:
        """Plans that the flow enters the state next; one that runs again on the way has its place already."""
        planned = self._planned.get(name)
        if planned is None or planned.action is not Action.RERUN:
            self._enter(name)
            return
        obstacle = self._obstacle(name)
        comes_back = f"the flow comes back to it, and fails as {obstacle}" if obstacle else "the flow comes back to it"
        self._planned[name] = replace(planned, reason=f"{planned.reason}; {comes_back}")
        if not obstacle:
            self._returns.append(name)

    def _possible(self) -> None:
        """Plans the states that the flow may enter, depending on how those before them end."""
        for name, ways in self._ways().items():
            planned = self._planned.get(name)
            if planned is None:
                self._condition = self._condition_of(ways)
                self._enter(name)
            elif planned.action is Action.SKIP:
                reason = f"{planned.reason}; the flow may come back to it"
                self._planned[name] = replace(planned, reason=reason)

    def _ways(self) -> dict[str, list[_Way]]:
        """Returns the states that may be entered, each with the ways that lead there."""
        ways: dict[str, list[_Way]] = {}
        pending = [(name, self._leaving(name)) for name in self._open]
        pending += [(name, self._edges(name)) for name in self._returns]
        for name, edges in pending:
            for on, target in edges:
                if target not in ways and not self._obstacle(target):
                    pending.append((target, self._edges(target)))
                if (way := _Way(on, name)) not in ways.setdefault(target, []):
                    ways[target].append(way)
        return ways

    def _leaving(self, name: str) -> list[tuple[str, str]]:
        """Returns the edges by which the flow may go on from a state whose ending nobody knows yet.

        Of a state that runs again on the way, the edge taken before leads nowhere new.
        """
        on_the_way = name in self._position.path[:-1]
        taken = self._position.edges.get(name) if on_the_way else None
        return [(on, target) for on, target in self._edges(name) if target != taken]

    def _edges(self, name: str) -> list[tuple[str, str]]:
        """Returns exit code patterns and targets of the state's transitions."""
        if self._flow.transitions is None:
            following = self._flow.after(name)
            return [] if following is None else [("COMPLETED*", following)]
        return [(each.on, each.to) for each in self._flow.transitions if each.source == name and each.to is not None]

    def _condition_of(self, ways: Sequence[_Way]) -> str:
        if self._flow.transitions is None:
            return f"when {ways[0].source} has completed"
        return "on " + " or ".join(f"{on} of {source}" for on, source in ways)

    @property
    def _is_stuck(self) -> bool:
        return any(each.action is Action.BLOCKED for each in self._planned.values())

    def _attempt(self, name: str) -> StepExecution | None:
        return self._facts.last(name, self._position.visits[name])

    def _plan(self, step: PlannedStep) -> None:
        self._planned[step.name] = step
        if step.action is not Action.BLOCKED:
            self._open.append(step.name)

    def _enter(self, name: str) -> None:
        """Plans that the flow enters a state once more."""
        state = self._flow.state(name)
        if reason := self._obstacle(name):
            self._plan(self._blocked(state, reason))
        else:
            self._plan(self._begun(state, self._visits(name) + 1, self._facts.resumption(state, None)))

    def _obstacle(self, name: str) -> str:
        """Returns why the flow cannot enter a state once more, or nothing."""
        limit = self._flow.state(name).max_visits
        if limit is not None and self._visits(name) >= limit:
            return f"the flow has entered it {_times(limit)}, which is its max_visits"
        return self._start_obstacle(self._flow.state(name))

    def _start_obstacle(self, state: StepDefinition) -> str:
        limit = state.start_limit
        if limit is not None and self._facts.starts(state.name) >= limit:
            return f"it has been started {_times(limit)}, which is its start_limit"
        return ""

    def _limited(self, state: StepDefinition, planned: PlannedStep) -> PlannedStep:
        reason = self._start_obstacle(state)
        return self._blocked(state, reason) if reason else planned

    def _visits(self, name: str) -> int:
        return self._position.visits.get(name, 0)

    def _rerun(self, state: StepDefinition, attempt: StepExecution) -> PlannedStep:
        begun = Resumption(Action.RERUN, f"completed in execution {attempt.job_execution_id}, and runs again")
        planned = self._begun(state, attempt.visit, begun)
        return self._limited(state, replace(planned, execution_id=attempt.job_execution_id))

    def _resumed(self, state: StepDefinition, attempt: StepExecution | None) -> PlannedStep:
        visit = self._position.visits[state.name]
        planned = self._begun(state, visit, self._facts.resumption(state, attempt))
        return replace(planned, execution_id=None if attempt is None else attempt.job_execution_id)

    def _begun(self, state: StepDefinition, visit: int, how: Resumption) -> PlannedStep:
        inside = [
            plan_flow(self._facts, flow, self._position.at((Inside(state.name, visit, place),)), self._condition)
            for place, flow in enumerate(state.flows)
        ]
        return PlannedStep(
            state.name,
            state.kind,
            how.action,
            self._condition,
            how.reason,
            position=how.position,
            is_exact=how.is_exact,
            child_id=how.child_id,
            inside=inside,
        )

    def _blocked(self, state: StepDefinition, reason: str) -> PlannedStep:
        return PlannedStep(state.name, state.kind, Action.BLOCKED, self._condition, reason)


def _runs_again(state: StepDefinition, attempt: StepExecution) -> bool:
    return attempt.status is BatchStatus.COMPLETED and state.runs_again


def _skip(state: StepDefinition, attempt: StepExecution) -> PlannedStep:
    """Its result is taken; a state that the flow went past need not have completed."""
    code, before = attempt.exit_status.code, attempt.job_execution_id
    ended = "decided" if state.kind == "decision" else attempt.status.name.lower()
    own = f" with {code}" if code != attempt.status.name else ""
    passed = "" if attempt.status is BatchStatus.COMPLETED else ", and the flow went on from there"
    return PlannedStep(
        state.name, state.kind, Action.SKIP, reason=f"{ended}{own} in execution {before}{passed}", execution_id=before
    )


def _not_reached(state: StepDefinition) -> PlannedStep:
    return PlannedStep(state.name, state.kind, Action.NOT_REACHED)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
