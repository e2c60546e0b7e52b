"""The part file of a Parquet output: row groups, each with what a footer needs to say of it, and in the end the footer.

A Parquet file ends in one footer that tells where each row group is, so it cannot be cut back and gone on with. The
part file can: each chunk is a record of its own, made of a whole small Parquet file: a head with two lengths, its row
groups, its footer. At the end the footers of all records become one, with all places counted from the file's
beginning; the bytes of the row groups are written once and never again. What lies between row groups is nothing to a
reader.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from batchrun.components.files.parquet_footer import LENGTH, MAGIC, NUM_ROWS, ROW_GROUPS, cut_footer
from batchrun.components.files.part_file import PartFile
from batchrun.components.files.thrift import Fields, Kind, Values, parsed, written

_HEAD = struct.Struct("<4sQI")
_HEAD_MARK = b"brg1"
_MAX_ORDINAL = 2**15 - 1

# Numbers of fields, by the struct that has them.
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7  # RowGroup
_COLUMN_OFFSET, _META_DATA, _INDEXES = 2, 3, (4, 5, 6, 7)  # ColumnChunk
_PLACES = (9, 10, 11, 14)  # ColumnMetaData: of data, index and dictionary pages, and of the bloom filter


@dataclass(frozen=True, slots=True)
class Record:
    """A chunk in the part file.

    Attributes:
        groups: the place of its row groups in the file.
        footer: the footer of the small file that it came from.
        end: the place behind it.
    """

    groups: int
    footer: bytes
    end: int


def record_of(file: bytes) -> bytes:
    """Returns a whole Parquet file as a record."""
    groups, footer = cut_footer(file)
    return b"".join([_HEAD.pack(_HEAD_MARK, len(groups), len(footer)), groups, footer])


def schema_file(record: Record) -> bytes:
    """Returns a Parquet file without rows, to read the schema from; what it says of rows is not to be followed."""
    return b"".join([MAGIC, record.footer, LENGTH.pack(len(record.footer)), MAGIC])


def records(part: PartFile) -> Iterator[Record]:
    """Yields the records of a part file; none where it is shorter than its first bytes."""
    at = len(MAGIC)
    while len(head := part.read_at(at, _HEAD.size)) == _HEAD.size:
        mark, groups, footer = _HEAD.unpack(head)
        if mark != _HEAD_MARK:
            return
        begin = at + _HEAD.size
        at = begin + groups + footer
        yield Record(begin, part.read_at(begin + groups, footer), at)


def end_file(part: PartFile, nothing: bytes) -> None:
    """Makes the part file a Parquet file; may be called again where it was interrupted.

    Args:
        part: with all records committed; whatever is behind them is the beginning of a footer.
        nothing: the file that stands for no records at all.
    """
    merged: Fields | None = None
    groups: list[bytes] = []  # as they will be written, for there may be very many
    rows = end = 0
    for record in records(part):
        footer = parsed(record.footer)
        for group in footer.get(ROW_GROUPS).values:
            _move(group, record.groups - len(MAGIC), len(groups))
            groups.append(written(group))
        rows += footer.get(NUM_ROWS)
        merged, end = merged or footer, record.end
    if merged is None:
        part.cut(0)
        part.write(nothing)
        return
    merged.replace(NUM_ROWS, rows)
    merged.replace(ROW_GROUPS, Values(Kind.STRUCT, groups))
    last = written(merged)
    part.cut(end)
    part.write(last + LENGTH.pack(len(last)) + MAGIC)


def _move(group: Fields, shift: int, ordinal: int) -> None:
    """Counts all places of a row group from the beginning of another file.

    Its page indexes, which are optional and hold places too, are left out.
    """
    _shift(group, _GROUP_OFFSET, shift)
    if group.get(_ORDINAL) is not None and ordinal <= _MAX_ORDINAL:
        group.replace(_ORDINAL, ordinal)
    elif ordinal > _MAX_ORDINAL:
        group.drop(_ORDINAL)
    for column in group.get(_COLUMNS).values:
        column.drop(*_INDEXES)
        _shift(column, _COLUMN_OFFSET, shift)
        meta_data = column.get(_META_DATA)
        for place in _PLACES:
            _shift(meta_data, place, shift)


def _shift(value: Fields, number: int, shift: int) -> None:
    place = value.get(number)
    if place:  # 0 stands for none
        value.replace(number, place + shift)
