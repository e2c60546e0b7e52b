"""Makes chunks ready to be written: reads, processes, encodes, as far ahead of the writing as the step says."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import Any

from batchrun.domain.execution import JsonObject
from batchrun.domain.tolerance import Phase
from batchrun.engine.item_points import ItemPoints
from batchrun.engine.processing import Aside, Processing
from batchrun.engine.retrying import Clock, Retrying
from batchrun.engine.timing import PhaseClock
from batchrun.errors import ItemError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.item import ItemStream, ItemWriter, PartPreparer
from batchrun.spi.policies import CompletionPolicy
from batchrun.spi.rejects import Reject
from batchrun.spi.source import ChunkParts
from batchrun.spi.text import ItemText, TextReader, TextWriter


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk ready to be written.

    Attributes:
        read: as it was read.
        chunk: what the processors made of it.
        payload: encoded; None for a chunk without items, and for one that could not be encoded.
        error: why it could not be.
        rejects: the items that could not be read or processed.
        contexts: the state that the components had after it.
        filter_count: how many items processors dropped on purpose.
    """

    read: Chunk
    chunk: Chunk
    payload: Any
    error: Exception | None
    rejects: tuple[Reject, ...]
    contexts: dict[str, JsonObject]
    filter_count: int

    def behind(self, count: int, encoding: EncodingLock) -> PreparedChunk:
        """Returns the same without the first items, which are decided already."""
        chunk = self.chunk.slice(count, len(self.chunk) - count)
        payload, error = encoding.tried(chunk)
        return replace(self, chunk=chunk, payload=payload, error=error)

    def source_of(self, place: int) -> Item:
        """Returns the item as it was read of which the one at this place was made; itself where nobody knows."""
        read = _item_read(self.read, self.chunk.source(place))
        return self.chunk.rows[place] if read is None else read


@dataclass(frozen=True, slots=True)
class _Portion:
    """What one read came to.

    Attributes:
        made: what the processors made of it.
        rejects: the items that could not be read or processed.
        filter_count: how many items processors dropped on purpose.
    """

    read: Chunk
    made: Chunk
    rejects: tuple[Reject, ...]
    filter_count: int


@dataclass(slots=True)
class Preparation:
    """Reads a step's items and makes them ready; run by the thread that reads ahead.

    Attributes:
        completion: says when a chunk is full.
        may_skip: tells whether an error's item may be skipped at all.
        times: takes the time of reading, processing and encoding.
    """

    parts: ChunkParts
    completion: CompletionPolicy
    points: ItemPoints
    retrying: Retrying
    may_skip: Callable[[Exception], bool]
    encoding: EncodingLock
    times: PhaseClock
    clock: Clock = time.monotonic

    def chunks(self) -> Generator[PreparedChunk, None, None]:
        """Yields the chunks up to the reader's end."""
        self._agree_on_text()
        while portions := list(self._portions()):
            read = Chunk.merged([each.read for each in portions])
            made = Chunk.merged([each.made for each in portions])
            with self.times.of("encode"):
                payload, error = self.encoding.tried(made)
            rejects = tuple(reject for each in portions for reject in each.rejects)
            contexts = {key: stream.snapshot() for key, stream in streams(self.parts)}
            dropped = sum(each.filter_count for each in portions)
            yield PreparedChunk(read, made, payload, error, rejects, contexts, dropped)

    def _agree_on_text(self) -> None:
        """Lets reader and writer choose the form in which items go from one to the other unseen, where they may."""
        reader = self.parts.reader
        if isinstance(reader, TextReader) and not self.parts.processors and not self.points.looks_at_items():
            reader.agree(self.encoding.takes_text)

    def _portions(self) -> Iterator[_Portion]:
        """Yields the portions of one chunk, none at the reader's end."""
        began, count = self.clock(), 0
        last: Chunk | None = None
        while (limit := self._limit(count, last, began)) and (read := self._read(limit)) is not None:
            yield self._processed(read)
            last = read
            count += len(read)

    def _limit(self, count: int, last: Chunk | None, began: float) -> int:
        limit = self.completion.more(count, last, timedelta(seconds=self.clock() - began))
        return limit if last is not None else max(limit, 1)

    def _processed(self, read: Chunk) -> _Portion:
        processing = Processing(self.retrying, self.may_skip, self.points.process_error)
        self.points.before_process(read)
        with self.times.of("process"):
            made = processing.run(self.parts.processors, read)
        self.points.after_process(read, made, {each.source for each in processing.aside})
        rejects = (*map(_unread, read.errors), *(_unprocessed(read, each) for each in processing.aside))
        dropped = max(read.read_count - len(made) - len(processing.aside), 0)
        return _Portion(read, made, rejects, dropped)

    def _read(self, limit: int) -> Chunk | None:
        self.points.before_read()
        with self.times.of("read"):
            chunk = self.parts.reader.read(limit)
            if chunk is not None and chunk.text is not None and not self._passes_on(chunk):
                _ = chunk.frame  # here, where what is wrong with it is an error of the reader
        if chunk is not None:
            self.points.after_read(chunk)
            for error in chunk.errors:
                if not self.may_skip(error):
                    raise error
        return chunk

    def _passes_on(self, chunk: Chunk) -> bool:
        """Tells whether nobody needs more of a chunk than its text."""
        return chunk.text is not None and not self.parts.processors and self.encoding.takes_text(chunk.text)


