"""Narrows a chunk that fails down to the items that are bad, in about log2(n) attempts for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from batchrun.errors import ItemError
from batchrun.spi.chunk import Chunk

Attempt = Callable[[Chunk], int | Exception]
"""Does the work for a part of the chunk, and returns how many of its items are decided; or what was wrong, all undone.

Those are all of them, or those up to a bad one that was set aside in the attempt (`refusals_of`).
"""

SetAside = Callable[[Chunk, Exception], None]
"""Takes one item, which has failed by itself or was named by the error, out of the work; may raise to end all of it."""

_GROWTH = 4


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Finds the first bad item by halving, sets it aside, and goes on behind it in portions.

    Parts that are done stay done. A portion is at first twice as long as the bad items were apart so far, 2, 4 … 2n,
    and after each one that is done four times as long as the last: so what stands behind a bad item is not tried as a
    whole again and again. One bad item among n costs at most log2(n) + 2 attempts to find and log4(n) for what follows.
    Where an error knows its place (`ItemError.place`), nothing is searched for.
    """

    attempt: Attempt
    set_aside: SetAside

    def run(self, chunk: Chunk, error: Exception) -> None:
        """Works through a chunk that has failed as a whole, and of which nothing is kept."""
        done = self._up_to_bad(chunk, error)
        bad_count, portion = 1, 2 * done
        while done < len(chunk):
            part = chunk.slice(done, portion)
            failed = self.attempt(part)
            if failed == len(part):
                done += len(part)
                portion *= _GROWTH
                continue
            done += failed if isinstance(failed, int) else self._up_to_bad(part, failed)
            bad_count += 1
            portion = 2 * (done // bad_count)

    def _up_to_bad(self, chunk: Chunk, error: Exception) -> int:
        """Works through a chunk that fails, up to its first bad item; returns the number of items decided."""
        start, length, failed = 0, len(chunk), error
        place, is_own = _place(error, length), length == 1
        while length > 1 and place != 0:
            cut = place or length // 2
            failure = self.attempt(chunk.slice(start, cut))
            if not isinstance(failure, int):
                length, failed, is_own = cut, failure, cut == 1
                place = _place(failure, length)
            elif failure < cut:
                return start + failure
            else:
                start, length, is_own = start + cut, length - cut, False
                place = None if place is None else 0
        item = chunk.slice(start, 1)
        own = failed if is_own or place == 0 else self.attempt(item)
        if isinstance(own, Exception):
            self.set_aside(item, own)
        return start + 1


def refusals_of(error: Exception, count: int) -> list[ItemError]:
    """Returns the errors of the items that a writer names of the ones it has decided, in order.

    None where nothing is decided, or where what it says does not fit the number of items: then nothing is believed.
    """
    if not isinstance(error, ItemError) or not 0 < error.decided <= count:
        return []
    named = [error, *error.further]
    places = [-1 if each.place is None else each.place for each in named]
    fits = places == sorted(set(places)) and places[0] >= 0 and places[-1] < error.decided
    return named if fits else []


def _place(error: Exception, length: int) -> int | None:
    """Returns which of so many items the error names, or None."""
    place = error.place if isinstance(error, ItemError) else None
    return place if place is not None and 0 <= place < length else None
