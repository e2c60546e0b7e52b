"""The writer `csv`: items as delimited text, published when the step is done."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import Annotated

from batchrun.components.files.columns import columns_problems
from batchrun.components.files.encoding import csv_lines
from batchrun.components.files.part_file import PartFile, part_tag
from batchrun.domain.execution import JsonObject
from batchrun.errors import WriteError
from batchrun.spi import (
    Capabilities,
    CheckpointStore,
    Chunk,
    ComponentScope,
    ComponentSpec,
    Options,
    OptionsProblem,
    component,
    option,
)


class CsvWriterOptions(Options):
    """Options of the writer `csv`."""

    path: Annotated[str, option("The file to write; it appears when the step is done.", examples=["out/trades.csv"])]
    delimiter: Annotated[str, option("The character between two fields.", examples=[";", "\t"])] = ","
    header: Annotated[bool, option("Writes a first record with the columns' names.")] = True
    columns: Annotated[
        list[str] | None, option("The columns to write, in this order; left out: all, as they come.")
    ] = None
    null_text: Annotated[str, option("The text of a null, which is never quoted.", examples=["NULL"])] = ""
    encoding: Annotated[str, option("The file's encoding.", format="encoding")] = "utf-8"

    def check(self) -> list[OptionsProblem]:
        """Returns what no single option's type can say."""
        problems = []
        if not (len(self.delimiter) == 1 and self.delimiter.isascii() and self.delimiter not in '\r\n"\0'):
            message = f"delimiter must be one ASCII character other than the quote, got {self.delimiter!r}"
            problems.append(OptionsProblem(message, ("delimiter",)))
        problems += columns_problems(self.columns, "leave it out to write all")
        if any(character in self.null_text for character in f'\r\n"{self.delimiter}'):
            message = f"null_text is never quoted, so it cannot be {self.null_text!r}, which a field is quoted for"
            problems.append(OptionsProblem(message, ("null_text",)))
        if _marks_byte_order(self.encoding):
            message = f"encoding {self.encoding!r} begins each text with a byte order mark"
            problems.append(OptionsProblem(message, ("encoding",), "say utf-8, or utf-16-le"))
        return problems


def _marks_byte_order(encoding: str) -> bool:
    try:
        return len("aa".encode(encoding)) != 2 * len("a".encode(encoding))
    except LookupError:
        return False


SPEC = ComponentSpec(
    role="writer",
    name="csv",
    summary="Writes items as delimited text.",
    options=CsvWriterOptions,
    capabilities=Capabilities(restartable=True, truncating=True),
    example="type: csv\npath: out/trades.csv\n",
    description="""\
The file grows hidden beside its path, as `.NAME.REPOSITORY-INSTANCE-STEP.part`, and takes its name when the step is
done; a restart cuts it back to the last commit, so every item is in it exactly once. Fields are quoted where they
must be; an empty string is quoted, a null is not. Dates and times are ISO 8601, a timestamp in UTC, binary
hexadecimal, decimals with all their digits. A step without items writes an empty file, or the header where `columns`
names the columns.
""",
)


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """A chunk as bytes, with the header that the file has if it begins with this chunk."""

    header: bytes
    records: bytes
    columns: tuple[str, ...]
    count: int


@component(SPEC)
class CsvItemWriter:
    """Appends chunks to a part file."""

    def __init__(self, options: CsvWriterOptions, scope: ComponentScope) -> None:
        self._options = options
        self._encoding = codecs.lookup(options.encoding).name
        self._part = PartFile(scope.path(options.path), options.path, part_tag(scope))
        self._columns: tuple[str, ...] | None = tuple(options.columns) if options.columns else None

    def connect(self) -> CheckpointStore | None:
        """Locks the part file, and cuts nothing yet; it has no transactions."""
        self._part.reserve()
        return None

    def open(self, state: JsonObject | None) -> None:
        """Begins the part file, with the header where the columns are known, or cuts it back to the last commit."""
        if state is None:
            self._part.begin()
            if self._columns is not None:
                self._part.write(self._header(self._columns))
            return
        self._part.resume(state["bytes"])
        if state["columns"] is not None:
            self._columns = tuple(state["columns"])

    def prepare(self, chunk: Chunk) -> EncodedChunk:
        """Returns the chunk as bytes."""
        frame = chunk.frame
        columns = tuple(self._options.columns or frame.columns)
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise WriteError(f"the items have no column {missing[0]!r}", origin=chunk.span)
        try:
            records = csv_lines(frame.select(columns), delimiter=self._options.delimiter, null=self._options.null_text)
            return EncodedChunk(self._header(columns), self._encoded(records), columns, len(chunk))
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise WriteError(f"{character!r} is not in {self._options.encoding}", origin=chunk.span) from error
        except WriteError as error:
            raise WriteError(error.reason, origin=chunk.span) from error

    def write(self, prepared: EncodedChunk) -> int:
        """Appends the bytes, after the header where the file is empty."""
        if self._columns is None:
            self._columns = prepared.columns
        if self._columns != prepared.columns:
            raise WriteError(
                f"the items have the columns {', '.join(prepared.columns)}, but those before had "
                f"{', '.join(self._columns)}"
            )
        if self._part.size == 0:
            self._part.write(prepared.header)
        self._part.write(prepared.records)
        return prepared.count

    def state(self) -> JsonObject | None:
        """Makes the file durable and returns its length and columns."""
        return {"bytes": self._part.sync(), "columns": list(self._columns) if self._columns else None}

    def finish(self) -> None:
        """Publishes the file."""
        self._part.publish()

    def close(self) -> None:
        """Closes the file, and leaves it for a restart where it is not published."""
        self._part.close()

    def _header(self, columns: tuple[str, ...]) -> bytes:
        if not self._options.header:
            return b""
        line = io.StringIO()
        csv.writer(line, delimiter=self._options.delimiter, lineterminator="\n").writerow(columns)
        return line.getvalue().encode(self._encoding)

    def _encoded(self, records: bytes) -> bytes:
        return records if self._encoding == "utf-8" else records.decode().encode(self._encoding)
