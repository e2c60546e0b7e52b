"""The dialect of a CSV file, and the exact rule of where its records and fields end.

A quote opens a quoted field only where the field begins; elsewhere it is a character like any other. Everything works
on UTF-8 bytes. The expressions never backtrack, so a broken file costs no more than a good one. A group with a choice
in it is repeated by `_repeated`: behind `(?:…)*+`, Python before 3.11.5 goes on at a wrong place (CPython issue
106052).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


def _repeated(group: bytes) -> bytes:
    """Returns the expression of a group as often as it goes, for some hundred bytes of memory each time."""
    return b"(?>(?:(?>%s))*)" % group


def _quoted(quote: bytes) -> bytes:
    """Returns the expression of a quoted field; a quote in it is doubled."""
    return b"%(q)s[^%(q)s]*+(?:%(q)s%(q)s[^%(q)s]*+)*+%(q)s" % {b"q": quote}


class RecordKind(Enum):
    """What a piece of a CSV file is; an UNCLOSED record has a quoted field that does not end."""

    ITEM = "item"
    BLANK = "blank"
    COMMENT = "comment"
    UNCLOSED = "unclosed"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        delimiter: one byte.
        quote: one byte, or None where no field is quoted.
        comment: beginning of a line that is no record, or None.
        null_values: texts that are null, quoted or not; the empty one only where it is not quoted.
    """

    delimiter: bytes = b","
    quote: bytes | None = b'"'
    comment: bytes | None = None
    null_values: tuple[str, ...] = ("",)
    _record: re.Pattern[bytes] = field(init=False, repr=False, compare=False)
    _field: re.Pattern[bytes] = field(init=False, repr=False, compare=False)
    _stray: re.Pattern[bytes] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        end = re.escape(self.delimiter)
        if self.quote is None:
            value, stray = b"[^%s\\n]*+" % end, None
        else:
            quote = re.escape(self.quote)
            quoted = _quoted(quote)
            value = b"(?>%s[^%s\\n]*+|(?!%s)[^%s\\n]*+)" % (quoted, end, quote, end)
            stray = re.compile(b"(?:%s(?=%s|\\r?\\n|\\Z)|(?!%s)[^%s\\n]*+)" % (quoted, end, quote, end))
        whole = b"%s%s\\n" % (_repeated(value + end), value)
        if self.comment:
            whole = b"%s[^\\n]*+\\n|%s" % (re.escape(self.comment), whole)
        object.__setattr__(self, "_record", re.compile(whole))
        object.__setattr__(self, "_field", re.compile(value))
        object.__setattr__(self, "_stray", stray)

    def records(self, data: bytes, start: int = 0) -> Iterator[tuple[RecordKind, int, int]]:
        """Yields kind, start and end of each record, comment and blank line; the data ends with a newline.

        A last record that is UNCLOSED reaches to the end of the data.
        """
        match = self._record.match
        comment = self.comment
        while start < len(data):
            found = match(data, start)
            if found is None:
                yield RecordKind.UNCLOSED, start, len(data)
                return
            end = found.end()
            if comment and data.startswith(comment, start):
                kind = RecordKind.COMMENT
            elif data[start] == 10 or (data[start] == 13 and end - start == 2):
                kind = RecordKind.BLANK
            else:
                kind = RecordKind.ITEM
            yield kind, start, end
            start = end

    def complete_end(self, data: bytes) -> int:
        """Returns where the last whole record of the data ends; 0 where there is none."""
        end, match = 0, self._record.match
        while found := match(data, end):
            end = found.end()
        return end

    def plain_record(self, columns: int) -> re.Pattern[bytes]:
        """Returns what a whole record matches that has so many fields, each well formed and without stray quotes."""
        end, quote = re.escape(self.delimiter), re.escape(self.quote or b"")
        value = b"[^%s%s\\n]*+" % (quote, end)
        if quote:
            value = b"(?>%s|%s)" % (_quoted(quote), value)
        return re.compile(b"%s(?:%s%s){%d}\\r?\\n" % (value, end, value, columns - 1))

    def run_of(self, record: re.Pattern[bytes]) -> re.Pattern[bytes]:
        """Returns what a run of such records matches, as long as it goes, without any comment."""
        comment = b"(?!%s)" % re.escape(self.comment) if self.comment else b""
        return re.compile(_repeated(comment + record.pattern))

    def fields(self, record: bytes) -> list[bytes]:
        """Returns the raw fields of one record, without its line end."""
        text = record.removesuffix(b"\n").removesuffix(b"\r")
        if self.quote is None or self.quote not in text:
            return text.split(self.delimiter)
        found, at = [], 0
        while True:
            match = self._field.match(text, at)
            assert match is not None, "a record is made of fields"
            found.append(match[0])
            at = match.end() + 1
            if at > len(text):
                return found

    def value(self, raw: bytes) -> bytes:
        """Returns what a raw field says: without its quotes."""
        quote = self.quote
        if quote is None or not (len(raw) > 1 and raw.startswith(quote) and raw.endswith(quote)):
            return raw
        return raw[1:-1].replace(quote * 2, quote)

    def is_well_formed(self, raw: bytes) -> bool:
        """Tells whether nothing follows the closing quote of a raw field."""
        found = self._stray.match(raw) if self._stray else None
        return self._stray is None or (found is not None and found.end() == len(raw))

    def quoted(self, raw: bytes) -> bytes:
        """Returns a raw field with stray quotes as a quoted one that says the same; any other as it is."""
        quote = self.quote
        if quote is None or quote not in raw or raw.startswith(quote):
            return raw
        return quote + raw.replace(quote, quote * 2) + quote