class EncodingLock:
    """Lets a writer's `prepare` be called by one thread at a time: narrowing a chunk down encodes parts of it anew."""

    def __init__(self, writer: ItemWriter) -> None:
        self._writer = writer
        self._lock = Lock()

    def prepare(self, chunk: Chunk) -> Any:
        """Returns the chunk in the form that the writer takes."""
        with self._lock:
            return self._writer.prepare(chunk)

    def takes_text(self, text: ItemText) -> bool:
        """Tells whether the writer takes the text of items as it is."""
        with self._lock:
            return isinstance(self._writer, TextWriter) and self._writer.takes_text(text)

    def prepare_part(self, whole: Any, start: int, part: Chunk) -> Any:
        """Returns the items of a chunk from `start` on, cut out of what was prepared of all of it where that is known.

        Args:
            whole: what `prepare` made of the chunk; None where it could not.
            start: the first item's place in the chunk.
            part: the items.
        """
        with self._lock:
            if whole is None or not isinstance(self._writer, PartPreparer):
                return self._writer.prepare(part)
            return self._writer.prepare_part(whole, start, part)

    def tried(self, chunk: Chunk) -> tuple[Any, Exception | None]:
        """Returns the encoded chunk, or what was wrong with it; nothing of a chunk without items."""
        if not len(chunk):
            return None, None
        try:
            return self.prepare(chunk), None
        except Exception as error:
            return None, error


def streams(parts: ChunkParts) -> list[tuple[str, ItemStream]]:
    """Returns the components of a step that keep state over a restart, by their key in its contexts."""
    return [
        (f"processor.{place}", processor)
        for place, processor in enumerate(parts.processors)
        if isinstance(processor, ItemStream)
    ]


def _unread(error: ItemError) -> Reject:
    return Reject(Phase.READ, error, error.origin, error.raw, error.item)


def _unprocessed(read: Chunk, aside: Aside) -> Reject:
    item = _item_read(read, aside.source)
    origin = aside.error.origin if isinstance(aside.error, ItemError) else None
    return Reject(Phase.PROCESS, aside.error, origin, item=aside.item if item is None else item)


def _item_read(read: Chunk, source: int | None) -> Item | None:
    """Returns the item that was read from a place, or None where that is not known."""
    if source is None:
        return None
    place: int | None = source
    if source >= len(read) or read.source(source) != source:
        place = {read.source(each): each for each in range(len(read))}.get(source)
    return None if place is None else read.slice(place, 1).rows[0]
