"""The times of a step's phases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batchrun.domain.execution import StepTimes
from batchrun.engine.timing import PhaseClock
from batchrun.testing.clock import ManualClock


def test_the_wait_for_each_value_is_taken_and_what_is_done_with_it_is_not() -> None:
    clock = ManualClock()
    phases = PhaseClock(StepTimes(), clock)

    def slow() -> Iterator[int]:
        for number in range(3):
            clock.pass_(2)
            yield number

    seen = []
    for value in phases.waiting(slow()):
        seen.append(value)
        clock.pass_(100)
    assert seen == [0, 1, 2]
    assert phases.times == StepTimes(wait=6)


def test_what_fails_has_taken_its_time_too() -> None:
    clock = ManualClock()
    phases = PhaseClock(StepTimes(write=1), clock)

    def fail() -> None:
        clock.pass_(3)
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"), phases.of("write"):
        fail()
    assert phases.times == StepTimes(write=4)
