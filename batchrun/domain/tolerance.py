"""What a chunk step makes of errors: which it skips, which it tries again, how long it waits (SEMANTICS section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from batchrun.errors import ListenerError


class OnWriteError(StrEnum):
    """What becomes of a chunk that its target refuses, once trying again has not helped."""

    BISECT = "bisect"
    SKIP_CHUNK = "skip_chunk"
    FAIL = "fail"


class Phase(StrEnum):
    """Where an item was skipped."""

    READ = "read"
    PROCESS = "process"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class ErrorRules:
    """Which errors are meant, by the names of their classes: plain (`IntegrityError`) or dotted.

    Of one exception, the class that is nearest to it and listed at all decides. Of the exceptions that caused each
    other, one that is left out keeps all of them out; else one that is meant is enough.

    Attributes:
        errors: the classes that are meant, with their subclasses.
        without: those among them that are not.
    """

    errors: Sequence[str] = ()
    without: Sequence[str] = ()

    def mean(self, error: BaseException) -> bool:
        """Tells whether the error is meant; what a listener raised never is, as it says nothing of the item."""
        chain = list(causes(error))
        if any(isinstance(each, ListenerError) for each in chain):
            return False
        verdicts = [self._verdict(each) for each in chain]
        return False not in verdicts and True in verdicts

    def _verdict(self, error: BaseException) -> bool | None:
        for names in class_names(error):
            if names & set(self.without):
                return False
            if names & set(self.errors):
                return True
        return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields the error and, one after the other, what caused it."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        yield current
        seen.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def class_names(error: BaseException) -> tuple[frozenset[str], ...]:
    """Returns, from its own class upwards, the names that each class of an error goes by."""
    return _names(type(error).__mro__)


@lru_cache(maxsize=256)
def _names(classes: tuple[type, ...]) -> tuple[frozenset[str], ...]:
    return tuple(
        frozenset({each.__name__, each.__qualname__, f"{each.__module__}.{each.__qualname__}"}) for each in classes
    )


@dataclass(frozen=True, slots=True)
class SkipDefinition:
    """Which errors a step skips, and how many at most.

    Attributes:
        rules: the errors that may be skipped.
        limit: how many items in one step execution; None is without limit.
        share: how many of the items read so far, as a part of 1; None is without limit.
        limits: how many by class of error.
        policy: `module:Class` of a SkipPolicy that decides instead.
    """

    rules: ErrorRules = field(default_factory=ErrorRules)
    limit: int | None = 0
    share: Fraction | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class BackoffDefinition:
    """How long to wait before the next attempt: `initial`, then each time `multiplier` times as long, at most `most`.

    Attributes:
        jitter: wait a random time from half of that to all of it, so that many that failed together do not come back
            together.
        policy: `module:Class` of a BackoffPolicy that decides instead.
    """

    initial: timedelta = timedelta(milliseconds=200)
    multiplier: float = 1.0
    most: timedelta = timedelta(seconds=30)
    jitter: bool = False
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class RetryDefinition:
    """Which errors a step tries again, and how often.

    Attributes:
        rules: the errors that are tried again.
        limit: how many attempts in all; the first one counts.
        timeout: how long after the first attempt no further one begins; None is without limit.
        policy: `module:Class` of a RetryPolicy that decides instead.
    """

    rules: ErrorRules = field(default_factory=ErrorRules)
    limit: int = 3
    timeout: timedelta | None = None
    backoff: BackoffDefinition = field(default_factory=BackoffDefinition)
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class ToleranceDefinition:
    """What a chunk step makes of errors; without any of it, the first one fails the step."""

    skip: SkipDefinition = field(default_factory=SkipDefinition)
    retry: RetryDefinition = field(default_factory=RetryDefinition)
    on_write_error: OnWriteError = OnWriteError.BISECT
