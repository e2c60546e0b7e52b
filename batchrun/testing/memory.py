"""In-memory doubles that keep the contracts: a reader of a list, a transactional target, a component source.

They are real implementations, so an engine test with them says something about the engine; `Crash` at a named point
stands for kill -9: it is no Exception, so nothing handles it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchrun.domain.definition import ChunkDefinition
from batchrun.domain.execution import Checkpoint, JobExecution, JsonObject
from batchrun.domain.status import ExitStatus
from batchrun.engine.policies import (
    ExponentialBackoffPolicy,
    LimitedCompletionPolicy,
    LimitedRetryPolicy,
    LimitedSkipPolicy,
)
from batchrun.errors import FencedError, ItemError
from batchrun.spi.checkpoint import CheckpointKey, CheckpointStore
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.decider import Decider, Facts
from batchrun.spi.item import ChunkProcessor, Extent, ItemProcessor, ItemReader, ItemWriter
from batchrun.spi.rejects import Reject
from batchrun.spi.source import ChunkParts, FaultParts, HeardListener, StepStart
from batchrun.spi.tasklet import RepeatStatus, StepContribution, Tasklet


class Crash(KeyboardInterrupt):
    """The process dies here; the engine lets it pass as it does a second Ctrl-C, and tidies nothing."""


Point = Callable[[str], None]
"""Called with the name of each point that a run passes; raises Crash to die there."""


def survive(_name: str) -> None:
    """Passes every point."""


@dataclass(slots=True)
class ListItemReader:
    """Reads the items of a list; an ItemError in the list is an item that cannot be read."""

    items: Sequence[Item | ItemError]
    at: int = 0

    def open(self, position: JsonObject | None) -> Extent:
        """Begins behind the items already committed."""
        self.at = 0 if position is None else position["items"]
        return Extent(len(self.items))

    def read(self, limit: int) -> Chunk | None:
        """Returns up to `limit` good items, and the errors between them."""
        start = self.at
        rows: list[Item] = []
        places: list[int] = []
        errors: list[ItemError] = []
        while self.at < len(self.items) and len(rows) < limit:
            item = self.items[self.at]
            if isinstance(item, ItemError):
                errors.append(item)
            else:
                rows.append(dict(item))
                places.append(self.at)
            self.at += 1
        if self.at == start:
            return None
        position = {"items": self.at}
        return Chunk(rows=rows, position=position, origins=ListOrigins(places), errors=errors, progress=self.at)

    def close(self) -> None:
        """Has nothing to give back."""


@dataclass(frozen=True, slots=True)
class ListOrigins:
    """Origins `list:PLACE` of items in a list."""

    places: Sequence[int]

    def of(self, index: int) -> str:
        """Returns the place of the item in the list."""
        return f"list:{self.places[index]}"

    def span(self) -> str:
        """Returns the places of the first and the last."""
        return f"list:{self.places[0]}-{self.places[-1]}" if self.places else "list"


@dataclass(slots=True)
class MemoryTarget:
    """A transactional target: what is committed, with the checkpoints beside it.

    Attributes:
        rows: committed items, in order.
        checkpoints: token and checkpoint by key.
        point: called at `target.commit` before and `target.committed` after each commit.
    """

    rows: list[Item] = field(default_factory=list)
    checkpoints: dict[CheckpointKey, tuple[int, Checkpoint]] = field(default_factory=dict)
    point: Point = survive


class MemoryStore:
    """The CheckpointStore of a MemoryTarget."""

    def __init__(self, target: MemoryTarget) -> None:
        self.target = target
        self.pending: list[Item] = []
        self._savepoints: list[int] = []
        self._key: CheckpointKey | None = None
        self._token = 0

    def take_over(self, key: CheckpointKey, token: int, run: int) -> Checkpoint:
        """Writes the token, then reads; a checkpoint of another run is replaced."""
        stored_token, stored = self.target.checkpoints.get(key, (0, Checkpoint(run)))
        if stored_token > token:
            raise FencedError(f"step {key.step_name!r}", token)
        checkpoint = stored if stored.run == run else Checkpoint(run)
        self.target.checkpoints[key] = (token, checkpoint)
        self._key, self._token = key, token
        return checkpoint

    def begin(self) -> None:
        """Begins with nothing pending."""
        self.pending, self._savepoints = [], []

    def commit(self, checkpoint: Checkpoint) -> None:
        """Adds the pending items and the checkpoint at once, if the token is still this owner's."""
        self.target.point("target.commit")
        assert self._key is not None
        if self.target.checkpoints[self._key][0] != self._token:
            self.rollback()
            raise FencedError(f"step {self._key.step_name!r}", self._token)
        self.target.rows.extend(self.pending)
        self.target.checkpoints[self._key] = (self._token, Checkpoint.from_dict(checkpoint.as_dict()))
        self.pending = []
        self.target.point("target.committed")

    def rollback(self) -> None:
        """Drops what is pending."""
        self.pending = []

    def savepoint(self) -> None:
        """Remembers how much is pending."""
        self._savepoints.append(len(self.pending))

    def release(self) -> None:
        """Forgets the last savepoint."""
        self._savepoints.pop()

    def rollback_to_savepoint(self) -> None:
        """Drops what is pending since the last savepoint."""
        del self.pending[self._savepoints.pop() :]

    def forget(self) -> None:
        """Removes the row with this owner's token."""
        assert self._key is not None
        if self.target.checkpoints.get(self._key, (0,))[0] == self._token:
            del self.target.checkpoints[self._key]
        self.target.point("target.forgotten")


