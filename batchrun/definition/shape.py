"""The shape of a job file around its components: one typed description for validation and the editor's schema.

Only what stands in a file is said here; what must hold between its parts is `conditions` and the lints.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from batchrun.definition.node_shape import Duration, Name, NotNegative, Positive, Shape, Text, component_node, says
from batchrun.definition.tolerance_shape import ChunkShape, RetryShape, SkipShape
from batchrun.domain.definition import DEFAULT_CHUNK_ITEMS, DEFAULT_READ_AHEAD
from batchrun.domain.parameters import ParameterType

_TYPES = tuple(str(each) for each in ParameterType)
_ITEM_TYPES = tuple(each for each in _TYPES if each not in (ParameterType.LIST, ParameterType.SECRET))
_ProcessExit = Annotated[int, msgspec.Meta(ge=10, le=63)]
_Branch = Annotated[list[Name], msgspec.Meta(min_length=1)]


class ParameterShape(Shape, kw_only=True):
    """A declared job parameter."""

    type: Annotated[
        Literal[_TYPES],  # type: ignore[valid-type]
        says("What the value is."),
    ] = "string"
    items: Annotated[
        Literal[_ITEM_TYPES],  # type: ignore[valid-type]
        says("What each item of a list is."),
    ] = "string"
    required: Annotated[bool, says("A launch without it is refused.")] = False
    default: Annotated[
        Any, says("The value where none is given; may hold ${env.NAME}, and a secret's ${secrets.NAME}.")
    ] = None
    identifying: Annotated[bool, says("Another value means another job instance; by default all but secrets.")] = True
    description: Annotated[str, says("What it is for.")] = ""
    choices: Annotated[list[Text], says("The values of a choice.")] = []
    min: Annotated[Any, says("The least value of a number, date, datetime or duration.")] = None
    max: Annotated[Any, says("The greatest value of a number, date, datetime or duration.")] = None
    min_length: Annotated[NotNegative | None, says("The least characters of a text, or items of a list.")] = None
    max_length: Annotated[NotNegative | None, says("The most characters of a text, or items of a list.")] = None
    pattern: Annotated[
        str | None, says("Regular expression that the whole text must match.", examples=["[A-Z]{2}[0-9]{10}"])
    ] = None
    must_exist: Annotated[
        Literal["file", "folder", "any"] | None, says("What the path must lead to when the job is launched.")
    ] = None
    validator: Annotated[
        Text | None,
        says("Function of a Python file beside the job that may refuse the value.", examples=["checks:day_is_open"]),
    ] = None


class ListenerShape(Shape, kw_only=True):
    """What a listener's node says besides its type and options."""

    on_error: Annotated[
        Literal["fail", "warn"],
        says("What an exception of the listener does: fail what it listens to, or only warn in the log."),
    ] = "fail"


_Listeners = list[Annotated[dict[str, Any], component_node("listener", "Observes the run at its points.")]]


class ChildJobShape(Shape, kw_only=True):
    """A child job, launched as an instance of its own."""

    name: Annotated[Text, says("The job: a file, or a name in jobs.d.")]
    parameters: Annotated[dict[Name, Any], says("Its parameters by name.", examples=[{"day": "${params.day}"}])] = {}
    if_complete: Annotated[
        Literal["refuse", "skip"],
        says("Of an instance that has completed before, not by this step: fail, or take it as done."),
    ] = "refuse"


