"""The writer `json_lines`: items as JSON objects, one a line, published when the step is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from batchrun.components.files.encoding import json_lines
from batchrun.components.files.part_file import PartFile, part_tag
from batchrun.domain.execution import JsonObject
from batchrun.spi import Capabilities, CheckpointStore, Chunk, ComponentScope, ComponentSpec, Options, component, option


class JsonLinesWriterOptions(Options):
    """Options of the writer `json_lines`."""

    path: Annotated[str, option("The file to write; it appears when the step is done.", examples=["out/trades.jsonl"])]


SPEC = ComponentSpec(
    role="writer",
    name="json_lines",
    summary="Writes items as JSON objects, one a line.",
    options=JsonLinesWriterOptions,
    capabilities=Capabilities(restartable=True, truncating=True),
    example="type: json_lines\npath: out/trades.jsonl\n",
    description="""\
The file grows hidden beside its path, as `.NAME.REPOSITORY-INSTANCE-STEP.part`, and takes its name when the step is
done; a restart cuts it back to the last commit, so every item is in it exactly once. A decimal is a number with all
its digits. Dates and times are ISO 8601 text, a timestamp in UTC, binary is hexadecimal text. A float that is no
number or infinite is null, as JSON has no word for it. A step without items writes an empty file.
""",
)


@dataclass(frozen=True, slots=True)
class EncodedItems:
    """A chunk as bytes."""

    lines: bytes
    count: int


@component(SPEC)
class JsonLinesItemWriter:
    """Appends chunks to a part file."""

    def __init__(self, options: JsonLinesWriterOptions, scope: ComponentScope) -> None:
        self._part = PartFile(scope.path(options.path), options.path, part_tag(scope))

    def connect(self) -> CheckpointStore | None:
        """Locks the part file, and cuts nothing yet; it has no transactions."""
        self._part.reserve()
        return None

    def open(self, state: JsonObject | None) -> None:
        """Begins the part file, or cuts it back to the last commit."""
        if state is None:
            self._part.begin()
        else:
            self._part.resume(state["bytes"])

    def prepare(self, chunk: Chunk) -> EncodedItems:
        """Returns the chunk as bytes."""
        return EncodedItems(json_lines(chunk.frame), len(chunk))

    def write(self, prepared: EncodedItems) -> int:
        """Appends the bytes."""
        self._part.write(prepared.lines)
        return prepared.count

    def state(self) -> JsonObject | None:
        """Makes the file durable and returns its length."""
        return {"bytes": self._part.sync()}

    def finish(self) -> None:
        """Publishes the file."""
        self._part.publish()

    def close(self) -> None:
        """Closes the file, and leaves it for a restart where it is not published."""
        self._part.close()
