"""Random flows with random crashes and failures: the way through them is the one that an undisturbed run takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchrun.domain.definition import FlowDefinition, StepDefinition, Transition
from batchrun.domain.execution import StepExecution
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import InstanceCompleteError
from batchrun.spi.decider import Facts
from batchrun.spi.tasklet import StepContribution
from batchrun.testing.memory import Crash, FunctionTasklet, MemoryStore
from tests.unit.engine.bench import Bench, decision_step, parallel_step, tasklet_step

Way = list[tuple[str, int]]
"""States with the number of the visit, in the order of one flow."""


@dataclass(frozen=True)
class State:
    """A state of a random flow: a leaf says AGAIN at its first visits and then its last word; the others hold flows.

    Attributes:
        back: how many states back the flow goes on AGAIN.
        again: at how many visits it says so.
        jumps: whether its last word skips the next state.
        flows: those inside it; none makes it a leaf.
    """

    is_decision: bool
    back: int
    again: int
    jumps: bool
    flows: tuple[tuple[State, ...], ...] = ()

    def says(self, visit: int) -> str:
        return "AGAIN" if visit <= self.again else "JUMP" if self.jumps else "COMPLETED"


def _states(flows: st.SearchStrategy[tuple[tuple[State, ...], ...]]) -> st.SearchStrategy[tuple[State, ...]]:
    state = st.builds(State, st.booleans(), st.integers(0, 2), st.integers(0, 2), st.booleans(), flows)
    return st.lists(state, min_size=1, max_size=3).map(tuple)


_leaves = _states(st.just(()))
_flows = st.recursive(
    _leaves, lambda inner: _states(st.just(()) | st.lists(inner, min_size=1, max_size=2).map(tuple)), max_leaves=6
)


# --- the model: what an undisturbed run does ---------------------------------------------------------


@dataclass
class Model:
    """Walks a flow with nothing but counters."""

    visits: dict[str, int] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)

    def walk(self, states: tuple[State, ...], prefix: str = "s") -> None:
        place = 0
        while place < len(states):
            state, name = states[place], f"{prefix}{place}"
            visit = self.visits[name] = self.visits.get(name, 0) + 1
            self.ways.setdefault(prefix, []).append((name, visit))
            for branch, flow in enumerate(state.flows):
                self.walk(flow, f"{name}.{branch}.")
            said = "COMPLETED" if state.flows else state.says(visit)
            place = {"AGAIN": max(place - state.back, 0), "JUMP": place + 2, "COMPLETED": place + 1}[said]


# --- the same for the engine ---------------------------------------------------------------------------


class Disturbance:
    """Dies at some points, and lets some calls of tasklets fail, counted over all executions and threads."""

    def __init__(self, crashes: set[int], failures: set[int]) -> None:
        self.crashes, self.failures = crashes, failures
        self.points = self.calls = 0
        self.lock = threading.Lock()

    def point(self, name: str) -> None:
        with self.lock:
            self.points += 1
            dies = self.points in self.crashes
        if dies:
            raise Crash(name)

    def call(self) -> None:
        with self.lock:
            self.calls += 1
            fails = self.calls in self.failures
        if fails:
            raise OSError("no disk")


def definition(bench: Bench, states: tuple[State, ...], disturbance: Disturbance, prefix: str = "s") -> FlowDefinition:
    steps, edges = [], []
    for place, state in enumerate(states):
        name, last = f"{prefix}{place}", len(states) - 1
        steps.append(_step(bench, state, name, disturbance))
        edges.append(_edge(name, "AGAIN", f"{prefix}{max(place - state.back, 0)}"))
        edges.append(_edge(name, "JUMP", f"{prefix}{place + 2}" if place + 2 <= last else None))
        edges.append(_edge(name, "COMPLETED", f"{prefix}{place + 1}" if place < last else None))
    return FlowDefinition(steps, f"{prefix}0", edges)


def _edge(name: str, on: str, to: str | None) -> Transition:
    return Transition(name, on, to=to) if to is not None else Transition(name, on, end="COMPLETED")


def _step(bench: Bench, state: State, name: str, disturbance: Disturbance) -> StepDefinition:
    if state.flows:
        flows = [definition(bench, flow, disturbance, f"{name}.{place}.") for place, flow in enumerate(state.flows)]
        return parallel_step(name, *flows) if len(flows) > 1 else StepDefinition(name, flows[0])
    if state.is_decision:
        bench.decides(name, _saying(state, name))
        return decision_step(name)
    bench.components.tasklets = {**bench.components.tasklets, name: _marking(bench, state, name, disturbance)}
    return tasklet_step(name)


def _saying(state: State, name: str) -> Callable[[Facts], str]:
    return lambda facts: state.says(facts["steps"][name]["visit"])


def _marking(bench: Bench, state: State, name: str, disturbance: Disturbance) -> Callable[[], FunctionTasklet]:
    class Marking(FunctionTasklet):
        __slots__ = ("store",)

        def open(self) -> MemoryStore:
            self.store = MemoryStore(bench.target)
            return self.store

        def execute(self, contribution: StepContribution) -> None:
            disturbance.call()
            visit = sum(row["mark"] == name for row in bench.target.rows) + 1
            self.store.pending.append({"mark": name, "visit": visit})
            contribution.exit_status = ExitStatus(state.says(visit))

    return lambda: Marking(lambda _contribution: None)


def completed(bench: Bench) -> list[StepExecution]:
    steps = [step for execution in bench.repository.find_executions() for step in execution.steps]
    return sorted((step for step in steps if step.status is BatchStatus.COMPLETED), key=lambda step: step.id)


def run_to_the_end(bench: Bench, flow: FlowDefinition) -> None:
    while True:
        try:
            if bench.run(list(flow.states), flow.transitions).status is BatchStatus.COMPLETED:
                return
        except Crash:
            continue
        except InstanceCompleteError:  # the last crash came after the job's end was saved
            return


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    states=_flows,
    crashes=st.sets(st.integers(1, 80), max_size=5),
    failures=st.sets(st.integers(1, 20), max_size=3),
)
def test_the_way_is_that_of_an_undisturbed_run(
    states: tuple[State, ...], crashes: set[int], failures: set[int]
) -> None:
    model = Model()
    model.walk(states)
    bench, disturbance = Bench(), Disturbance(crashes, failures)
    bench.target.point = bench.repository.point = disturbance.point
    run_to_the_end(bench, definition(bench, states, disturbance))
    done = completed(bench)
    for prefix, way in model.ways.items():
        inside = {f"{prefix}{place}" for place in range(10)}
        assert [(step.step_name, step.visit) for step in done if step.step_name in inside] == way
    leaves = {name for name in model.visits if name in bench.components.tasklets}
    marks = [(name, visit) for name in leaves for visit in range(1, model.visits[name] + 1)]
    assert sorted((row["mark"], row["visit"]) for row in bench.target.rows) == sorted(marks)