class MemoryItemWriter:
    """Writes into a MemoryTarget; refuses an item whose value under `bad` is true."""

    def __init__(self, target: MemoryTarget) -> None:
        self.store = MemoryStore(target)

    def connect(self) -> CheckpointStore | None:
        """Returns the target's store."""
        return self.store

    def open(self, state: JsonObject | None) -> None:
        """Has nothing to make ready."""

    def prepare(self, chunk: Chunk) -> list[Item]:
        """Returns the rows."""
        return list(chunk.rows)

    def write(self, prepared: Any) -> int:
        """Adds to what is pending."""
        for item in prepared:
            if item.get("bad"):
                raise ValueError(f"the target refuses {item}")
        self.store.pending.extend(prepared)
        return len(prepared)

    def state(self) -> JsonObject | None:
        """Needs no state."""
        return None

    def finish(self) -> None:
        """Has nothing to publish."""

    def close(self) -> None:
        """Drops what is pending."""
        self.store.rollback()


@dataclass(slots=True)
class FunctionTasklet:
    """A tasklet of a plain function; transactional where it is given a target."""

    function: Callable[[StepContribution], RepeatStatus | None]
    target: MemoryTarget | None = None

    def open(self) -> CheckpointStore | None:
        """Returns the target's store, if there is a target."""
        return None if self.target is None else MemoryStore(self.target)

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Calls the function."""
        return self.function(contribution)

    def close(self) -> None:
        """Has nothing to give back."""


@dataclass(slots=True)
class MemoryRejectSink:
    """Keeps rejects in a list, which `open` cuts back to the last commit."""

    kept: list[Reject]

    def open(self, state: JsonObject | None, run: int, store: CheckpointStore | None) -> None:
        """Drops what a run that died has left behind its last commit."""
        del run, store
        self.cut_back(state)

    def write(self, rejects: Sequence[Reject]) -> None:
        """Adds them."""
        self.kept.extend(rejects)

    def state(self) -> JsonObject | None:
        """Returns how many there are."""
        return {"count": len(self.kept)}

    def cut_back(self, state: JsonObject | None) -> None:
        """Drops the rejects of a chunk that was not committed."""
        del self.kept[0 if state is None else state["count"] :]

    def close(self) -> None:
        """Has nothing to give back."""


@dataclass(frozen=True, slots=True)
class FunctionDecider:
    """A decider of a plain function."""

    function: Callable[[Facts], str | ExitStatus]

    def decide(self, facts: Facts) -> str | ExitStatus:
        """Calls the function."""
        return self.function(facts)


@dataclass(slots=True)
class MemoryComponents:
    """A ComponentSource of factories by step name."""

    readers: Mapping[str, Callable[[], ItemReader]] = field(default_factory=dict)
    writers: Mapping[str, Callable[[], ItemWriter]] = field(default_factory=dict)
    processors: Mapping[str, Sequence[ItemProcessor | ChunkProcessor]] = field(default_factory=dict)
    tasklets: Mapping[str, Callable[[], Tasklet]] = field(default_factory=dict)
    deciders: Mapping[str, Decider] = field(default_factory=dict)
    children: Mapping[str, Callable[[StepStart], JobExecution]] = field(default_factory=dict)
    listeners: Mapping[str, Sequence[HeardListener]] = field(default_factory=dict)
    rejects: dict[str, list[Reject]] = field(default_factory=dict)

    def chunk_parts(self, start: StepStart) -> ChunkParts:
        """Makes the step's parts anew."""
        name = start.definition.name
        work = start.definition.work
        assert isinstance(work, ChunkDefinition)
        completion = LimitedCompletionPolicy(work.completion)
        return ChunkParts(self.readers[name](), self.processors.get(name, ()), self.writers[name](), completion)

    def fault_parts(self, start: StepStart) -> FaultParts:
        """Makes the policies that the step's definition describes, and a sink into the memory of its rejects."""
        work = start.definition.work
        assert isinstance(work, ChunkDefinition)
        skip, retry = work.tolerance.skip, work.tolerance.retry
        sink = MemoryRejectSink(self.rejects.setdefault(start.definition.name, []))
        backoff = ExponentialBackoffPolicy(retry.backoff)
        return FaultParts(LimitedSkipPolicy(skip), LimitedRetryPolicy(retry), backoff, sink)

    def tasklet(self, start: StepStart) -> Tasklet:
        """Makes the step's tasklet anew."""
        return self.tasklets[start.definition.name]()

    def decider(self, start: StepStart) -> Decider:
        """Returns the decision's decider."""
        return self.deciders[start.definition.name]

    def job_listeners(self, execution: JobExecution) -> Sequence[HeardListener]:
        """Returns those given under the empty name."""
        del execution
        return self.listeners.get("", ())

    def step_listeners(self, start: StepStart) -> Sequence[HeardListener]:
        """Returns those given under the step's name."""
        return self.listeners.get(start.definition.name, ())

    def run_child(self, start: StepStart) -> JobExecution:
        """Calls the step's function."""
        return self.children[start.definition.name](start)
