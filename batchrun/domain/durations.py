"""Durations as job files and parameters write them: `30s`, `1h30m`, `250ms`."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

_MICROSECONDS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|[dhms])", re.ASCII)
_NOTATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """Reads a duration: numbers with a unit each (d, h, m, s, ms, us), such as `1h30m` or `0.5s`.

    Raises:
        ValueError: it is none, has no unit, or is longer than a timedelta holds.
    """
    notation = text.strip().replace(" ", "")
    if _NOTATION.fullmatch(notation) is None:
        raise ValueError(f"{text!r} is no duration such as 30s, 1h30m or 250ms")
    total = sum(Decimal(number) * _MICROSECONDS[unit] for number, unit in _PART.findall(notation))
    try:
        return timedelta(microseconds=int(total))
    except OverflowError as error:
        raise ValueError(f"{text!r} is too long for a duration") from error


def duration_text(duration: timedelta) -> str:
    """Returns the notation of a duration that is not negative: `1h30m`, `250ms`, and `0s`."""
    left, parts = duration // timedelta(microseconds=1), []
    for unit, size in _MICROSECONDS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
