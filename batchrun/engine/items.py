"""Applies processors to a chunk: whole chunks to those that take them, items one by one to the others."""

from __future__ import annotations

from typing import NoReturn

from batchrun.errors import BatchrunError, ItemError, ProcessError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.item import ChunkProcessor, ItemProcessor


def apply(processor: ItemProcessor | ChunkProcessor, chunk: Chunk) -> Chunk:
    """Returns what the processor makes of the chunk; an empty chunk stays as it is.

    Raises:
        ProcessError: the processor refuses or breaks on an item; names its origin.
    """
    if not len(chunk):
        return chunk
    if isinstance(processor, ChunkProcessor):
        return _whole(processor, chunk)
    return _one_by_one(processor, chunk)


def _whole(processor: ChunkProcessor, chunk: Chunk) -> Chunk:
    try:
        return processor.process_chunk(chunk)
    except Exception as error:
        raise_located(error, ProcessError, chunk.span)


def _one_by_one(processor: ItemProcessor, chunk: Chunk) -> Chunk:
    kept: list[int] = []
    rows: list[Item] = []
    for place, item in enumerate(chunk.rows):
        try:
            result = processor.process(item)
        except Exception as error:
            raise_located(error, ProcessError, chunk.origin(place))
        if result is not None:
            kept.append(place)
            rows.append(result)
    return chunk.with_rows(rows, None if len(rows) == len(chunk) else kept)


def raise_located(error: Exception, kind: type[ItemError], origin: str) -> NoReturn:
    """Raises the error with the origin where it names none of its own, and as `kind` where it is not batchrun's."""
    if isinstance(error, ItemError) and error.origin is None:
        raise type(error)(error.reason, origin=origin, raw=error.raw) from error
    if isinstance(error, BatchrunError):
        raise error
    raise kind(f"{type(error).__name__}: {error}", origin=origin) from error
