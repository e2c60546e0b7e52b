"""Narrows a chunk that fails down to the items that are bad, in about log2(n) attempts for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from batchrun.spi.chunk import Chunk

Attempt = Callable[[Chunk], Exception | None]
"""Does the work for a part of the chunk and keeps it, or undoes it and returns what was wrong."""

SetAside = Callable[[Chunk, Exception], None]
"""Takes one item, which has failed by itself, out of the work; may raise to end all of it."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Finds the first bad item by halving, sets it aside, and goes on behind it.

    Parts that are done stay done, so no good item is worked on twice in vain: one bad item among n costs at most
    log2(n) + 3 attempts, each further one as much in what is left. Where an error knows its place (`ItemError.place`),
    the cut is made there, and three attempts find it.
    """

    attempt: Attempt
    set_aside: SetAside

    def run(self, chunk: Chunk, error: Exception) -> None:
        """Works through a chunk that has failed as a whole."""
        done = 0
        failed: Exception | None = error
        while done < len(chunk):
            rest = chunk.slice(done, len(chunk) - done)
            if failed is None and (failed := self.attempt(rest)) is None:
                return
            done += self._up_to_bad(rest, failed)
            failed = None

    def _up_to_bad(self, chunk: Chunk, error: Exception) -> int:
        """Works through a chunk that fails, up to its first bad item; returns the number of items decided."""
        start, length, last = 0, len(chunk), error
        place = _place(error, length)
        is_alone = length == 1
        while length > 1:
            cut = length // 2 if place is None else max(place, 1)
            failure = self.attempt(chunk.slice(start, cut))
            if failure is None:
                start, length, is_alone = start + cut, length - cut, False
                place = None if place is None else place - cut
            else:
                length, last, is_alone = cut, failure, cut == 1
                place = _place(failure, length)
        item = chunk.slice(start, 1)
        own = last if is_alone else self.attempt(item)
        if own is not None:
            self.set_aside(item, own)
        return start + 1


def _place(error: Exception, length: int) -> int | None:
    """Returns which of so many items the error names, or None."""
    place = getattr(error, "place", None)
    return place if place is not None and 0 <= place < length else None
