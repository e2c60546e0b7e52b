"""Applies the processors of a step to a chunk; an item that they cannot process is tried again, then set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from batchrun.engine.narrowing import Narrowing
from batchrun.engine.retrying import Retrying
from batchrun.errors import ProcessError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.item import ChunkProcessor, ItemProcessor
from batchrun.spi.processing import located

Processor = ItemProcessor | ChunkProcessor
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Aside:
    """An item that was set aside.

    Attributes:
        source: its place among the items as they were read, where that is known.
        item: as the processor got it that failed.
    """

    error: Exception
    source: int | None
    item: Item


@dataclass(slots=True)
class Processing:
    """The processors' work on one chunk.

    A processor of items is called with one after the other, a processor of chunks with the whole; where that breaks,
    with parts, until the bad items stand alone. Good items are never held back by bad ones.

    Attributes:
        may_skip: tells whether an error's item may be set aside; else it ends the work.
        failed: called with each error, before it is known what becomes of its item.
        aside: the items set aside so far.
    """

    retrying: Retrying
    may_skip: Callable[[Exception], bool]
    failed: Callable[[Exception], None]
    aside: list[Aside] = field(default_factory=list)

    def run(self, processors: Sequence[Processor], chunk: Chunk) -> Chunk:
        """Returns what the processors make of the chunk, without the items set aside.

        Raises:
            ProcessError: an item cannot be processed and may not be skipped; names its origin.
        """
        for processor in processors:
            if not len(chunk):
                break
            if isinstance(processor, ChunkProcessor):
                chunk = self._by_chunk(processor, chunk)
            else:
                chunk = self._by_item(processor, chunk)
        return chunk

    def _by_item(self, processor: ItemProcessor, chunk: Chunk) -> Chunk:
        kept: list[int] = []
        rows: list[Item] = []
        for place, item in enumerate(chunk.own_rows()):
            try:
                result = _item_made(processor, item)
            except (Exception, SystemExit) as error:  # sys.exit must not end the process as if all were well
                result = self._again(partial(_remade, processor, chunk, place), chunk, place, error)
            if result is not None:
                kept.append(place)
                rows.append(result)
        return chunk.with_rows(rows, None if len(rows) == len(chunk) else kept)

    def _by_chunk(self, processor: ChunkProcessor, chunk: Chunk) -> Chunk:
        try:
            return processor.process_chunk(chunk)
        except (Exception, SystemExit) as error:
            failure = located(error, ProcessError, chunk.span)
        if not self._tolerates(failure):
            self.failed(failure)
            raise failure
        made: list[Chunk] = []

        def attempt(part: Chunk) -> int | Exception:
            try:
                made.append(processor.process_chunk(part))
            except (Exception, SystemExit) as error:
                return located(error, ProcessError, part.span)
            return len(part)

        def set_aside(part: Chunk, error: Exception) -> None:
            result = self._again(lambda: processor.process_chunk(part), part, 0, error)
            if result is not None:
                made.append(result)

        Narrowing(attempt, set_aside).run(chunk, failure)
        return chunk.joined(made)

    def _tolerates(self, error: Exception) -> bool:
        return self.may_skip(error) or self.retrying.retry.may_retry(error, 1, timedelta(0))

    def _again(self, call: Callable[[], Made], chunk: Chunk, place: int, error: Exception | SystemExit) -> Made | None:
        """Returns what further attempts at an item that has failed come to; None where it is set aside."""
        trial = self.retrying.trial()
        while True:
            failure = located(error, ProcessError, chunk.origin(place), chunk.rows[place])
            self.failed(failure)
            if not trial.again(failure):
                break
            try:
                return call()
            except (Exception, SystemExit) as another:
                error = another
        if not self.may_skip(failure):
            raise failure
        self.aside.append(Aside(failure, chunk.source(place), chunk.rows[place]))
        return None


def _item_made(processor: ItemProcessor, item: Item) -> Item | None:
    result = processor.process(item)
    if result is not None and not isinstance(result, dict):
        raise ProcessError(f"a processor returned {type(result).__name__} where a dict or None is expected")
    return result


def _remade(processor: ItemProcessor, chunk: Chunk, place: int) -> Item | None:
    return _item_made(processor, dict(chunk.rows[place]))
