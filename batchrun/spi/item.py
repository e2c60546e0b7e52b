"""The item roles of a chunk step: reader, processor, writer, and the stream that carries state over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from batchrun.domain.execution import JsonObject
from batchrun.errors import ItemError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.chunk import Chunk, Item


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to read: a total and its unit, `bytes` or `items`; total None where nobody knows."""

    total: int | None
    unit: str = "items"


class ItemReader(Protocol):
    """Reads items, a chunk at a time.

    *Shape*: a chunk holds 1 to `limit` items in the source's order, or none with errors only. *End*: None, and None
    again when asked again. *Repeat*: after a failure the reader is opened anew at the position of the last committed
    chunk and gives the same items as before. *Threads*: `open`, `read` and `close` are called by one thread at a time,
    which need not be the thread that made the reader. *Errors*: an item that does not parse goes into
    `chunk.errors`, with its origin, and does not use up a place in the chunk; InputError for a source that cannot be
    opened or read, which fails the step.
    """

    def open(self, position: JsonObject | None) -> Extent:
        """Begins at the position that a chunk of this reader carried, or at the first item for None."""
        ...

    def read(self, limit: int) -> Chunk | None:
        """Returns the next chunk, or None at the end."""
        ...

    def close(self) -> None:
        """Gives back what `open` took; called once after `open`, whether it succeeded or not."""
        ...


class RawItem(NamedTuple):
    """The text of an item that could not be read.

    Attributes:
        text: as `ItemError.raw` had it.
        origin: where it came from, or None.
    """

    text: str
    origin: str | None


@runtime_checkable
class RawItemReader(Protocol):
    """What an ItemReader is too whose rejects can be replayed: it reads items from their texts, as it would now."""

    def open(self, position: JsonObject | None) -> Extent:
        """Begins as an ItemReader does; called before `read_raw`."""
        ...

    def read_raw(self, raws: Sequence[RawItem]) -> list[Item | ItemError]:
        """Returns the item of each text, or what is wrong with it, with its origin and text."""
        ...


@runtime_checkable
class PositionDescriber(Protocol):
    """What a reader may offer besides: its positions in words, for the plan of a restart.

    *Repeat*: called on a reader that has not been opened, any number of times. *Errors*: InputError where the source
    can be seen not to have that position any more, so that a restart could not go on. It changes nothing, connects to
    nothing, and is quick; it may look into a file.
    """

    def describe_position(self, position: JsonObject) -> str:
        """Returns where a restart goes on, to be read behind `at`, such as `flights.csv:5002`."""
        ...


@runtime_checkable
class ItemProcessor(Protocol):
    """Processes an item at a time: returns the item to write, or None to filter it.

    *Shape*: may change the item it gets, or return another dictionary. *Repeat*: an item comes again when its chunk
    was not committed. *Threads*: one thread at a time. *Errors*: any exception; the engine reports it as a ProcessError
    with the item's origin.
    """

    def process(self, item: Item) -> Item | None:
        """Returns what becomes of the item."""
        ...


@runtime_checkable
class ChunkProcessor(Protocol):
    """Processes a whole chunk at a time, usually on its frame.

    *Shape*: returns a chunk derived by `with_frame` or `with_rows`; it may be empty. *Repeat*, *threads*: as for an
    ItemProcessor. *Errors*: any exception; where it is not an ItemError with an origin, the engine names the whole
    chunk's.
    """

    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns what becomes of the chunk."""
        ...


class ItemWriter(Protocol):
    """Writes chunks.

    *Shape*: `write` gets what `prepare` made of a chunk that is not empty. *Order*: chunks come in the reader's order.
    *Repeat*: a chunk may be prepared and written again after its transaction was rolled back. *Threads*: `open`,
    `write`, `state` and `close` are called by one thread; `prepare` may be called by another at the same time, so it
    must not touch what `write` uses. *Errors*: WriteError where the target refuses items, OutputError or DatabaseError
    where the target fails as a whole.
    """

    def connect(self) -> CheckpointStore | None:
        """Reaches the target, called once before `open`.

        Returns:
            The store that commits the checkpoint in the target's own transaction, where the target has transactions:
            exactly once. None otherwise: then the engine saves the checkpoint in the repository after `state`.
        """
        ...

    def open(self, state: JsonObject | None) -> None:
        """Makes the target ready to take the next chunk after the last committed one.

        Args:
            state: what `state()` returned with the last committed chunk; None for a new beginning, in which
                whatever an earlier attempt left must be out of the way.
        """
        ...

    def prepare(self, chunk: Chunk) -> Any:
        """Returns the chunk in the form `write` takes, such as encoded bytes: the part that another thread can do."""
        ...

    def write(self, prepared: Any) -> int:
        """Writes a prepared chunk in the target's transaction and returns the number of items written."""
        ...

    def state(self) -> JsonObject | None:
        """Returns what a restart needs of this writer, such as a file's length, after making what it tells of durable.

        Called after each `write`, before the commit; a writer with a store that needs no state returns None.
        """
        ...

    def finish(self) -> None:
        """Publishes the result after the last chunk, such as by renaming a file.

        A restart that finds all chunks committed calls it again, after `connect` and without `open`.
        """
        ...

    def close(self) -> None:
        """Gives back what `connect` and `open` took, if anything, and undoes what is not committed."""
        ...


@runtime_checkable
class PartPreparer(Protocol):
    """What an ItemWriter may offer besides: it cuts parts out of a prepared chunk, in place of encoding them anew.

    A chunk that the target refuses is narrowed down in parts, some hundreds where many items are bad. *Threads*,
    *errors*: as for `ItemWriter.prepare`.
    """

    def prepare_part(self, whole: Any, start: int, part: Chunk) -> Any:
        """Returns a part of a chunk in the form `write` takes.

        Args:
            whole: what `prepare` made of the chunk.
            start: the place in the chunk of the part's first item.
            part: the items of the part; not empty.
        """
        ...


@runtime_checkable
class ItemStream(Protocol):
    """State of a processor or a user's component that survives a restart.

    The engine calls `restore` once before the first item, and `snapshot` after each chunk that the component has
    seen; a snapshot becomes durable with its chunk and never without it.
    """

    def restore(self, context: JsonObject) -> None:
        """Takes the snapshot of the last committed chunk; an empty one at a new beginning."""
        ...

    def snapshot(self) -> JsonObject:
        """Returns the state as JSON of its own, not shared with the component."""
        ...
