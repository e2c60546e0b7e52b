"""A job run on in-memory doubles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from batchrun.domain.definition import (
    ChunkDefinition,
    CompletionDefinition,
    ComponentDefinition,
    DecisionDefinition,
    FlowDefinition,
    JobDefinition,
    ParallelDefinition,
    StepDefinition,
    TaskletDefinition,
    Transition,
)
from batchrun.domain.execution import JobExecution, Owner
from batchrun.domain.parameters import JobParameter, JobParameters
from batchrun.engine import JobRun, StopSignal, execute_job
from batchrun.engine.listeners import Listeners
from batchrun.errors import InstanceCompleteError, ItemError
from batchrun.spi.decider import Facts
from batchrun.spi.listener import Listener
from batchrun.spi.repository import LaunchRequest
from batchrun.testing.memory import (
    Crash,
    FunctionDecider,
    FunctionTasklet,
    ListItemReader,
    MemoryComponents,
    MemoryItemWriter,
    MemoryTarget,
)
from batchrun.testing.memory_repository import MemoryJobRepository

ALIVE = Owner("here", 1, "boot")


def component(role: str) -> ComponentDefinition:
    return ComponentDefinition(role, "memory", {})


def chunk_step(name: str = "load", items: int = 2, read_ahead: int = 2, **options: Any) -> StepDefinition:
    work = ChunkDefinition(component("reader"), component("writer"), (), CompletionDefinition(items), read_ahead)
    return StepDefinition(name, work, **options)


def tasklet_step(name: str, **options: Any) -> StepDefinition:
    return StepDefinition(name, TaskletDefinition(component("tasklet")), **options)


def decision_step(name: str, **options: Any) -> StepDefinition:
    return StepDefinition(name, DecisionDefinition(component("decider")), **options)


def flow(*states: StepDefinition, transitions: Sequence[Transition] | None = None) -> FlowDefinition:
    return FlowDefinition(states, states[0].name, transitions)


def parallel_step(name: str, *branches: FlowDefinition, **options: Any) -> StepDefinition:
    return StepDefinition(name, ParallelDefinition(branches), **options)


@dataclass
class Bench:
    """A job, its components, a target and a repository that outlive each of its executions."""

    target: MemoryTarget = field(default_factory=MemoryTarget)
    repository: MemoryJobRepository = field(default_factory=MemoryJobRepository)
    components: MemoryComponents = field(default_factory=MemoryComponents)
    stop: StopSignal = field(default_factory=StopSignal)
    beat: timedelta = timedelta(seconds=2)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    parameters: JobParameters = field(default_factory=lambda: JobParameters([JobParameter("day", "1")]))

    def begin(self, *, gone: bool = True) -> JobExecution:
        """Begins an execution as another process would; by default the owner before it is gone."""
        return self.repository.begin(
            LaunchRequest("job", self.parameters, ALIVE, timedelta(seconds=30), lambda _owner: gone)
        )

    def run(
        self,
        steps: Sequence[StepDefinition],
        transitions: Sequence[Transition] | None = None,
        listeners: Sequence[Listener] = (),
    ) -> JobExecution:
        """Launches the job; returns the ended execution."""
        definition = JobDefinition("job", flow(*steps, transitions=transitions))
        self.stop = StopSignal()
        begun = self.begin()
        run = JobRun(definition, begun, self.repository, self.components, Listeners.of(listeners), self.stop)
        return execute_job(replace(run, beat=self.beat, sleep=self.sleep, clock=self.clock))

    def run_until_done(self, steps: Sequence[StepDefinition], transitions: Sequence[Transition] | None = None) -> int:
        """Launches again after each crash; returns how many executions it took."""
        attempts = 0
        while True:
            attempts += 1
            try:
                self.run(steps, transitions)
            except Crash:
                continue
            except InstanceCompleteError:  # the last crash came after the job's end was saved
                return attempts
            return attempts

    def items(self, items: Sequence[dict[str, Any] | ItemError], step: str = "load") -> None:
        """Gives a chunk step a reader of these items and a writer into the target."""
        self.components.readers = {**self.components.readers, step: lambda: ListItemReader(items)}
        self.components.writers = {**self.components.writers, step: lambda: MemoryItemWriter(self.target)}

    def decides(self, step: str, answer: Callable[[Facts], str]) -> None:
        """Gives a decision its decider."""
        self.components.deciders = {**self.components.deciders, step: FunctionDecider(answer)}

    def tasklet(self, step: str, function: Callable[..., Any], *, transactional: bool = False) -> None:
        """Gives a tasklet step its function."""
        target = self.target if transactional else None
        self.components.tasklets = {**self.components.tasklets, step: lambda: FunctionTasklet(function, target)}


def numbered(count: int, start: int = 1) -> list[dict[str, Any]]:
    return [{"n": number} for number in range(start, start + count)]
