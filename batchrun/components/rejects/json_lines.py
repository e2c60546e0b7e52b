"""The reject sink `json_lines`: skipped items as JSON objects, one a line; what a step has that names no other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from batchrun.components.files.reject_file import FileRejectSink, Placed, default_path
from batchrun.components.reject_records import as_document, from_document
from batchrun.spi import Capabilities, ComponentScope, ComponentSpec, Options, component, option
from batchrun.spi.rejects import RejectRecord


class JsonLinesRejectOptions(Options):
    """Options of the reject sink `json_lines`."""

    path: Annotated[
        str | None,
        option(
            "The file, one for each job instance; by default `.batchrun/rejects/REPOSITORY/INSTANCE/STEP.jsonl`.",
            examples=["rejects/trades-${params.day}.jsonl"],
        ),
    ] = None


SPEC = ComponentSpec(
    role="reject_sink",
    name="json_lines",
    summary="Keeps rejects as JSON objects, one a line.",
    options=JsonLinesRejectOptions,
    capabilities=Capabilities(restartable=True, truncating=True),
    example="type: json_lines\npath: rejects/trades-${params.day}.jsonl\n",
    description="""\
Each line has the job, step, execution, phase, origin, error and message, the raw text of an item that could not be
read or else the item, under `types` the types of its values that JSON has no form for, and the time. The file can be
read while the step runs. Lines are on disk before their chunk is committed, and a restart cuts the file back to the
last commit, so every reject is in it exactly once. Without any reject there is no file. A step without `rejects` has
this sink.
""",
)


@component(SPEC)
class JsonLinesRejectSink(FileRejectSink):
    """Appends JSON objects to a file."""

    def __init__(self, options: JsonLinesRejectOptions, scope: ComponentScope) -> None:
        super().__init__(options.path or default_path(scope, "jsonl"), scope)

    def encode(self, records: Sequence[RejectRecord]) -> bytes:
        """Returns records as lines."""
        return b"".join(json.dumps(as_document(each), ensure_ascii=False).encode() + b"\n" for each in records)

    def decode(self, path: Path) -> Iterator[Placed]:
        """Yields the records of whole lines; blank ones are skipped."""
        start = 0
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n") and line.strip():
                    yield Placed(from_document(json.loads(line)), start)
                start += len(line)
