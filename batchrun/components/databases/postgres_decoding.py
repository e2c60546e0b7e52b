"""COPY's binary format made into its text format, value by value: for rows passed on that somebody looks at after all.

Formats: PostgreSQL's documentation of COPY, and the send functions of its types.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from uuid import UUID

from batchrun.components.databases.postgres_copy import ESCAPES, NULL, SEPARATOR

_ESCAPES = str.maketrans({**ESCAPES, "\b": r"\b", "\f": r"\f", "\v": r"\v"})
_TEXTS = ("text", "character varying", "character", "json")
_SECOND, _DAY = 1_000_000, 86_400_000_000
_EPOCH = 730_425
"""Days from 1 March of the year 0 to 1 January 2000."""

_TOO_LARGE = 2.0**128
"""What no number of 32 bits comes up to."""

_NOT_FINITE = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}
"""Signs of a numeric that has no digits."""


def can_decode(kind: str) -> bool:
    """Tells whether values of a type, named without its size, can be made text."""
    return kind in _DECODERS


def to_text(data: bytes, kinds: Sequence[str]) -> bytes:
    """Returns rows in COPY's text format, as the server would have sent them.

    Args:
        data: rows in the binary format, without header and trailer.
        kinds: of the columns, without sizes.
    """
    lines = []
    place = 0
    while place < len(data):
        values, place = _values(data, place, kinds)
        lines.append(SEPARATOR.join([NULL if value is None else value.translate(_ESCAPES) for value in values]))
    return "".join([f"{line}\n" for line in lines]).encode()


def first_values(data: bytes, place: int, kinds: Sequence[str]) -> tuple[str | None, ...]:
    """Returns the first values of the row that begins at a place, one of each kind, as the server writes them."""
    return tuple(_values(data, place, kinds)[0])


def first_bytes(data: bytes, places: Sequence[int], kinds: Sequence[str]) -> list[bytes]:
    """Returns, of each row, the bytes that hold its first values.

    Args:
        data: rows in the binary format.
        places: where they begin.
        kinds: of these values.
    """
    sizes = [_SIZES.get(kind) for kind in kinds]
    if None not in sizes:
        width = 2 + sum(4 + size for size in sizes if size)
        return [data[place : place + width] for place in places]
    return [data[place : _end_of(data, place + 2, len(kinds))] for place in places]


def _end_of(data: bytes, place: int, count: int) -> int:
    for _ in range(count):
        place += 4 + max(int.from_bytes(data[place : place + 4], signed=True), 0)
    return place


def _values(data: bytes, place: int, kinds: Sequence[str]) -> tuple[list[str | None], int]:
    """Returns the values of a row, and the place behind them."""
    values: list[str | None] = []
    place += 2
    for kind in kinds:
        size = int.from_bytes(data[place : place + 4], signed=True)
        place += 4
        if size < 0:
            values.append(None)
            continue
        values.append(_DECODERS[kind](data[place : place + size]))
        place += size
    return values, place


def _integer(value: bytes) -> str:
    return str(int.from_bytes(value, signed=True))


def _real(value: bytes) -> str:
    """Returns the shortest decimal that is read as the same number of 32 bits."""
    (number,) = struct.unpack(">f", value)
    shortest = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return _float(
        next((each for each in shortest if abs(each) < _TOO_LARGE and struct.pack(">f", each) == value), number)
    )


def _double(value: bytes) -> str:
    return _float(struct.unpack(">d", value)[0])


def _float(number: float) -> str:
    text = repr(number).removesuffix(".0")
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)


def _numeric(value: bytes) -> str:
    """Returns a number sent as its digits to the base of 10,000, the first of which has a weight."""
    count, weight, sign, scale = struct.unpack_from(">hhHH", value)
    if sign in _NOT_FINITE:
        return _NOT_FINITE[sign]
    digits = struct.unpack_from(f">{count}h", value, 8)
    number = 0
    for digit in digits:
        number = number * 10_000 + digit
    places = 4 * (count - 1 - weight)
    number = number * 10 ** (scale - places) if scale >= places else number // 10 ** (places - scale)
    text = str(number).rjust(scale + 1, "0")
    whole = text if not scale else f"{text[:-scale]}.{text[-scale:]}"
    return f"-{whole}" if sign else whole


def _text(value: bytes) -> str:
    return value.decode()


def _date(value: bytes) -> str:
    days = int.from_bytes(value, signed=True)
    if value in (b"\x7f\xff\xff\xff", b"\x80\0\0\0"):
        return "infinity" if days > 0 else "-infinity"
    day, era = _day(days)
    return f"{day}{era}"


def _day(days: int) -> tuple[str, str]:
    """Returns a day in the Gregorian calendar, and what follows the time of day in a year before 1.

    Args:
        days: since 1 January 2000.
    """
    eras, days = divmod(days + _EPOCH, 146_097)
    years = (days - days // 1_460 + days // 36_524 - days // 146_096) // 365
    days -= 365 * years + years // 4 - years // 100
    months = (5 * days + 2) // 153
    day = days - (153 * months + 2) // 5 + 1
    month = months + 3 if months < 10 else months - 9
    year = years + 400 * eras + (month <= 2)
    return f"{year if year > 0 else 1 - year:04}-{month:02}-{day:02}", "" if year > 0 else " BC"


def _time(value: bytes) -> str:
    return _clock(int.from_bytes(value, signed=True))


def _clock(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, _SECOND)
    fraction = f".{rest:06}".rstrip("0") if rest else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _timestamp(value: bytes, zone: str = "") -> str:
    microseconds = int.from_bytes(value, signed=True)
    if value in (b"\x7f" + b"\xff" * 7, b"\x80" + bytes(7)):
        return "infinity" if microseconds > 0 else "-infinity"
    days, clock = divmod(microseconds, _DAY)
    day, era = _day(days)
    return f"{day} {_clock(clock)}{zone}{era}"


def _timestamptz(value: bytes) -> str:
    return _timestamp(value, "+00")


_DECODERS: dict[str, Callable[[bytes], str]] = {
    "boolean": lambda value: "t" if value == b"\1" else "f",
    "smallint": _integer,
    "integer": _integer,
    "bigint": _integer,
    "real": _real,
    "double precision": _double,
    "numeric": _numeric,
    **dict.fromkeys(_TEXTS, _text),
    "jsonb": lambda value: value[1:].decode(),
    "bytea": lambda value: f"\\x{value.hex()}",
    "uuid": lambda value: str(UUID(bytes=value)),
    "date": _date,
    "time without time zone": _time,
    "timestamp without time zone": _timestamp,
    "timestamp with time zone": _timestamptz,
}
_SIZES = {
    "boolean": 1,
    "smallint": 2,
    "integer": 4,
    "bigint": 8,
    "uuid": 16,
    "date": 4,
    "timestamp without time zone": 8,
    "timestamp with time zone": 8,
}
"""Bytes of a value, where all have as many."""
