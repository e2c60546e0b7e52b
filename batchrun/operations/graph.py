"""A job's flow as a graph to be drawn, and what an execution has made of each state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    DecisionDefinition,
    FlowDefinition,
    JobDefinition,
    StepDefinition,
    TaskletDefinition,
    Transition,
)
from batchrun.domain.execution import JobExecution, StepCounts, StepExecution
from batchrun.domain.status import BatchStatus
from batchrun.engine.attempts import Attempts


class End(StrEnum):
    """How a transition ends the job."""

    END = "end"
    FAIL = "fail"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Mark:
    """What has become of a state.

    Attributes:
        visits: how many times it has been entered.
        counts: of its last visit, over all attempts.
    """

    status: BatchStatus
    exit_code: str
    visits: int
    counts: StepCounts


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A transition: to a state, or to an end of the job.

    Attributes:
        on: the pattern on the exit code; empty for the step to the next in a flow without transitions.
        is_back: it leads to a state that is declared before its source, or to the source itself.
        code: the job's exit code at an end.
        restart: where the next execution begins after a stop.
    """

    source: str
    on: str
    target: str | None = None
    is_back: bool = False
    end: End | None = None
    code: str = ""
    restart: str | None = None


@dataclass(frozen=True, slots=True)
class GraphState:
    """A state.

    Attributes:
        kind: as `StepDefinition.kind`.
        what: what it does, in a few words.
        flows: those inside it.
        mark: None where nothing has been run, or the execution has not come there.
    """

    name: str
    kind: str
    what: str
    flows: Sequence[FlowGraph] = ()
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class FlowGraph:
    """A flow: its states in order of declaration, and the edges between them.

    Attributes:
        in_order: it has no transitions of its own: the states run one after the other.
    """

    start: str
    states: Sequence[GraphState]
    edges: Sequence[GraphEdge]
    in_order: bool

    def leaving(self, state: str) -> list[GraphEdge]:
        """Returns the edges that leave a state."""
        return [edge for edge in self.edges if edge.source == state]


@dataclass(frozen=True, slots=True)
class JobGraph:
    """A job's graph.

    Attributes:
        execution: whose marks it bears, or None.
    """

    job_name: str
    flow: FlowGraph
    execution: JobExecution | None = None


def graph_of(job: JobDefinition, attempts: Sequence[JobExecution] = ()) -> JobGraph:
    """Returns the graph of a job.

    Args:
        job: as its file has it.
        attempts: the executions that an execution continues, and it itself last, to mark the states by; or none.
    """
    steps = [step for execution in attempts for step in execution.steps]
    marks = _marks([state.name for state in job.steps], steps)
    return JobGraph(job.name, _flow(job.flow, marks), attempts[-1] if attempts else None)


def _marks(names: Sequence[str], steps: Sequence[StepExecution]) -> dict[str, Mark]:
    attempts = Attempts(names)
    for step in steps:
        attempts.add(step)
    results = attempts.results()
    last = {step.step_name: step for step in steps}
    return {
        name: Mark(step.status, step.exit_status.code, step.visit, StepCounts.from_dict(results[name]))
        for name, step in last.items()
    }


def _flow(flow: FlowDefinition, marks: Mapping[str, Mark]) -> FlowGraph:
    names = [state.name for state in flow.states]
    edges = [_edge(edge, names) for edge in flow.transitions or ()]
    if flow.transitions is None:
        edges = [GraphEdge(source, "", target) for source, target in pairwise(names)]
    return FlowGraph(flow.start, [_state(state, marks) for state in flow.states], edges, flow.transitions is None)


def _edge(edge: Transition, names: Sequence[str]) -> GraphEdge:
    if edge.to is not None:
        is_back = names.index(edge.to) <= names.index(edge.source)
        return GraphEdge(edge.source, edge.on, edge.to, is_back)
    ends = {End.END: edge.end, End.FAIL: edge.fail, End.STOP: edge.stop}
    end, code = next((end, code) for end, code in ends.items() if code is not None)
    return GraphEdge(edge.source, edge.on, end=end, code=code, restart=edge.restart)


def _state(state: StepDefinition, marks: Mapping[str, Mark]) -> GraphState:
    flows = [_flow(each, marks) for each in state.flows]
    return GraphState(state.name, state.kind, _what(state), flows, marks.get(state.name))


def _what(state: StepDefinition) -> str:
    match state.work:
        case ChunkDefinition():
            between = [each.type for each in state.work.processors]
            return " > ".join((state.work.reader.type, *between, state.work.writer.type))
        case TaskletDefinition(component) | DecisionDefinition(component):
            return component.type
        case ChildJobDefinition(job):
            return job
        case _:
            return "" if len(state.flows) == 1 else f"{len(state.flows)} branches"
