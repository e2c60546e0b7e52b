"""The read-ahead: order, depth, errors in their place, and an end that is waited for."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from batchrun.engine.pipeline import ahead
from tests.support.signals import signalled


def numbers(count: int, made: list[int] | None = None) -> Generator[int, None, None]:
    for number in range(count):
        if made is not None:
            made.append(number)
        yield number


@pytest.mark.parametrize("depth", [0, 1, 2, 7])
def test_values_come_in_order(depth: int) -> None:
    with ahead(numbers(50), depth) as values:
        assert list(values) == list(range(50))


def test_depth_zero_makes_a_value_only_when_asked() -> None:
    made: list[int] = []
    with ahead(numbers(10, made), 0) as values:
        next(values)
        next(values)
        assert made == [0, 1]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_more_than_depth_values_are_made_ahead(depth: int) -> None:
    made: list[int] = []
    full = threading.Event()

    def source() -> Generator[int, None, None]:
        for number in range(10):
            made.append(number)
            if len(made) == depth + 1:
                full.set()
            yield number

    with ahead(source(), depth) as values:
        next(values)
        assert full.wait(5)
        assert made == list(range(depth + 1))


@pytest.mark.parametrize("depth", [0, 2])
def test_an_error_comes_after_the_values_before_it(depth: int) -> None:
    def source() -> Generator[int, None, None]:
        yield 1
        yield 2
        raise ValueError("third")

    taken: list[int] = []
    with ahead(source(), depth) as values:
        with pytest.raises(ValueError, match="third"):
            taken.extend(values)
        assert taken == [1, 2]


@pytest.mark.parametrize("depth", [0, 2])
def test_leaving_early_closes_the_source(depth: int) -> None:
    closed = threading.Event()

    def source() -> Generator[int, None, None]:
        try:
            yield from range(1_000_000)
        finally:
            closed.set()

    with ahead(source(), depth) as values:
        next(values)
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_an_interrupt_does_not_wait_for_the_source() -> None:
    goes_on, is_busy = threading.Event(), threading.Event()

    def source() -> Generator[int, None, None]:
        yield 1
        is_busy.set()
        goes_on.wait(30)
        yield 2

    def interrupted() -> None:
        with ahead(source(), 2) as values:
            next(values)
            assert is_busy.wait(5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    left = [thread for thread in threading.enumerate() if thread.name == "read-ahead"]
    assert len(left) == 1
    goes_on.set()
    left[0].join(5)
    assert not left[0].is_alive()


def test_the_end_is_told_again() -> None:
    with ahead(numbers(1), 2) as values:
        assert list(values) == [0]
        assert next(values, None) is None


def test_a_signal_is_handled_while_a_value_is_waited_for() -> None:
    with signalled() as is_handled:

        def source() -> Generator[bool, None, None]:
            yield is_handled()

        with ahead(source(), 1) as values:
            assert list(values) == [True]
