"""What a plan says is what the restart then does: random flows, stopped or killed anywhere, planned and restarted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from batchrun.domain.definition import FlowDefinition, ParallelDefinition, StepDefinition, Transition
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.position import FlowPosition
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.engine.attempts import Attempts
from batchrun.operations.plan import Action, JobPlan, PlannedStep, Resumption, plan_flow
from batchrun.spi.listener import Listener
from batchrun.spi.tasklet import StepContribution
from batchrun.testing.memory import Crash
from tests.unit.engine.bench import Bench, tasklet_step

MOST_CALLS = 4
CODES = ["COMPLETED", "A", "B"]


@st.composite
def flows(draw: st.DrawFn, names: Iterator[int], depth: int = 2) -> FlowDefinition:
    states = [draw(states_of(names, depth)) for _ in range(draw(st.integers(1, 4)))]
    in_order = draw(st.booleans())
    transitions = None if in_order else draw(edges([state.name for state in states]))
    return FlowDefinition(states, states[0].name, transitions)


@st.composite
def states_of(draw: st.DrawFn, names: Iterator[int], depth: int) -> StepDefinition:
    name = f"s{next(names)}"
    most = st.sampled_from([3, 3, 1, 2])  # without any, a state that cannot start may lead to itself for ever
    options = {
        "allow_start_if_complete": draw(st.integers(0, 3)) == 0,
        "start_limit": draw(st.none() | most),
        "max_visits": draw(most),
    }
    kind = draw(st.sampled_from(["step", "step", "step", "flow", "parallel"])) if depth else "step"
    if kind == "step":
        return tasklet_step(name, **options)
    if kind == "flow":
        return StepDefinition(name, draw(flows(names, depth - 1)), **options)
    return StepDefinition(name, ParallelDefinition([draw(flows(names, depth - 1)) for _ in range(2)]), **options)


@st.composite
def edges(draw: st.DrawFn, names: list[str]) -> list[Transition]:
    found = []
    for name in names:
        for on in draw(st.lists(st.sampled_from(["COMPLETED*", "A", "B", "FAILED", "*"]), unique=True, max_size=3)):
            kind = draw(st.sampled_from(["to", "to", "to", "end", "fail", "stop"]))
            target = draw(st.sampled_from(names)) if kind == "to" else kind.upper()
            restart = draw(st.sampled_from([None, *names])) if kind == "stop" else None
            found.append(Transition(name, on, restart=restart, **{kind: target}))
    return found


@dataclass
class Outcomes:
    """What each call of a step's tasklet comes to; a job that goes round too long is stopped."""

    bench: Bench
    drawn: list[str]
    place: int
    calls: int = 0

    def __call__(self, contribution: StepContribution) -> None:
        self.calls += 1
        outcome = self.drawn[(self.place + self.calls) % len(self.drawn)]
        if self.calls > MOST_CALLS or outcome == "stops":
            self.bench.stop.request()
        elif outcome == "fails":
            raise ValueError("it fails")
        elif outcome != "COMPLETED":
            contribution.exit_status = ExitStatus(outcome)


@dataclass
class Skipped(Listener):
    names: list[str] = field(default_factory=list)

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        self.names.append(step.step_name)


@dataclass
class RepositoryFacts:
    bench: Bench
    last_execution: JobExecution

    def __post_init__(self) -> None:
        self.attempts = Attempts((), self.bench.repository.last_visits(self.last_execution))

    def last(self, step_name: str, visit: int) -> StepExecution | None:
        return self.attempts.last(step_name, visit)

    def starts(self, step_name: str) -> int:
        return self.bench.repository.count_step_starts(self.last_execution, step_name)

    def resumption(self, state: StepDefinition, attempt: StepExecution | None) -> Resumption:
        return Resumption(Action.START if attempt is None else Action.RESUME)


def run(bench: Bench, flow: FlowDefinition, outcomes: list[str], listeners: list[Listener]) -> JobExecution:
    names = [state.name for state in flow.walk() if state.kind == "tasklet"]
    for place, name in enumerate(names):
        bench.tasklet(name, Outcomes(bench, outcomes, place))
    return bench.run(flow.states, flow.transitions, listeners)


def end(bench: Bench, flow: FlowDefinition, outcomes: list[str], killed_at: int | None) -> JobExecution:
    """Runs the job for the first time, until it ends or is killed at some point of its saving."""
    passed = count()

    def die(_name: str) -> None:
        if killed_at is not None and next(passed) >= killed_at:
            raise Crash

    bench.repository.point = die
    with suppress(Crash):
        run(bench, flow, outcomes, [])
    bench.repository.point = lambda _name: None
    [last] = bench.repository.find_executions()
    return last


def inside_skipped(flow: FlowDefinition, step: PlannedStep) -> Iterator[StepDefinition]:
    """Yields what is inside a skipped state, of which the plan says nothing: the flow may come back to it."""
    state = next(each for each in flow.walk() if each.name == step.name)
    if step.action is Action.SKIP:
        yield from (each for inner in state.flows for each in inner.walk())


OUTCOMES = st.lists(st.sampled_from([*CODES, "COMPLETED", "fails", "stops"]), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.data(), OUTCOMES, OUTCOMES, st.one_of(st.none(), st.integers(0, 25)))
def test_a_restart_does_what_the_plan_says(
    data: st.DataObject, first: list[str], second: list[str], killed_at: int | None
) -> None:
    flow = data.draw(flows(count()))
    bench = Bench()
    last = end(bench, flow, first, killed_at)
    if last.status is BatchStatus.COMPLETED:
        return
    steps = plan_flow(RepositoryFacts(bench, last), flow, last.flow)
    planned = {step.name: step for step in JobPlan("job", last, is_dead=False, steps=steps).walk()}
    skipped = Skipped()
    restarted = run(bench, flow, second, [skipped])
    started = {step.step_name for step in restarted.steps}
    for name, step in planned.items():
        what = f"{step}; started {started}, skipped {skipped.names}"
        if step.action is Action.NOT_REACHED:
            assert name not in started, what
            assert name not in skipped.names, what
        elif step.action is Action.BLOCKED:
            assert name not in started, what
        elif step.is_certain and not bench.stop.is_requested:  # a stop in one branch ends the others early
            assert name in (skipped.names if step.action is Action.SKIP else started), what
    inside = {each.name for name in planned for each in inside_skipped(flow, planned[name])}
    assert started | set(skipped.names) <= set(planned) | inside


def test_a_new_instance_starts_at_the_start() -> None:
    flow = FlowDefinition([tasklet_step("one"), tasklet_step("two")], "one")

    class Nothing:
        def last(self, step_name: str, visit: int) -> None:
            return None

        def starts(self, step_name: str) -> int:
            return 0

        def resumption(self, state: StepDefinition, attempt: StepExecution | None) -> Resumption:
            return Resumption(Action.START)

    steps = plan_flow(Nothing(), flow, FlowPosition())
    assert [(step.name, step.action, step.condition) for step in steps] == [
        ("one", Action.START, ""),
        ("two", Action.START, "when one has completed"),
    ]
