"""What a component's author meets: the chunk and its faces, the item roles, the tasklet, the spec.

A component is one file: a typed options class, a spec, and a small class in one of the roles

    ItemReader, ItemProcessor or ChunkProcessor, ItemWriter, Tasklet, Decider, Listener

Nothing here imports polars, a driver or the engine at run time.
"""

from batchrun.spi.checkpoint import CheckpointKey, CheckpointStore
from batchrun.spi.chunk import Chunk, Item, Origins
from batchrun.spi.decider import Decider, Facts
from batchrun.spi.item import (
    ChunkProcessor,
    Extent,
    ItemProcessor,
    ItemReader,
    ItemStream,
    ItemWriter,
    RawItem,
    RawItemReader,
)
from batchrun.spi.listener import Listener, Progress
from batchrun.spi.scope import ComponentScope, Database
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsError, OptionsProblem, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution, Tasklet

__all__ = [
    "Capabilities",
    "CheckpointKey",
    "CheckpointStore",
    "Chunk",
    "ChunkProcessor",
    "ComponentScope",
    "ComponentSpec",
    "Database",
    "Decider",
    "Extent",
    "Facts",
    "Item",
    "ItemProcessor",
    "ItemReader",
    "ItemStream",
    "ItemWriter",
    "Listener",
    "Options",
    "OptionsError",
    "OptionsProblem",
    "Origins",
    "Progress",
    "RawItem",
    "RawItemReader",
    "RepeatStatus",
    "StepContribution",
    "Tasklet",
    "component",
    "option",
]
