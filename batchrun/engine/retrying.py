"""Trying again: asks the policies, tells the listeners, waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from batchrun.spi.policies import BackoffPolicy, RetryPolicy

Clock = Callable[[], float]
"""Seconds on a clock that never goes back."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How a step tries again.

    Attributes:
        tell: tells the listeners of an error, with the number of the attempt.
        wait: waits so long, or raises where the step is to end meanwhile.
    """

    retry: RetryPolicy
    backoff: BackoffPolicy
    tell: Callable[[int, Exception], None]
    wait: Callable[[timedelta], None]
    clock: Clock = time.monotonic

    def trial(self) -> Trial:
        """Returns the count of attempts at one thing."""
        return Trial(self, self.clock())


@dataclass(slots=True)
class Trial:
    """The attempts at one thing, the first of which is under way."""

    retrying: Retrying
    began: float
    attempt: int = field(default=1)

    def again(self, error: Exception) -> bool:
        """Tells whether the attempt that failed is followed by another; if so, it has waited for it.

        Raises:
            StepStoppedError: a stop was asked for meanwhile.
        """
        how = self.retrying
        elapsed = timedelta(seconds=how.clock() - self.began)
        if not how.retry.may_retry(error, self.attempt, elapsed):
            return False
        how.tell(self.attempt, error)
        how.wait(how.backoff.delay(error, self.attempt))
        self.attempt += 1
        return True
