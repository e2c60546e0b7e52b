"""Where the engine gets a step's components from, built for one step execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from batchrun.domain.definition import StepDefinition
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.spi.decider import Decider
from batchrun.spi.item import ChunkProcessor, ItemProcessor, ItemReader, ItemWriter
from batchrun.spi.listener import Listener
from batchrun.spi.policies import BackoffPolicy, CompletionPolicy, RetryPolicy, SkipPolicy
from batchrun.spi.rejects import RejectSink
from batchrun.spi.tasklet import Tasklet


@dataclass(frozen=True, slots=True)
class StepStart:
    """A step execution that begins: what its components are built for, and what their references may name.

    Attributes:
        results: what came of the job's steps so far, by step name (`Facts`); those in the step's own nested flow by
            their names there, too.
        should_stop: tells whether the work is to end early.
    """

    execution: JobExecution
    definition: StepDefinition
    step: StepExecution
    results: Mapping[str, Mapping[str, Any]]
    should_stop: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class ChunkParts:
    """The components of one chunk step, new for each step execution.

    Attributes:
        completion: says when a chunk is full.
    """

    reader: ItemReader
    processors: Sequence[ItemProcessor | ChunkProcessor]
    writer: ItemWriter
    completion: CompletionPolicy


@dataclass(frozen=True, slots=True)
class FaultParts:
    """What a chunk step makes of errors.

    Attributes:
        rejects: keeps what is skipped; None where nothing may be.
    """

    skip: SkipPolicy
    retry: RetryPolicy
    backoff: BackoffPolicy
    rejects: RejectSink | None = None


@dataclass(frozen=True, slots=True)
class HeardListener:
    """A listener of a run.

    Attributes:
        is_lenient: an exception that it raises is logged, where it else fails what is listened to.
    """

    listener: Listener
    is_lenient: bool = False


class ComponentSource(Protocol):
    """Builds components with their late-bound options. *Errors*: DefinitionError for options that do not fit."""

    def chunk_parts(self, start: StepStart) -> ChunkParts:
        """Returns the reader, processors and writer of a chunk step."""
        ...

    def fault_parts(self, start: StepStart) -> FaultParts:
        """Returns the policies of a chunk step, and the sink of its rejects."""
        ...

    def tasklet(self, start: StepStart) -> Tasklet:
        """Returns the tasklet of a tasklet step."""
        ...

    def decider(self, start: StepStart) -> Decider:
        """Returns the decider of a decision."""
        ...

    def job_listeners(self, execution: JobExecution) -> Sequence[HeardListener]:
        """Returns the job's own listeners, in order of their declaration."""
        ...

    def step_listeners(self, start: StepStart) -> Sequence[HeardListener]:
        """Returns the step's own listeners, in order of their declaration."""
        ...

    def run_child(self, start: StepStart) -> JobExecution:
        """Launches the child job of a step as an instance of its own, or continues it; returns it when it has ended.

        An instance that has completed is returned as it is where this step launched it, in this attempt or in an
        earlier one of the same visit, or where the step takes any completed one.

        Raises:
            LaunchRefusedError: the state of the child's instance forbids it.
        """
        ...
