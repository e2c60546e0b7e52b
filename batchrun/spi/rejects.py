"""Rejects: the items that a step skipped, kept where they can be read, mended and replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from batchrun.domain.execution import JsonObject
from batchrun.domain.tolerance import Phase


@dataclass(frozen=True, slots=True)
class Reject:
    """One skipped item.

    Attributes:
        phase: where it was skipped.
        error: why.
        origin: where it came from, such as `flights.csv:17`, or None.
        raw: its text as it was read, where it could not be read.
        item: the item as it was read, or, of the phase `write`, as the processors had made it.
    """

    phase: Phase
    error: Exception
    origin: str | None = None
    raw: str | None = None
    item: dict[str, Any] | None = None


class RejectSink(Protocol):
    """Keeps rejects, each chunk's with its commit (SEMANTICS section 5).

    *Order*: `open` once, then for each chunk `write` and `state`, and `cut_back` where that was not committed after
    all; at last `close`. *Repeat*: rejects of a chunk that was not committed come again. *Threads*: the thread that
    commits. *Errors*: OutputError or DatabaseError, which fails the chunk.
    """

    def open(self, state: JsonObject | None) -> None:
        """Makes ready to keep what follows the last committed chunk; None is a new beginning."""
        ...

    def write(self, rejects: Sequence[Reject]) -> None:
        """Adds the rejects of a chunk."""
        ...

    def state(self) -> JsonObject | None:
        """Returns what a restart needs, after making durable what it tells of; called before the chunk's commit."""
        ...

    def cut_back(self, state: JsonObject | None) -> None:
        """Drops the rejects of a chunk that was not committed.

        Args:
            state: what `state()` returned with the last committed chunk; None before the first.
        """
        ...

    def close(self) -> None:
        """Gives back what `open` took."""
        ...
