"""The layout of a CSV file: which columns stand in which place, and where the first record begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batchrun.components.conversion import BYTE_ORDER_MARK, Column
from batchrun.components.files.dialect import Dialect, RecordKind
from batchrun.components.files.source import FileSource
from batchrun.errors import InputError, did_you_mean
from batchrun.spi.columns import ColumnType

_FIRST_READ = 1 << 16
_MAX_HEADER_BYTES = 1 << 24
_STRING = ColumnType("string")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the records.

    Attributes:
        names: of the header, in the file's order; None where the file has no header or no line at all.
        offset: of the first record in the stream.
        line: number of the first record's line, from 1.
        header_line: number of the header's line.
    """

    names: tuple[str, ...] | None
    offset: int
    line: int
    header_line: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file.

    Attributes:
        columns: in the file's order, undeclared ones as strings.
        output: names of the items' columns: the declared ones in their order, then the undeclared ones that are kept.
    """

    columns: tuple[Column, ...]
    output: tuple[str, ...]


def read_head(source: FileSource, dialect: Dialect, *, header: bool, skip_lines: int, encoding: str) -> Head:
    """Reads what stands before the records, from the beginning of a source.

    Raises:
        InputError: the source cannot be read, or its header is not text.
    """
    size = _FIRST_READ
    data, ended = source.read(size), False
    while True:
        ended = len(data) < size
        text = data + b"\n" if ended else data
        head = _head(text, dialect, header=header, skip_lines=skip_lines, encoding=encoding, source=source)
        if head is not None:
            return Head(head.names, min(head.offset, len(data)), head.line, head.header_line)
        if ended:
            return Head(None, len(data), 1 + data.count(b"\n"))
        if size >= _MAX_HEADER_BYTES:
            raise InputError(f"{source.name}: no header ends within {size >> 20} MiB")
        data += source.read(size)
        size *= 2


def _head(
    data: bytes, dialect: Dialect, *, header: bool, skip_lines: int, encoding: str, source: FileSource
) -> Head | None:
    at, line = (len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0), 1
    for _ in range(skip_lines):
        at, line = data.find(b"\n", at) + 1, line + 1
        if not at:
            return None
    if not header:
        return Head(None, at, line)
    for kind, start, end in dialect.records(data, at):
        if kind is RecordKind.UNCLOSED:
            return None
        if kind is RecordKind.ITEM:
            names = _names(data[start:end], dialect, encoding, f"{source.name}:{line}")
            return Head(names, end, line + data.count(b"\n", start, end), line)
        line += data.count(b"\n", start, end)
    return None


def _names(record: bytes, dialect: Dialect, encoding: str, origin: str) -> tuple[str, ...]:
    try:
        names = tuple(dialect.value(raw).decode(encoding) for raw in dialect.fields(record))
    except UnicodeError as error:
        raise InputError(f"{origin}: the header is not {encoding} text: {error}", hint="set encoding") from error
    if any("\0" in name for name in names):
        raise InputError(f"{origin}: the header holds NUL bytes, so it is not {encoding} text", hint="set encoding")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{origin}: the header names {', '.join(map(repr, repeated))} more than once")
    return names


def make_layout(head: Head, declared: Mapping[str, str] | None, undeclared: str, name: str) -> Layout:
    """Lays the declared columns over those of the file.

    Args:
        head: of the file; without names the declared columns stand in their order.
        declared: types by column; None for all columns of the header, as strings.
        undeclared: what becomes of other columns in the header: `error`, `string` or `drop`.
        name: the file as the user named it.

    Raises:
        InputError: the header misses a declared column, or has one that is not declared.
    """
    columns = {column: Column.parse(column, notation) for column, notation in (declared or {}).items()}
    if head.names is None:
        return Layout(tuple(columns.values()), tuple(columns))
    origin = f"{name}:{head.header_line}"
    others = [each for each in head.names if each not in columns]
    if declared is None:
        undeclared = "string"
    _check_missing(columns, head.names, others, origin)
    if others and undeclared == "error":
        raise InputError(
            f"{origin}: the header has {_quoted(others)}, which {'is' if len(others) == 1 else 'are'} not declared",
            hint="declare it under columns, or set undeclared: drop (or string)",
        )
    kept = others if undeclared == "string" else []
    in_file = tuple(columns.get(each) or Column(each, _STRING, "string") for each in head.names)
    return Layout(in_file, (*columns, *kept))


def _check_missing(columns: Mapping[str, Column], names: Sequence[str], others: Sequence[str], origin: str) -> None:
    missing = [each for each in columns if each not in names]
    if not missing:
        return
    hint = did_you_mean(missing[0], others) or f"the header names {_quoted(names)}"
    raise InputError(f"{origin}: the header has no column {_quoted(missing)}", hint=hint)


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown
