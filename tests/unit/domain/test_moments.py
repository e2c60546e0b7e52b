"""Moments as people name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from batchrun.domain.moments import parse_span

NOW = datetime(2026, 7, 30, 5, 2, 11, tzinfo=UTC)


def test_a_day_is_a_span_and_local() -> None:
    begin, end = parse_span("2026-07-01", NOW)
    assert begin == datetime(2026, 7, 1).astimezone()
    assert end == datetime(2026, 7, 2).astimezone()
    assert begin.tzinfo is not None


@pytest.mark.parametrize(("word", "days"), [("today", 0), ("Yesterday", 1)])
def test_days_have_names(word: str, days: int) -> None:
    today = NOW.astimezone().date()
    assert parse_span(word, NOW) == parse_span(str(today - timedelta(days=days)), NOW)


@pytest.mark.parametrize(("duration", "length"), [("7d", timedelta(days=7)), ("1h30m", timedelta(minutes=90))])
def test_a_duration_is_counted_back(duration: str, length: timedelta) -> None:
    assert parse_span(duration, NOW) == (NOW - length, NOW - length)


@pytest.mark.parametrize("text", ["2026-07-30T07:02:11+02:00", "2026-07-30 05:02:11z", "now"])
def test_a_time_with_its_zone_is_exact(text: str) -> None:
    assert parse_span(text, NOW) == (NOW, NOW)


def test_a_time_without_its_zone_is_local() -> None:
    assert parse_span("2026-07-30 06:00", NOW)[0] == datetime(2026, 7, 30, 6).astimezone()


@pytest.mark.parametrize("text", ["", "soon", "7", "2026-02-30", "9999999d", "7x", "12:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|out of range"):
        parse_span(text, NOW)
