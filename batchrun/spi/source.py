"""Where the engine gets a step's components from, built for one step execution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from batchrun.domain.definition import StepDefinition
from batchrun.domain.execution import JobExecution
from batchrun.spi.item import ChunkProcessor, ItemProcessor, ItemReader, ItemWriter
from batchrun.spi.tasklet import Tasklet


@dataclass(frozen=True, slots=True)
class ChunkParts:
    """The components of one chunk step, new for each step execution."""

    reader: ItemReader
    processors: Sequence[ItemProcessor | ChunkProcessor]
    writer: ItemWriter


class ComponentSource(Protocol):
    """Builds components with their late-bound options. *Errors*: DefinitionError for options that do not fit."""

    def chunk_parts(self, execution: JobExecution, step: StepDefinition, should_stop: Callable[[], bool]) -> ChunkParts:
        """Returns the reader, processors and writer of a chunk step."""
        ...

    def tasklet(self, execution: JobExecution, step: StepDefinition, should_stop: Callable[[], bool]) -> Tasklet:
        """Returns the tasklet of a tasklet step."""
        ...
