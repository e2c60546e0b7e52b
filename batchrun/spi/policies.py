"""Policies of a chunk step: they decide, and neither sleep nor log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from batchrun.domain.tolerance import causes, class_names
from batchrun.spi.chunk import Chunk


@dataclass(slots=True)
class SkipTally:
    """What a step execution has skipped so far, those of the chunk at hand among them.

    Attributes:
        total: skipped items.
        items: items read, those that could not be read among them; of the chunk at hand all.
        by_class: how many of the skips were of a class, by the name of each class of the error and of its causes.
    """

    total: int = 0
    items: int = 0
    by_class: Counter[str] = field(default_factory=Counter)

    def add(self, error: BaseException) -> None:
        """Counts one more."""
        self.total += 1
        self.by_class.update({name for each in causes(error) for names in class_names(each) for name in names})

    def copy(self) -> SkipTally:
        """Returns a tally of its own with the same counts."""
        return SkipTally(self.total, self.items, Counter(self.by_class))


class SkipPolicy(Protocol):
    """Says whether an item that failed is skipped (Spring Batch: SkipPolicy).

    *Repeat*: asked about an item again where its chunk is done again. *Threads*: one at a time. *Errors*:
    SkipLimitExceededError fails the step and says why; any other exception fails it too.
    """

    def may_skip(self, error: Exception) -> bool:
        """Tells whether errors of this kind are skipped at all, however many."""
        ...

    def check(self, error: Exception, tally: SkipTally) -> None:
        """Agrees with one more skip, which the tally does not count yet.

        Raises:
            SkipLimitExceededError: it would be one too many.
        """
        ...


class RetryPolicy(Protocol):
    """Says whether what failed is tried again (Spring Batch: RetryPolicy). *Threads*: one at a time."""

    def may_retry(self, error: Exception, attempt: int, elapsed: timedelta) -> bool:
        """Tells whether another attempt is to be made.

        Args:
            error: of the last attempt.
            attempt: the number of the last attempt, from 1.
            elapsed: since the first attempt began.
        """
        ...


class BackoffPolicy(Protocol):
    """Says how long to wait before the next attempt (Spring Batch: BackOffPolicy). *Threads*: one at a time."""

    def delay(self, error: Exception, attempt: int) -> timedelta:
        """Returns how long to wait after that attempt, the first of which is 1, failed with the error."""
        ...


class CompletionPolicy(Protocol):
    """Says when a chunk is full (Spring Batch: CompletionPolicy). *Threads*: the thread that reads.

    A chunk is read in portions, so that nothing is read which does not belong to it: a reader cannot take items back.
    """

    def more(self, count: int, last: Chunk | None, elapsed: timedelta) -> int:
        """Returns how many items to read next into the chunk; 0 closes it.

        Args:
            count: how many have been read into it; what could not be read is not among them.
            last: the last portion as it was read; None where the chunk begins, which cannot be closed then.
            elapsed: since it began, spent on reading and processing.
        """
        ...