class StepShape(Shape, kw_only=True):
    """A state of a flow: a step of chunk work or a tasklet, a decision, branches, a nested flow or a child job."""

    name: Annotated[Name, says("The step's name, unique in its flow.")]
    description: Annotated[str, says("What the step does.")] = ""
    reader: Annotated[dict[str, Any], component_node("reader", "Reads the items.")] = {}
    processors: Annotated[
        list[Annotated[dict[str, Any], component_node("processor", "Changes or filters items.")]],
        says("What happens to the items between reader and writer, in order."),
    ] = []
    writer: Annotated[dict[str, Any], component_node("writer", "Writes the items.")] = {}
    tasklet: Annotated[dict[str, Any], component_node("tasklet", "Does the step's work instead of chunks.")] = {}
    decision: Annotated[dict[str, Any], component_node("decider", "Says by which exit code the flow goes on.")] = {}
    parallel: Annotated[
        list[_Branch | StepShape],
        msgspec.Meta(
            description="Branches that run at the same time: lists of steps by name, or a step in place of one.",
            min_length=1,
            examples=[[["by_desk"], ["by_isin", "sign"]]],
        ),
    ] = []
    steps: Annotated[list[StepShape], msgspec.Meta(description="The steps of a nested flow.", min_length=1)] = []
    flow: Annotated[list[TransitionShape], says("Transitions of a nested flow.")] = []
    start: Annotated[Text, says("The step where a nested flow begins; by default its first.")] = ""
    include: Annotated[
        Text | FlowShape,
        msgspec.Meta(
            description="File of a nested flow, relative to this one.",
            examples=["flows/checks.yaml"],
            extra_json_schema={"x-file": True},
        ),
    ] = ""
    job: Annotated[Text | ChildJobShape, says("Another job, by its file or its name in jobs.d.")] = ""
    chunk: Annotated[
        Positive | ChunkShape, says("The commit interval: how many items are written in one transaction.")
    ] = DEFAULT_CHUNK_ITEMS
    skip: Annotated[SkipShape | None, says("Which errors cost only the item that has them, and how many may.")] = None
    retry: Annotated[RetryShape | None, says("Which errors are tried again, how often, and after what time.")] = None
    on_write_error: Annotated[
        Literal["bisect", "skip_chunk", "fail"],
        says("What is skipped of a chunk that its target refuses: the bad items alone, all of it, or nothing."),
    ] = "bisect"
    rejects: Annotated[
        dict[str, Any], component_node("reject_sink", "Keeps what is skipped; by default JSON lines in .batchrun.")
    ] = {}
    read_ahead: Annotated[
        NotNegative, says("Chunks read and processed ahead of the one being written; 0 is one after the other.")
    ] = DEFAULT_READ_AHEAD
    allow_start_if_complete: Annotated[bool, says("Run again in a restart although it has completed.")] = False
    recompute: Annotated[bool, says("Take the decision again in a restart.")] = False
    start_limit: Annotated[Positive | None, says("How many times it may start in one job instance.")] = None
    max_visits: Annotated[Positive | None, says("How many times the flow may enter it in one job instance.")] = None
    timeout: Annotated[Duration | None, says("How long an attempt may take.", examples=["30s"])] = None
    promote: Annotated[list[Text], says("Keys of its context that go into the job's when it completes.")] = []
    listeners: Annotated[_Listeners, says("What observes the step, behind the listeners of the job.")] = []


class TransitionShape(Shape, kw_only=True):
    """An edge of the flow."""

    source: Annotated[Text, says("The step that it leaves.")] = msgspec.field(name="from")
    on: Annotated[Text, says("Pattern on the step's exit code: * is any run of characters, ? one.")] = "COMPLETED*"
    to: Annotated[Text, says("The step that comes next.")] = ""
    end: Annotated[Text | None, says("The job completes with this exit code, by default COMPLETED.")] = None
    fail: Annotated[Text | None, says("The job fails with this exit code, by default FAILED.")] = None
    stop: Annotated[Text | None, says("The job stops with this exit code, by default STOPPED.")] = None
    restart: Annotated[Text, says("With stop: the step where the next execution begins.")] = ""


class FlowParameterShape(Shape, kw_only=True):
    """A parameter that a flow needs of the jobs that include it."""

    type: Annotated[Literal[_TYPES] | None, says("What type the job must declare; by default any.")] = None  # type: ignore[valid-type]
    description: Annotated[str, says("What it is for.")] = ""


class FlowShape(Shape, kw_only=True):
    """A flow in a file of its own, for several jobs to include."""

    description: Annotated[str, says("What the flow does.")] = ""
    parameters: Annotated[
        dict[Name, FlowParameterShape | None],
        says("Parameters that the including jobs must declare.", examples=[{"day": {"type": "date"}}]),
    ] = {}
    start: Annotated[Text, says("The step where the flow begins; by default the first.")] = ""
    steps: Annotated[list[StepShape], msgspec.Meta(description="The steps, in order.", min_length=1)]
    flow: Annotated[
        list[TransitionShape], says("Transitions; without them the steps run in order and must all complete.")
    ] = []


class JobShape(Shape, kw_only=True):
    """A batchrun job."""

    name: Annotated[Name, says("The job's name; with its identifying parameters it names a job instance.")]
    description: Annotated[str, says("What the job does.")] = ""
    parameters: Annotated[
        dict[Name, ParameterShape | None],
        says("What a launch gives the job.", examples=[{"input": {"type": "path", "required": True}}]),
    ] = {}
    validators: Annotated[
        list[Text],
        says("Functions that may refuse the parameters together, given them all.", examples=[["checks:days_in_order"]]),
    ] = []
    databases: Annotated[
        dict[Name, Text],
        says("Databases by name, as SQLAlchemy URLs.", examples=[{"warehouse": "${env.WAREHOUSE_URL}"}]),
    ] = {}
    start: Annotated[Text, says("The step where the flow begins; by default the first.")] = ""
    steps: Annotated[list[StepShape], msgspec.Meta(description="The steps, in order.", min_length=1)]
    flow: Annotated[
        list[TransitionShape], says("Transitions; without them the steps run in order and must all complete.")
    ] = []
    exit_codes: Annotated[
        dict[str, _ProcessExit],
        says("Exit code of the process by exit code of the job.", examples=[{"NOTHING TO DO": 10}]),
    ] = {}
    listeners: Annotated[_Listeners, says("What observes the job and each of its steps.")] = []


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
