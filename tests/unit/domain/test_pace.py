"""What sets the pace of a step."""

from __future__ import annotations

import pytest

from batchrun.domain.execution import StepTimes
from batchrun.domain.pace import pacesetters


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (StepTimes(), []),
        (StepTimes(read=3, process=1, write=2, wait=1), ["read"]),
        (StepTimes(read=1, process=3, write=2, commit=1, wait=1), ["process"]),
        (StepTimes(read=1, write=2, commit=1, wait=0.1), ["write"]),
        (StepTimes(read=1, write=2, commit=2.5, wait=0.1), ["commit"]),
        (StepTimes(read=2, encode=2.2, write=3, commit=1, wait=0.5), ["encode", "write"]),
        (StepTimes(read=2, process=3, write=2.9), ["process"]),
    ],
)
def test_the_longest_phase_of_the_busier_side_sets_the_pace(times: StepTimes, expected: list[str]) -> None:
    assert pacesetters(times) == expected


def test_times_are_read_back_as_they_were_and_none_are_known_of_an_older_version() -> None:
    times = StepTimes(read=1.25, wait=0.5)
    assert StepTimes.from_dict(times.as_dict()) == times
    assert StepTimes.from_dict(None) == StepTimes()
