"""The job definition: what a job file means once it has been read and found right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from batchrun.domain.constraints import Constraints
from batchrun.domain.parameters import ParameterType, ParameterValue
from batchrun.domain.tolerance import ToleranceDefinition

DEFAULT_CHUNK_ITEMS = 1_000
DEFAULT_READ_AHEAD = 2


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """A declared job parameter.

    Attributes:
        default: the value where none is given, or a text with references; None with `required` false means the
            parameter may be absent.
        identifying: a secret never is.
        choices: the values of a `choice`.
        items: the type of a list's items.
        validator: reference to a function that may refuse the value, `module:name`, or None.
    """

    name: str
    type: ParameterType = ParameterType.STRING
    required: bool = False
    default: ParameterValue = None
    identifying: bool = True
    description: str = ""
    choices: tuple[str, ...] = ()
    items: ParameterType = ParameterType.STRING
    constraints: Constraints = field(default_factory=Constraints)
    validator: str | None = None

    @property
    def item(self) -> ParameterDefinition:
        """What each item of a list is."""
        return replace(self, type=self.items)


@dataclass(frozen=True, slots=True)
class ComponentDefinition:
    """A component as a step names it.

    Attributes:
        role: `reader`, `processor`, `writer`, `reject_sink`, `tasklet`, `decider` or `listener`.
        type: registry name, or `module:Class` of a Python file beside the job.
        options: what the file says beside `type`, with late-binding references still in it.
        path: its place in the document, such as `steps[0].processors[1]`.
    """

    role: str
    type: str
    options: Mapping[str, Any]
    path: str = ""


@dataclass(frozen=True, slots=True)
class CompletionDefinition:
    """When a chunk is full.

    Attributes:
        items: the commit interval, in items.
        time: how long its items may take to be read and processed; None is any time.
        policy: `module:Class` of a CompletionPolicy that decides instead.
    """

    items: int = DEFAULT_CHUNK_ITEMS
    time: timedelta | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class ChunkDefinition:
    """A chunk step's work: read, process, write, commit, until the reader is at its end.

    Attributes:
        completion: when a chunk is full.
        read_ahead: how many chunks may be read and processed ahead of the one being written; 0 is strictly one
            after the other.
        tolerance: what becomes of errors.
        rejects: what keeps the skipped items; None keeps them as JSON lines in the project folder.
    """

    reader: ComponentDefinition
    writer: ComponentDefinition
    processors: Sequence[ComponentDefinition] = ()
    completion: CompletionDefinition = field(default_factory=CompletionDefinition)
    read_ahead: int = DEFAULT_READ_AHEAD
    tolerance: ToleranceDefinition = field(default_factory=ToleranceDefinition)
    rejects: ComponentDefinition | None = None


@dataclass(frozen=True, slots=True)
class TaskletDefinition:
    """A tasklet step's work: one callable body."""

    tasklet: ComponentDefinition


@dataclass(frozen=True, slots=True)
class DecisionDefinition:
    """A decision: what its decider says is the exit code that the flow goes on by."""

    decider: ComponentDefinition


@dataclass(frozen=True, slots=True)
class ParallelDefinition:
    """Branches that run at the same time, each a flow of its own (Spring Batch: split)."""

    branches: Sequence[FlowDefinition]


