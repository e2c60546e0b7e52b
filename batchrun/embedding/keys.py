"""The keys of jobs built in code, as type checkers and editors see them: those of a job file, word for word.

Nothing at run time goes by them: the keys are checked as those of a file are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from batchrun.spi.item import ChunkProcessor, ItemProcessor, ItemReader, ItemWriter
from batchrun.spi.listener import Listener

if TYPE_CHECKING:
    from batchrun.embedding.component import Component
    from batchrun.embedding.job import Job, Parameter, Step, Transition
    from batchrun.spi.decider import Decider
    from batchrun.spi.tasklet import Tasklet

_Declared: TypeAlias = "Component | Mapping[str, Any] | type[Any]"
Reader: TypeAlias = "_Declared | ItemReader | Callable[[], ItemReader]"
Processor: TypeAlias = "_Declared | ItemProcessor | ChunkProcessor | Callable[[dict[str, Any]], Any]"
Writer: TypeAlias = "_Declared | ItemWriter | Callable[[], ItemWriter]"
Task: TypeAlias = "_Declared | Tasklet | Callable[..., Any]"
Decision: TypeAlias = "_Declared | Decider | Callable[..., Any]"
Listening: TypeAlias = "_Declared | Listener | Callable[..., Any]"


class StepKeys(TypedDict, total=False):
    """What a step may say besides its name."""

    description: str
    reader: Reader
    processors: Sequence[Processor]
    writer: Writer
    tasklet: Task
    decision: Decision
    parallel: Sequence[Sequence[str] | Step | Mapping[str, Any]]
    steps: Sequence[Step | Mapping[str, Any]]
    flow: Sequence[Transition | Mapping[str, Any]]
    start: str
    include: str | PurePath
    job: str | PurePath | Job | Mapping[str, Any]
    chunk: int | Mapping[str, Any]
    skip: Mapping[str, Any] | None
    retry: Mapping[str, Any] | None
    on_write_error: Literal["bisect", "skip_chunk", "fail"]
    rejects: _Declared
    read_ahead: int
    allow_start_if_complete: bool
    recompute: bool
    start_limit: int | None
    max_visits: int | None
    timeout: str | timedelta | None
    promote: Sequence[str]
    listeners: Sequence[Listening]


class JobKeys(TypedDict, total=False):
    """What a job may say besides its name."""

    description: str
    parameters: Mapping[str, Parameter | Mapping[str, Any] | None]
    validators: Sequence[str | Callable[[Mapping[str, Any]], Any]]
    databases: Mapping[str, str]
    start: str
    steps: Sequence[Step | Mapping[str, Any]]
    flow: Sequence[Transition | Mapping[str, Any]]
    exit_codes: Mapping[str, int]
    listeners: Sequence[Listening]


class TransitionKeys(TypedDict, total=False):
    """What a transition may say besides the step that it leaves."""

    on: str
    to: str
    end: str | None
    fail: str | None
    stop: str | None
    restart: str


class ParameterKeys(TypedDict, total=False):
    """What a parameter may say besides its type."""

    items: str
    required: bool
    default: Any
    identifying: bool
    description: str
    choices: Sequence[str]
    min: Any
    max: Any
    min_length: int | None
    max_length: int | None
    pattern: str | None
    must_exist: Literal["file", "folder", "any"] | None
    validator: str | Callable[[Any], Any] | None
