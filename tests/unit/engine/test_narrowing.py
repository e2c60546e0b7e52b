"""Narrowing: which items are found to be bad, and at what cost."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrun.engine.narrowing import Narrowing, refusals_of
from batchrun.errors import WriteError
from batchrun.spi.chunk import Chunk
from batchrun.testing.memory import ListOrigins


class Target:
    """Takes parts that hold no bad item; keeps what it took, and counts the attempts.

    Or takes the good items of any part, and tells of as many bad ones as `tells`, at most.
    """

    def __init__(self, bad: set[int], *, tells_place: bool = False, tells: int = 0) -> None:
        self.bad, self.tells_place, self.tells = bad, tells_place, tells
        self.kept: list[int] = []
        self.aside: list[int] = []
        self.attempts = 0
        self.tried = 0

    def attempt(self, chunk: Chunk) -> int | Exception:
        self.attempts += 1
        self.tried += len(chunk)
        numbers = [row["n"] for row in chunk.rows]
        wrong = [place for place, number in enumerate(numbers) if number in self.bad]
        if not wrong:
            self.kept += numbers
            return len(numbers)
        if self.tells and self.attempts > 1:  # the chunk as a whole is always undone
            told = wrong[: self.tells]
            decided = len(numbers) if wrong == told else told[-1] + 1
            self.kept += [number for number in numbers[:decided] if number not in self.bad]
            self.aside += [numbers[place] for place in told]
            return decided
        return WriteError(f"{numbers[wrong[0]]} is bad", place=wrong[0] if self.tells_place else None)

    def set_aside(self, chunk: Chunk, error: Exception) -> None:
        (row,) = chunk.rows
        assert str(error) == f"{row['n']} is bad"
        self.aside.append(row["n"])

    def narrow(self, count: int) -> None:
        rows = [{"n": number} for number in range(count)]
        chunk = Chunk(rows=rows, position={}, origins=ListOrigins(range(count)))
        error = self.attempt(chunk)
        if isinstance(error, Exception):
            Narrowing(self.attempt, self.set_aside).run(chunk, error)


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))), st.booleans())
@example((1, {0}), False)
@example((3, {0, 1, 2}), True)
def test_exactly_the_bad_items_are_set_aside_and_the_others_kept_in_order(
    case: tuple[int, set[int]], tells_place: bool
) -> None:
    count, bad = case
    target = Target(bad, tells_place=tells_place)
    target.narrow(count)
    assert target.aside == sorted(bad)
    assert target.kept == [number for number in range(count) if number not in bad]


@pytest.mark.parametrize("place", [0, 1, 4_999, 5_000, 7_321, 9_999])
def test_one_bad_item_of_10_000_costs_no_more_than_2_log2_and_2_writes(place: int) -> None:
    target = Target({place})
    target.narrow(10_000)
    assert target.attempts <= 2 * math.log2(10_000) + 2


def test_ten_bad_items_cost_no_more_than_ten_times_one() -> None:
    target = Target(set(range(500, 10_000, 1_000)))
    target.narrow(10_000)
    assert len(target.aside) == 10
    assert target.attempts <= 10 * (2 * math.log2(10_000) + 2)


def test_an_error_that_knows_its_place_saves_the_search() -> None:
    target = Target(set(range(0, 10_000, 100)), tells_place=True)
    target.narrow(10_000)
    assert len(target.aside) == 100
    assert target.attempts <= 10 + 2 * 100


def test_what_ends_the_work_ends_it() -> None:
    def refuse(_chunk: Chunk, error: Exception) -> None:
        raise error

    target = Target({3})
    chunk = Chunk(rows=[{"n": n} for n in range(8)], position={}, origins=ListOrigins(range(8)))
    with pytest.raises(WriteError, match="3 is bad"):
        Narrowing(target.attempt, refuse).run(chunk, WriteError("all"))
    assert target.kept == [0, 1, 2]


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1))))
@example((300, {0}))
@example((300, {0, 1, 2, 299}))
def test_no_pattern_of_bad_items_costs_more_than_each_of_them_alone_may(case: tuple[int, set[int]]) -> None:
    count, bad = case
    target = Target(bad)
    target.narrow(count)
    assert target.attempts <= len(bad) * (2 * math.log2(count) + 2)


@pytest.mark.parametrize("tells", [1, 2, 5])
@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
@example((1, {0}))
@example((3, {0, 1, 2}))
@example((40, set(range(40))))
def test_what_a_target_keeps_of_a_part_is_not_written_again(tells: int, case: tuple[int, set[int]]) -> None:
    count, bad = case
    target = Target(bad, tells_place=True, tells=tells)
    target.narrow(count)
    assert target.aside == sorted(bad)
    assert target.kept == [number for number in range(count) if number not in bad]


def test_items_behind_a_bad_one_are_written_in_portions_as_long_as_bad_items_are_apart() -> None:
    target = Target(set(range(50, 10_000, 100)), tells_place=True, tells=1)
    target.narrow(10_000)
    assert len(target.aside) == 100
    assert target.attempts <= 110
    assert target.tried <= 4 * 10_000


def test_a_target_that_tells_of_all_bad_items_at_once_is_asked_a_few_times() -> None:
    target = Target(set(range(50, 10_000, 100)), tells_place=True, tells=10_000)
    target.narrow(10_000)
    assert len(target.aside) == 100
    assert target.attempts <= 8


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (WriteError("x", place=2, decided=3), 1),
        (WriteError("x", place=2, decided=5, further=[WriteError("y", place=4)]), 2),
        (WriteError("x", place=2), 0),
        (WriteError("x", decided=3), 0),
        (WriteError("x", place=3, decided=3), 0),
        (WriteError("x", place=2, decided=9), 0),
        (WriteError("x", place=2, decided=5, further=[WriteError("y", place=2)]), 0),
        (WriteError("x", place=2, decided=5, further=[WriteError("y")]), 0),
        (ValueError("x"), 0),
    ],
)
def test_nothing_is_believed_that_does_not_fit(error: Exception, named: int) -> None:
    assert len(refusals_of(error, 5)) == named
