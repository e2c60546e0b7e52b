"""Takes the time of a step's phases, for whoever wants to know what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar

from batchrun.domain.execution import StepTimes
from batchrun.engine.retrying import Clock

Phase = Literal["read", "process", "encode", "write", "commit", "wait"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PhaseClock:
    """Adds up the seconds of each phase; no two threads have one phase at the same time."""

    times: StepTimes
    clock: Clock

    @contextmanager
    def of(self, phase: Phase) -> Iterator[None]:
        """Takes the time of what it surrounds, also where that fails."""
        began = self.clock()
        try:
            yield
        finally:
            setattr(self.times, phase, getattr(self.times, phase) + self.clock() - began)

    def waiting(self, values: Iterator[T]) -> Iterator[T]:
        """Yields the values, and takes the time that each is waited for."""
        while True:
            with self.of("wait"):
                try:
                    value = next(values)
                except StopIteration:
                    return
            yield value
