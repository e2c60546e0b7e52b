"""Applies processors to a chunk: whole chunks to those that take them, items one by one to the others."""

from __future__ import annotations

from collections.abc import Callable
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
    if not isinstance(processor, ChunkProcessor):
        return apply_to_items(processor.process, chunk)
    try:
        return processor.process_chunk(chunk)
    except (Exception, SystemExit) as error:  # sys.exit in the user's code must not end the process as if all were well
        raise_located(error, ProcessError, chunk.span)


def apply_to_items(function: Callable[[Item], Item | None], chunk: Chunk) -> Chunk:
    """Returns the chunk of what the function makes of each item; None drops the item.

    Raises:
        ProcessError: the function raised, or returned something else; names the item's origin.
    """
    kept: list[int] = []
    rows: list[Item] = []
    for place, item in enumerate(chunk.rows):
        try:
            result = function(item)
        except (Exception, SystemExit) as error:
            raise_located(error, ProcessError, chunk.origin(place), item)
        if isinstance(result, dict):
            kept.append(place)
            rows.append(result)
        elif result is not None:
            returned = f"a processor returned {type(result).__name__} where a dict or None is expected"
            raise ProcessError(returned, origin=chunk.origin(place), item=item)
    return chunk.with_rows(rows, None if len(rows) == len(chunk) else kept)


def raise_located(
    error: Exception | SystemExit, kind: type[ItemError], origin: str, item: Item | None = None
) -> NoReturn:
    """Raises the error with the origin where it names none of its own, and as `kind` where it is not batchrun's."""
    if isinstance(error, ItemError) and error.origin is None:
        raise type(error)(error.reason, origin=origin, raw=error.raw, item=error.item or item) from error
    if isinstance(error, BatchrunError):
        raise error
    raise kind(f"{type(error).__name__}: {error}", origin=origin, item=item) from error
