"""The reject sink `csv`: skipped items as delimited text, for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Annotated

from batchrun.components.files.reject_file import FileRejectSink, Placed, default_path
from batchrun.components.reject_records import as_document, from_document
from batchrun.spi import Capabilities, ComponentScope, ComponentSpec, Options, component, option
from batchrun.spi.rejects import RejectRecord

_COLUMNS = (*RejectRecord.__dataclass_fields__, "types")
_NUMBERS = ("number", "instance_id", "run", "execution_id")
_JSON = ("item", "types")
_NULLABLE = ("origin", "raw", "item")


class CsvRejectOptions(Options):
    """Options of the reject sink `csv`."""

    path: Annotated[
        str | None,
        option(
            "The file, one for each job instance; by default `.batchrun/rejects/REPOSITORY/INSTANCE/STEP.csv`.",
            examples=["rejects/trades-${params.day}.csv"],
        ),
    ] = None


SPEC = ComponentSpec(
    role="reject_sink",
    name="csv",
    summary="Keeps rejects as delimited text with a header.",
    options=CsvRejectOptions,
    capabilities=Capabilities(restartable=True, truncating=True),
    example="type: csv\npath: rejects/trades-${params.day}.csv\n",
    description="""\
The columns are those of the sink `json_lines`; the item and the types of its values are JSON. The file can be read
while the step runs. Records are on disk before their chunk is committed, and a restart cuts the file back to the last
commit, so every reject is in it exactly once. Without any reject there is no file.
""",
)


@component(SPEC)
class CsvRejectSink(FileRejectSink):
    """Appends records to a file."""

    def __init__(self, options: CsvRejectOptions, scope: ComponentScope) -> None:
        super().__init__(options.path or default_path(scope, "csv"), scope)

    def head(self) -> bytes:
        """Returns the header."""
        return _line(list(_COLUMNS))

    def encode(self, records: Sequence[RejectRecord]) -> bytes:
        """Returns records as lines."""
        return b"".join(_line([_text(name, as_document(each)[name]) for name in _COLUMNS]) for each in records)

    def decode(self, path: Path) -> Iterator[Placed]:
        """Yields the records behind the header; a last one that is not whole is none."""
        with path.open("rb") as file:
            lines = file.readlines()  # ended by newlines only: a return may stand inside of a text
        starts = [0, *accumulate(map(len, lines))]
        reader = csv.reader(line.decode() for line in lines if line.endswith(b"\n"))
        header = _next(reader) or []
        start = reader.line_num
        while (cells := _next(reader)) is not None:
            if cells:
                yield Placed(from_document(_document(header, cells)), starts[start])
            start = reader.line_num


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    """Returns the next cells, however long, or None behind the last; leaves the limit of others as it is."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


def _line(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if name in _JSON else str(value)


def _document(header: list[str], fields: list[str]) -> dict[str, object]:
    if len(fields) != len(header):
        raise ValueError(f"it has {len(fields)} fields, and the header {len(header)}")
    cells = dict(zip(header, fields, strict=True))
    document: dict[str, object] = dict(cells)
    document |= {name: int(cells[name]) for name in _NUMBERS}
    document |= {name: json.loads(cells[name]) for name in _JSON if cells[name]}
    return {**document, **{name: None for name in _NULLABLE if not cells[name]}}
