"""The pace of a running step: how far it is, how fast, and how long it will still take."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from batchrun.domain.execution import StepCounts, StepExecution
from batchrun.spi.listener import Progress

_WINDOW = 10.0
"""Seconds over which speed is measured: long enough to be steady, short enough to follow."""


@dataclass(slots=True)
class StepPace:
    """Watches one attempt at a step. The engine's thread moves it by two assignments; who draws asks it for the rest.

    Attributes:
        clock: seconds on a clock that never goes back.
        progress: how far the reader is; None before it is open, and for a tasklet.
        has_moved: a chunk has been committed in this attempt.
    """

    step: StepExecution
    clock: Callable[[], float]
    began: float
    progress: Progress | None = None
    has_moved: bool = False
    _samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    @property
    def counts(self) -> StepCounts:
        """The step's counts as of its last commit."""
        return self.step.counts

    @property
    def seconds(self) -> float:
        """How long the step has been running."""
        return self.clock() - self.began

    @property
    def fraction(self) -> float | None:
        """How much is done, 0 to 1; None where the total is not known."""
        if self.progress is None or not self.progress.total:
            return None
        return min(max(self.progress.done / self.progress.total, 0.0), 1.0)

    def observe(self) -> None:
        """Takes a sample; to be called by who draws, before asking for speed.

        A restart begins in the middle of its input, so that the way to the first commit says nothing about speed.
        """
        if not self.has_moved or self.progress is None:
            return
        now = self.clock()
        self._samples.append((now, self.counts.read, self.progress.done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:
            self._samples.popleft()

    @property
    def rows_per_second(self) -> float:
        """Items read a second, lately; 0 where nothing is known yet."""
        if self._span <= 0:
            return self.counts.read / self.seconds if self.seconds > 0 else 0.0
        return (self._samples[-1][1] - self._samples[0][1]) / self._span

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at the speed it has lately; None where nobody can say."""
        if self.progress is None or not self.progress.total or self._span <= 0:
            return None
        done = self._samples[-1][2] - self._samples[0][2]
        if done <= 0:
            return None
        return max(self.progress.total - self._samples[-1][2], 0) * self._span / done

    @property
    def _span(self) -> float:
        return self._samples[-1][0] - self._samples[0][0] if self._samples else 0.0
