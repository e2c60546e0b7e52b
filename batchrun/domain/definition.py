"""The job definition: what a job file means once it has been read and found right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchrun.domain.parameters import ParameterType, ParameterValue

DEFAULT_CHUNK_ITEMS = 1_000
DEFAULT_READ_AHEAD = 2


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """A declared job parameter.

    Attributes:
        default: the value where none is given; None with `required` false means the parameter may be absent.
        choices: the values of a `choice`.
    """

    name: str
    type: ParameterType = ParameterType.STRING
    required: bool = False
    default: ParameterValue = None
    identifying: bool = True
    description: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComponentDefinition:
    """A component as a step names it.

    Attributes:
        role: `reader`, `processor`, `writer` or `tasklet`.
        type: registry name, or `module:Class` of a Python file beside the job.
        options: what the file says beside `type`, with late-binding references still in it.
        path: its place in the document, such as `steps[0].processors[1]`.
    """

    role: str
    type: str
    options: Mapping[str, Any]
    path: str = ""


@dataclass(frozen=True, slots=True)
class ChunkDefinition:
    """A chunk step's work: read, process, write, commit, until the reader is at its end.

    Attributes:
        items: the commit interval, in items.
        read_ahead: how many chunks may be read and processed ahead of the one being written; 0 is strictly one
            after the other.
    """

    reader: ComponentDefinition
    writer: ComponentDefinition
    processors: Sequence[ComponentDefinition] = ()
    items: int = DEFAULT_CHUNK_ITEMS
    read_ahead: int = DEFAULT_READ_AHEAD


@dataclass(frozen=True, slots=True)
class TaskletDefinition:
    """A tasklet step's work: one callable body."""

    tasklet: ComponentDefinition


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A state of the flow that runs a step.

    Attributes:
        allow_start_if_complete: run it again in a restart although it has completed.
        start_limit: how many times it may start in one job instance; None is without limit.
    """

    name: str
    work: ChunkDefinition | TaskletDefinition
    allow_start_if_complete: bool = False
    start_limit: int | None = None


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
class JobDefinition:
    """A whole job.

    Attributes:
        start: name of the state where the flow begins.
        transitions: None where the file has no `flow`: the steps run in order.
        databases: URL by name, with late-binding references still in it.
        exit_codes: number of the process by the job's exit code.
    """

    name: str
    steps: Sequence[StepDefinition]
    start: str
    transitions: Sequence[Transition] | None = None
    parameters: Sequence[ParameterDefinition] = ()
    databases: Mapping[str, str] = field(default_factory=dict)
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    description: str = ""

    def step(self, name: str) -> StepDefinition:
        """Returns the step of that name.

        Raises:
            KeyError: there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)
