"""The policies that a step's `chunk`, `skip` and `retry` describe."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from batchrun.domain.definition import CompletionDefinition
from batchrun.domain.tolerance import BackoffDefinition, RetryDefinition, SkipDefinition
from batchrun.errors import SkipLimitExceededError
from batchrun.spi.chunk import Chunk
from batchrun.spi.policies import SkipTally


@dataclass(frozen=True, slots=True)
class LimitedCompletionPolicy:
    """Closes a chunk by the number of its items, and, where it says so, by their time.

    By number alone it is read at once. By time it begins with one item, and each further portion is as large as all
    before it or as what fits into the time that is left: 1, 1, 2, 4, 8 … of a fast source.
    """

    definition: CompletionDefinition

    def more(self, count: int, last: Chunk | None, elapsed: timedelta) -> int:
        """Returns how many items to read next; 0 closes the chunk."""
        items, time = self.definition.items, self.definition.time
        if time is None:
            return items if last is None else 0
        if last is not None and elapsed >= time:
            return 0
        if not count:
            return 1
        fitting = int(count * ((time - elapsed) / elapsed)) if elapsed else count
        return min(count, fitting, items - count)


@dataclass(frozen=True, slots=True)
class LimitedSkipPolicy:
    """Skips the errors that are meant, up to the limits."""

    definition: SkipDefinition

    def may_skip(self, error: Exception) -> bool:
        """Tells whether the error is among those that are meant, and any may be skipped."""
        return self.definition.limit != 0 and self.definition.rules.mean(error)

    def check(self, error: Exception, tally: SkipTally) -> None:
        """Agrees with one more skip."""
        skip = self.definition
        if skip.limit is not None and tally.total >= skip.limit:
            raise SkipLimitExceededError(f"{skip.limit}", error)
        if skip.share is not None and tally.total + 1 > skip.share * tally.items:
            raise SkipLimitExceededError(f"{float(skip.share * 100):g}% of {tally.items} items", error)
        of_error = SkipTally()
        of_error.add(error)
        for name, limit in skip.limits.items():
            if of_error.by_class[name] and tally.by_class[name] >= limit:
                raise SkipLimitExceededError(f"{limit} for {name}", error)


@dataclass(frozen=True, slots=True)
class LimitedRetryPolicy:
    """Tries the errors again that are meant, up to a number of attempts and for some time."""

    definition: RetryDefinition

    def may_retry(self, error: Exception, attempt: int, elapsed: timedelta) -> bool:
        """Tells whether another attempt is to be made."""
        retry = self.definition
        in_time = retry.timeout is None or elapsed < retry.timeout
        return attempt < retry.limit and in_time and retry.rules.mean(error)


@dataclass(frozen=True, slots=True)
class ExponentialBackoffPolicy:
    """Waits longer from attempt to attempt: with 200 ms and 2, 0.2 s, 0.4 s, 0.8 s …, and with 1 always the same.

    What an error itself says, as a server does by Retry-After, is waited for at least.

    Attributes:
        chance: gives numbers from 0 to 1.
    """

    definition: BackoffDefinition
    chance: Callable[[], float] = random.random

    def delay(self, error: Exception, attempt: int) -> timedelta:
        """Returns how long to wait; at most `most`, and with jitter anything from half of that on."""
        backoff = self.definition
        longest = backoff.most.total_seconds()
        try:
            seconds = min(backoff.initial.total_seconds() * backoff.multiplier ** (attempt - 1), longest)
        except OverflowError:
            seconds = longest
        if backoff.jitter:
            seconds *= (1 + self.chance()) / 2
        said = getattr(error, "retry_after", None)
        wanted = timedelta(seconds=seconds)
        return max(wanted, said) if isinstance(said, timedelta) else wanted
