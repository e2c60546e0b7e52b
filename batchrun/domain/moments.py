"""Moments as people name them: `2026-07-30`, `2026-07-30 06:00`, `7d` (ago), `yesterday`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from batchrun.domain.durations import parse_duration

_DAYS_AGO = {"today": 0, "yesterday": 1}


def parse_span(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Reads what a text names, as the moments at which it begins and ends; the same twice for what is no day.

    A duration is counted back from now. A day or a time without its zone is local.

    Args:
        text: a date, a date and time, a duration, `today`, `yesterday` or `now`.
        now: aware.

    Raises:
        ValueError: it is none of these, or beyond what a datetime holds.
    """
    word = text.strip().lower()
    if word == "now":
        return now, now
    if word in _DAYS_AGO:
        return _day(now.astimezone().date() - timedelta(days=_DAYS_AGO[word]))
    try:
        return _day(date.fromisoformat(word))
    except ValueError:
        moment = _moment(word, now)
    return moment, moment


def _day(day: date) -> tuple[datetime, datetime]:
    midnight, next_midnight = (datetime.combine(each, time.min) for each in (day, day + timedelta(days=1)))
    return midnight.astimezone(), next_midnight.astimezone()


def _moment(word: str, now: datetime) -> datetime:
    try:
        return datetime.fromisoformat(word.upper()).astimezone()
    except ValueError:
        pass
    try:
        return now - parse_duration(word)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{word!r} is no time") from error
