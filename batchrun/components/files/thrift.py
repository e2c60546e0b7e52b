"""The compact protocol of Apache Thrift, as far as the footer of a Parquet file needs it.

A struct is kept as it was written, field by field in their order, so that what is not looked at comes out unchanged.
Rules: github.com/apache/thrift, doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Kind(IntEnum):
    """The types of values."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    MAP = 11
    STRUCT = 12


_WHOLE = (Kind.I16, Kind.I32, Kind.I64)
_LONG_LIST = 15


@dataclass(slots=True)
class Values:
    """A list of values of one type; a struct among them may be bytes that `written` made of it."""

    kind: Kind
    values: list[Any]


@dataclass(slots=True)
class Fields:
    """A struct: type and value by the field's number, in the order they were written."""

    by_number: dict[int, tuple[Kind, Any]] = field(default_factory=dict)

    def get(self, number: int) -> Any:
        """Returns the value of a field, or None where it is not there."""
        found = self.by_number.get(number)
        return None if found is None else found[1]

    def replace(self, number: int, value: Any) -> None:
        """Sets the value of a field that is there."""
        kind, _ = self.by_number[number]
        self.by_number[number] = (kind, value)

    def drop(self, *numbers: int) -> None:
        """Leaves out fields, where they are there."""
        for number in numbers:
            self.by_number.pop(number, None)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def whole(self) -> int:
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def taken(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise IndexError("the data ends inside a value")
        self._at += count
        return self._data[self._at - count : self._at]

    def fields(self) -> Fields:
        found, number = Fields(), 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.whole()
            kind = Kind(head & 0x0F)
            found.by_number[number] = (kind, kind == Kind.TRUE if kind <= Kind.FALSE else self.value(kind))
        return found

    def value(self, kind: Kind) -> Any:
        if kind in _WHOLE:
            return self.whole()
        if kind == Kind.BINARY:
            return self.taken(self.varint())
        if kind == Kind.STRUCT:
            return self.fields()
        if kind in (Kind.LIST, Kind.SET):
            return self.values()
        if kind == Kind.DOUBLE:
            return struct.unpack("<d", self.taken(8))[0]
        if kind == Kind.MAP:
            raise ValueError("a footer has no maps")
        return self.byte()

    def values(self) -> Values:
        head = self.byte()
        count = self.varint() if head >> 4 == _LONG_LIST else head >> 4
        kind = Kind(head & 0x0F)
        return Values(kind, [self.value(kind) for _ in range(count)])


def parsed(data: bytes) -> Fields:
    """Returns the struct that the data begins with.

    Raises:
        ValueError: it is none.
    """
    try:
        return _Reader(data).fields()
    except (IndexError, struct.error) as error:
        raise ValueError(f"no struct of the compact protocol: {error}") from error


def written(value: Fields) -> bytes:
    """Returns a struct as bytes."""
    return b"".join(_fields(value))


def _fields(value: Fields) -> Iterator[bytes]:
    last = 0
    for number, (kind, each) in value.by_number.items():
        if kind <= Kind.FALSE:
            kind = Kind.TRUE if each else Kind.FALSE
        step = number - last
        yield bytes([step << 4 | kind]) if 0 < step <= 15 else bytes([kind]) + _whole(number)
        if kind > Kind.FALSE:
            yield from _value(kind, each)
        last = number
    yield b"\0"


def _value(kind: Kind, value: Any) -> Iterator[bytes]:
    if kind in _WHOLE:
        yield _whole(value)
    elif kind == Kind.BINARY:
        yield _varint(len(value))
        yield value
    elif kind == Kind.STRUCT:
        yield value if isinstance(value, bytes) else written(value)
    elif kind in (Kind.LIST, Kind.SET):
        count = len(value.values)
        yield bytes([count << 4 | value.kind]) if count < _LONG_LIST else bytes([0xF0 | value.kind]) + _varint(count)
        for each in value.values:
            yield from _value(value.kind, each)
    elif kind == Kind.DOUBLE:
        yield struct.pack("<d", value)
    else:
        yield bytes([value])


def _whole(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
