"""The shape of a job file around its components: one typed description for validation and the editor's schema.

Only what stands in a file is said here; what must hold between its parts is `conditions` and the lints.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from batchrun.domain.definition import DEFAULT_CHUNK_ITEMS, DEFAULT_READ_AHEAD
from batchrun.domain.parameters import ParameterType

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"


def _says(description: str, *, examples: list[Any] | None = None) -> msgspec.Meta:
    return msgspec.Meta(description=description, examples=examples)


def _component(role: str, description: str) -> msgspec.Meta:
    """Marks a component's node; its own schema takes over from there."""
    return msgspec.Meta(description=description, extra_json_schema={"x-component": role})


_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Name = Annotated[str, msgspec.Meta(pattern=NAME)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_NotNegative = Annotated[int, msgspec.Meta(ge=0)]
_ProcessExit = Annotated[int, msgspec.Meta(ge=10, le=63)]
_Duration = Annotated[str, msgspec.Meta(extra_json_schema={"format": "duration"})]
_Branch = Annotated[list[_Name], msgspec.Meta(min_length=1)]


_TYPES = tuple(str(each) for each in ParameterType)


_TYPES = tuple(str(each) for each in ParameterType)
_ITEM_TYPES = tuple(each for each in _TYPES if each not in (ParameterType.LIST, ParameterType.SECRET))


class _Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping of the job file."""


class ParameterShape(_Shape, kw_only=True):
    """A declared job parameter."""

    type: Annotated[
        Literal[_TYPES],  # type: ignore[valid-type]
        _says("What the value is."),
    ] = "string"
    items: Annotated[
        Literal[_ITEM_TYPES],  # type: ignore[valid-type]
        _says("What each item of a list is."),
    ] = "string"
    required: Annotated[bool, _says("A launch without it is refused.")] = False
    default: Annotated[
        Any, _says("The value where none is given; may hold ${env.NAME}, and a secret's ${secrets.NAME}.")
    ] = None
    identifying: Annotated[bool, _says("Another value means another job instance; by default all but secrets.")] = True
    description: Annotated[str, _says("What it is for.")] = ""
    choices: Annotated[list[_Text], _says("The values of a choice.")] = []
    min: Annotated[Any, _says("The least value of a number, date, datetime or duration.")] = None
    max: Annotated[Any, _says("The greatest value of a number, date, datetime or duration.")] = None
    min_length: Annotated[_NotNegative | None, _says("The least characters of a text, or items of a list.")] = None
    max_length: Annotated[_NotNegative | None, _says("The most characters of a text, or items of a list.")] = None
    pattern: Annotated[
        str | None, _says("Regular expression that the whole text must match.", examples=["[A-Z]{2}[0-9]{10}"])
    ] = None
    must_exist: Annotated[
        Literal["file", "folder", "any"] | None, _says("What the path must lead to when the job is launched.")
    ] = None
    validator: Annotated[
        _Text | None,
        _says("Function of a Python file beside the job that may refuse the value.", examples=["checks:day_is_open"]),
    ] = None


class ChunkShape(_Shape, kw_only=True):
    """When a chunk is full."""

    items: Annotated[_Positive, _says("The commit interval, in items.")]


class ListenerShape(_Shape, kw_only=True):
    """What a listener's node says besides its type and options."""

    on_error: Annotated[
        Literal["fail", "warn"],
        _says("What an exception of the listener does: fail what it listens to, or only warn in the log."),
    ] = "fail"


_Listeners = list[Annotated[dict[str, Any], _component("listener", "Observes the run at its points.")]]


class ChildJobShape(_Shape, kw_only=True):
    """A child job, launched as an instance of its own."""

    name: Annotated[_Text, _says("The job: a file, or a name in jobs.d.")]
    parameters: Annotated[dict[_Name, Any], _says("Its parameters by name.", examples=[{"day": "${params.day}"}])] = {}
    if_complete: Annotated[
        Literal["refuse", "skip"],
        _says("Of an instance that has completed before, not by this step: fail, or take it as done."),
    ] = "refuse"


class StepShape(_Shape, kw_only=True):
    """A state of a flow: a step of chunk work or a tasklet, a decision, branches, a nested flow or a child job."""

    name: Annotated[_Name, _says("The step's name, unique in its flow.")]
    description: Annotated[str, _says("What the step does.")] = ""
    reader: Annotated[dict[str, Any], _component("reader", "Reads the items.")] = {}
    processors: Annotated[
        list[Annotated[dict[str, Any], _component("processor", "Changes or filters items.")]],
        _says("What happens to the items between reader and writer, in order."),
    ] = []
    writer: Annotated[dict[str, Any], _component("writer", "Writes the items.")] = {}
    tasklet: Annotated[dict[str, Any], _component("tasklet", "Does the step's work instead of chunks.")] = {}
    decision: Annotated[dict[str, Any], _component("decider", "Says by which exit code the flow goes on.")] = {}
    parallel: Annotated[
        list[_Branch | StepShape],
        msgspec.Meta(
            description="Branches that run at the same time: lists of steps by name, or a step in place of one.",
            min_length=1,
            examples=[[["by_desk"], ["by_isin", "sign"]]],
        ),
    ] = []
    steps: Annotated[list[StepShape], msgspec.Meta(description="The steps of a nested flow.", min_length=1)] = []
    flow: Annotated[list[TransitionShape], _says("Transitions of a nested flow.")] = []
    start: Annotated[_Text, _says("The step where a nested flow begins; by default its first.")] = ""
    include: Annotated[
        _Text | FlowShape,
        msgspec.Meta(
            description="File of a nested flow, relative to this one.",
            examples=["flows/checks.yaml"],
            extra_json_schema={"x-file": True},
        ),
    ] = ""
    job: Annotated[_Text | ChildJobShape, _says("Another job, by its file or its name in jobs.d.")] = ""
    chunk: Annotated[
        _Positive | ChunkShape, _says("The commit interval: how many items are written in one transaction.")
    ] = DEFAULT_CHUNK_ITEMS
    read_ahead: Annotated[
        _NotNegative, _says("Chunks read and processed ahead of the one being written; 0 is one after the other.")
    ] = DEFAULT_READ_AHEAD
    allow_start_if_complete: Annotated[bool, _says("Run again in a restart although it has completed.")] = False
    recompute: Annotated[bool, _says("Take the decision again in a restart.")] = False
    start_limit: Annotated[_Positive | None, _says("How many times it may start in one job instance.")] = None
    max_visits: Annotated[_Positive | None, _says("How many times the flow may enter it in one job instance.")] = None
    timeout: Annotated[_Duration | None, _says("How long an attempt may take.", examples=["30s"])] = None
    promote: Annotated[list[_Text], _says("Keys of its context that go into the job's when it completes.")] = []
    listeners: Annotated[_Listeners, _says("What observes the step, behind the listeners of the job.")] = []


class TransitionShape(_Shape, kw_only=True):
    """An edge of the flow."""

    source: Annotated[_Text, _says("The step that it leaves.")] = msgspec.field(name="from")
    on: Annotated[_Text, _says("Pattern on the step's exit code: * is any run of characters, ? one.")] = "COMPLETED*"
    to: Annotated[_Text, _says("The step that comes next.")] = ""
    end: Annotated[_Text | None, _says("The job completes with this exit code, by default COMPLETED.")] = None
    fail: Annotated[_Text | None, _says("The job fails with this exit code, by default FAILED.")] = None
    stop: Annotated[_Text | None, _says("The job stops with this exit code, by default STOPPED.")] = None
    restart: Annotated[_Text, _says("With stop: the step where the next execution begins.")] = ""


class FlowParameterShape(_Shape, kw_only=True):
    """A parameter that a flow needs of the jobs that include it."""

    type: Annotated[Literal[_TYPES] | None, _says("What type the job must declare; by default any.")] = None  # type: ignore[valid-type]
    description: Annotated[str, _says("What it is for.")] = ""


class FlowShape(_Shape, kw_only=True):
    """A flow in a file of its own, for several jobs to include."""

    description: Annotated[str, _says("What the flow does.")] = ""
    parameters: Annotated[
        dict[_Name, FlowParameterShape | None],
        _says("Parameters that the including jobs must declare.", examples=[{"day": {"type": "date"}}]),
    ] = {}
    start: Annotated[_Text, _says("The step where the flow begins; by default the first.")] = ""
    steps: Annotated[list[StepShape], msgspec.Meta(description="The steps, in order.", min_length=1)]
    flow: Annotated[
        list[TransitionShape], _says("Transitions; without them the steps run in order and must all complete.")
    ] = []


class JobShape(_Shape, kw_only=True):
    """A batchrun job."""

    name: Annotated[_Name, _says("The job's name; with its identifying parameters it names a job instance.")]
    description: Annotated[str, _says("What the job does.")] = ""
    parameters: Annotated[
        dict[_Name, ParameterShape | None],
        _says("What a launch gives the job.", examples=[{"input": {"type": "path", "required": True}}]),
    ] = {}
    validators: Annotated[
        list[_Text],
        _says(
            "Functions that may refuse the parameters together, given them all.", examples=[["checks:days_in_order"]]
        ),
    ] = []
    databases: Annotated[
        dict[_Name, _Text],
        _says("Databases by name, as SQLAlchemy URLs.", examples=[{"warehouse": "${env.WAREHOUSE_URL}"}]),
    ] = {}
    start: Annotated[_Text, _says("The step where the flow begins; by default the first.")] = ""
    steps: Annotated[list[StepShape], msgspec.Meta(description="The steps, in order.", min_length=1)]
    flow: Annotated[
        list[TransitionShape], _says("Transitions; without them the steps run in order and must all complete.")
    ] = []
    exit_codes: Annotated[
        dict[str, _ProcessExit],
        _says("Exit code of the process by exit code of the job.", examples=[{"NOTHING TO DO": 10}]),
    ] = {}
    listeners: Annotated[_Listeners, _says("What observes the job and each of its steps.")] = []


@cache
def flow_shape() -> dict[str, Any]:
    """Returns the JSON schema of a file that holds a flow, without its components' options."""
    return msgspec.json.schema(FlowShape)


@cache
def job_shape() -> dict[str, Any]:
    """Returns the JSON schema of a job file without its components' options."""
    return msgspec.json.schema(JobShape)


@cache
def role_keys(role: str) -> dict[str, Any]:
    """Returns the schemas of the keys that a component's node has by its role, besides its type and options."""
    shape = {"listener": ListenerShape}.get(role)
    properties: dict[str, Any] = msgspec.json.schema(shape)["$defs"][shape.__name__]["properties"] if shape else {}
    return properties
