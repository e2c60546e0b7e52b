"""What --kill-at says."""

from __future__ import annotations

import pytest

from batchrun.chaos import Schedule
from batchrun.errors import UsageError


def test_every_commit_strikes_each_boundary_once() -> None:
    assert list(Schedule.read("every-commit", 1).rounds(3)) == [[1], [2], [3]]


def test_numbers_are_one_round() -> None:
    assert list(Schedule.read("12,7", 1).rounds(3)) == [(12, 7)]


@pytest.mark.parametrize("total", [1, 5, 100])
def test_random_strikes_as_often_as_it_says_and_the_same_for_a_seed(total: int) -> None:
    rounds = list(Schedule.read(f"random:{total}", 7).rounds(40))
    assert sum(map(len, rounds)) == total
    assert all(1 <= number <= 40 for numbers in rounds for number in numbers)
    assert rounds == list(Schedule.read(f"random:{total}", 7).rounds(40))
    assert total == 1 or rounds != list(Schedule.read(f"random:{total}", 8).rounds(40))


@pytest.mark.parametrize("text", ["", "always", "random", "random:0", "random:x", "0", "3,", "-1", "every-commit:3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no place to kill at"):
        Schedule.read(text, 1)
