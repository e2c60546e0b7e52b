"""Constraints: what a value breaks, and how that is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.domain.constraints import Constraints, readable
from batchrun.domain.durations import duration_text, parse_duration
from batchrun.domain.parameters import ParameterValue


def told(constraints: Constraints, value: ParameterValue) -> list[str]:
    return [f"{each.rule}, got {readable(each.value)}" for each in constraints.broken(value)]


@pytest.mark.parametrize(
    ("constraints", "fits", "breaks", "said"),
    [
        (Constraints(min=1), 1, 0, "must be at least 1, got 0"),
        (Constraints(max=1.5), 1.5, 1.6, "must be at most 1.5, got 1.6"),
        (Constraints(min=Decimal("0.10")), Decimal("0.1"), Decimal("0.09"), "must be at least 0.10, got 0.09"),
        (
            Constraints(max=date(2026, 1, 31)),
            date(2026, 1, 31),
            date(2026, 2, 1),
            "must be at most 2026-01-31, got 2026-02-01",
        ),
        (
            Constraints(max=timedelta(hours=1.5)),
            timedelta(hours=1),
            timedelta(hours=2),
            "must be at most 1h30m, got 2h",
        ),
        (
            Constraints(min=datetime(2026, 1, 1, tzinfo=UTC)),
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 2),
            "must be with a time zone, as its limit is, got 2026-01-02T00:00:00",
        ),
        (
            Constraints(max=datetime(2026, 1, 1)),
            datetime(2026, 1, 1),
            datetime(2025, 1, 2, tzinfo=UTC),
            "must be without a time zone, as its limit is, got 2025-01-02T00:00:00+00:00",
        ),
        (Constraints(min_length=2), "ab", "a", "must have at least 2 characters, got 'a'"),
        (Constraints(max_length=1), "a", "ab", "must have at most 1 character, got 'ab'"),
        (Constraints(max_length=1), (5,), (5, 6), "must have at most 1 item, got [5, 6]"),
        (Constraints(pattern="[a-z]+"), "abc", "abc1", "must match [a-z]+, got 'abc1'"),
        (Constraints(pattern="a|b"), "b", "ab", "must match a|b, got 'ab'"),
        (Constraints(min=1), (1, 2), (1, 0), "must be at least 1, got 0"),
    ],
)
def test_what_breaks_a_constraint_is_said(
    constraints: Constraints, fits: ParameterValue, breaks: ParameterValue, said: str
) -> None:
    assert told(constraints, fits) == []
    assert told(constraints, breaks) == [said]


def test_all_that_is_broken_is_said() -> None:
    assert len(told(Constraints(min_length=3, pattern="[a-z]+"), "A")) == 2
    assert len(told(Constraints(min=1, max=2, max_length=2), (0, 1, 3))) == 3


@given(st.timedeltas(timedelta(0)))
def test_a_duration_is_read_back_from_its_text(duration: timedelta) -> None:
    assert parse_duration(duration_text(duration)) == duration