@dataclass(frozen=True, slots=True)
class ChildJobDefinition:
    """Another job, launched as an instance of its own and awaited.

    Attributes:
        job: path of its file, or its name in the project's `jobs.d/`.
        parameters: its parameters by name, with late-binding references still in them.
        skip_if_complete: take an instance that has completed before, by whomever, as done.
        path: its place in the document, such as `steps[0].job`.
    """

    job: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    skip_if_complete: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class ListenerDefinition:
    """A listener of the job or of a step.

    Attributes:
        is_lenient: an exception that it raises is logged, where it else fails what is listened to.
    """

    component: ComponentDefinition
    is_lenient: bool = False


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A state of the flow: chunk work, a tasklet, a decision, branches, a nested flow or a child job.

    Attributes:
        name: unique in the job; a state inside a nested flow has that flow's name before its own: `checks.count`.
        allow_start_if_complete: run it again in a restart although it has completed; of a decision, take it again.
        start_limit: how many times it may start in one job instance; None is without limit.
        max_visits: how many times the flow may enter it in one job instance; None is without limit.
        timeout: how long an attempt may take; None is without limit.
        promote: keys of its context that go into the job's when it completes.
    """

    name: str
    work: StepWorkDefinition
    allow_start_if_complete: bool = False
    start_limit: int | None = None
    max_visits: int | None = None
    timeout: timedelta | None = None
    promote: Sequence[str] = ()
    listeners: Sequence[ListenerDefinition] = ()

    @property
    def kind(self) -> str:
        """What its work is: `chunk`, `tasklet`, `decision`, `parallel`, `flow` or `job`."""
        return _KINDS[type(self.work)]

    @property
    def flows(self) -> Sequence[FlowDefinition]:
        """The flows that run inside this state: branches, or the one of a nested flow."""
        match self.work:
            case ParallelDefinition(branches):
                return branches
            case FlowDefinition():
                return (self.work,)
            case _:
                return ()

    @property
    def runs_again(self) -> bool:
        """Tells whether it, or a state inside it, is to run again in a restart although it has completed."""
        inside = (each for flow in self.flows for each in flow.walk())
        return self.allow_start_if_complete or any(each.allow_start_if_complete for each in inside)


@dataclass(frozen=True, slots=True)
class Transition:
    """An edge of the flow: from a state, on an exit code that matches, to another state or to the job's end.

    Exactly one of `to`, `end`, `fail`, `stop` is set. `end`, `fail` and `stop` hold the job's exit code, by default
    COMPLETED, FAILED and STOPPED.

    Attributes:
        restart: with `stop`, the state where the next execution begins; None is the state declared after this one.
    """

    source: str
    on: str = "COMPLETED*"
    to: str | None = None
    end: str | None = None
    fail: str | None = None
    stop: str | None = None
    restart: str | None = None


@dataclass(frozen=True, slots=True)
class FlowDefinition:
    """A graph of states: the job's own, a branch of a parallel state, or a nested flow.

    Attributes:
        states: in order of declaration.
        start: name of the state where it begins.
        transitions: None where there are none: the states run in order, and the first that does not complete fails.
    """

    states: Sequence[StepDefinition]
    start: str
    transitions: Sequence[Transition] | None = None

    def state(self, name: str) -> StepDefinition:
        """Returns the state of that name.

        Raises:
            KeyError: this flow has none.
        """
        for state in self.states:
            if state.name == name:
                return state
        raise KeyError(name)

    def after(self, name: str) -> str | None:
        """Returns the state declared after the one of that name, or None after the last."""
        names = [state.name for state in self.states]
        place = names.index(name) + 1
        return names[place] if place < len(names) else None

    def walk(self) -> Iterator[StepDefinition]:
        """Yields all states, each followed by those inside it."""
        for state in self.states:
            yield state
            for flow in state.flows:
                yield from flow.walk()

    def around(self, name: str) -> Sequence[StepDefinition]:
        """Returns the states of this flow and of those in it that hold the state of that name, the outermost first."""
        for state in self.states:
            for flow in state.flows:
                if any(each.name == name for each in flow.walk()):
                    return (state, *flow.around(name))
        return ()


StepWorkDefinition = (
    ChunkDefinition | TaskletDefinition | DecisionDefinition | ParallelDefinition | FlowDefinition | ChildJobDefinition
)

_KINDS: Mapping[type, str] = {
    ChunkDefinition: "chunk",
    TaskletDefinition: "tasklet",
    DecisionDefinition: "decision",
    ParallelDefinition: "parallel",
    FlowDefinition: "flow",
    ChildJobDefinition: "job",
}


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """A whole job.

    Attributes:
        flow: its states and transitions.
        databases: URL by name, with late-binding references still in it.
        exit_codes: number of the process by the job's exit code.
        listeners: those of the job, in order.
        validators: references to functions that may refuse a launch's parameters together.
    """

    name: str
    flow: FlowDefinition
    parameters: Sequence[ParameterDefinition] = ()
    databases: Mapping[str, str] = field(default_factory=dict)
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    description: str = ""
    listeners: Sequence[ListenerDefinition] = ()
    validators: Sequence[str] = ()

    @property
    def steps(self) -> list[StepDefinition]:
        """All states, in order of declaration, each followed by those inside it."""
        return list(self.flow.walk())

    def step(self, name: str) -> StepDefinition:
        """Returns the state of that name, wherever it stands.

        Raises:
            KeyError: there is none.
        """
        for step in self.flow.walk():
            if step.name == name:
                return step
        raise KeyError(name)

    def names_seen_from(self, name: str) -> dict[str, str]:
        """Returns the full names of all states by what they may be called in the options of one of them.

        In the nested flow `checks`, `count` is `checks.count`, whatever else outside is called `count`.
        """
        names = {each.name: each.name for each in self.flow.walk()}
        for holder in self.flow.around(name):
            if isinstance(holder.work, FlowDefinition):
                inside = [each.name for each in holder.work.walk()]
                names.update({each.removeprefix(f"{holder.name}."): each for each in inside})
        return names
