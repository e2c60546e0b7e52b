"""The reader `csv`: delimited text as typed columns, in blocks of bytes that a restart seeks to."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from batchrun.components.conversion import Column
from batchrun.components.files.blocks import BlockCutter
from batchrun.components.files.dialect import Dialect
from batchrun.components.files.layout import make_layout, read_head
from batchrun.components.files.parsed import ParsedBlock
from batchrun.components.files.parsing import BlockParser
from batchrun.components.files.source import FileSource, is_cut_safe
from batchrun.domain.execution import JsonObject
from batchrun.errors import InputError, ItemError, ParseError
from batchrun.spi import (
    Chunk,
    ComponentScope,
    ComponentSpec,
    Extent,
    Item,
    Options,
    OptionsProblem,
    RawItem,
    component,
    option,
)

if TYPE_CHECKING:
    import polars as pl


class CsvReaderOptions(Options):
    """Options of the reader `csv`."""

    path: Annotated[str, option("The file; `.gz` and `.zst` are decompressed.", examples=["data/trades.csv"])]
    delimiter: Annotated[str, option("The character between two fields.", examples=[";", "\t"])] = ","
    quote: Annotated[
        str | None, option("The character around a field that holds delimiters or line ends; null for none.")
    ] = '"'
    encoding: Annotated[str, option("The file's encoding.", format="encoding")] = "utf-8"
    header: Annotated[bool, option("The first record names the columns.")] = True
    columns: Annotated[
        dict[str, Annotated[str, option("The column's type.", format="column-type")]] | None,
        option(
            "Types by column; in the file's order where there is no header. Left out: all columns, as strings.",
            examples=[{"id": "integer", "price": "decimal(12,2)", "day": "date"}],
        ),
    ] = None
    undeclared: Annotated[
        Literal["error", "string", "drop"], option("What becomes of columns in the header that are not declared.")
    ] = "error"
    null_values: Annotated[
        list[str], option("Texts that mean null; the empty one only where it is not quoted.", examples=[["", "NA"]])
    ] = msgspec.field(default_factory=lambda: [""])
    comment: Annotated[str | None, option("Beginning of a line that is no record.", examples=["#"])] = None
    skip_lines: Annotated[int, option("Lines before the header that are not read.", unit="lines", ge=0)] = 0
    block_bytes: Annotated[
        int, option("How much is parsed at a time.", unit="bytes", advanced=True, ge=1, le=1 << 28)
    ] = 4 << 20

    def check(self) -> list[OptionsProblem]:
        """Returns what no single option's type can say."""
        problems = [
            OptionsProblem(f"{name} must be one ASCII character, got {value!r}", (name,))
            for name, value in (("delimiter", self.delimiter), ("quote", self.quote))
            if value is not None and not _is_mark(value)
        ]
        if self.delimiter == self.quote:
            problems.append(OptionsProblem("delimiter and quote are the same character", ("quote",)))
        if self.comment == "":
            problems.append(OptionsProblem("comment is empty", ("comment",), "leave it out for no comments"))
        if not self.header and not self.columns:
            problems.append(OptionsProblem("without a header the columns must be declared", ("columns",)))
        if self.columns is not None and not self.columns:
            problems.append(OptionsProblem("columns is empty", ("columns",), "leave it out to read all as strings"))
        return problems


def _is_mark(value: str) -> bool:
    return len(value) == 1 and value.isascii() and value not in "\r\n\0"


def _schema(options: CsvReaderOptions, _incoming: pl.Schema | None) -> pl.Schema | None:
    import polars as pl

    if options.columns is None or (options.header and options.undeclared == "string"):
        return None
    return pl.Schema({name: Column.parse(name, notation).kind.dtype for name, notation in options.columns.items()})


def _costs(options: Mapping[str, Any]) -> list[str]:
    marks = "".join(str(options.get(name, usual) or "") for name, usual in (("delimiter", ","), ("quote", '"')))
    marks += str(options.get("comment") or "")
    is_packed = str(options["path"]).endswith((".gz", ".zst"))
    if not is_packed and is_cut_safe(str(options.get("encoding", "utf-8")), marks.encode()):
        return []
    return ["a restart cannot seek: it reads the file up to its place, without parsing it"]


SPEC = ComponentSpec(
    role="reader",
    name="csv",
    summary="Reads delimited text, typed column by column.",
    options=CsvReaderOptions,
    schema=_schema,
    example="type: csv\npath: data/trades.csv\ncolumns: {trade_id: integer, price: 'decimal(12,2)', day: date}\n",
    description="""\
A record that has too few or too many fields, or a value that is not of its column's type, is a ParseError with the
file's line; nothing is guessed or rounded. Dates and times are ISO 8601 unless the type has a format, a datetime has
no offset, a timestamp without one is UTC. Booleans are true/false, t/f, yes/no, y/n, 1/0 in any case. Binary is
hexadecimal. A decimal may not have more digits than its type, trailing zeros apart.

A field is quoted where it begins with the quote, which stands doubled inside; elsewhere a quote is a character like
any other. Blank lines are skipped; in a file with one column a blank line is a null. A field of blanks that is no
string is null, quoted or not. An empty file has no items.

A restart seeks to the block that it stopped in; in a compressed file, and in an encoding such as UTF-16, it reads up
to there without parsing.
""",
    costs=_costs,
)


@component(SPEC)
class CsvItemReader:
    """Reads a CSV file block by block, and gives chunks cut out of the blocks' frames."""

    def __init__(self, options: CsvReaderOptions, scope: ComponentScope) -> None:
        self._options = options
        self._path = scope.path(options.path)
        self._dialect = Dialect(
            delimiter=options.delimiter.encode(),
            quote=options.quote.encode() if options.quote else None,
            comment=options.comment.encode() if options.comment else None,
            null_values=tuple(options.null_values),
        )
        encoding = codecs.lookup(options.encoding).name
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        marks = self._dialect.delimiter + (self._dialect.quote or b"") + (self._dialect.comment or b"")
        self._cut_safe = is_cut_safe(self._encoding, marks)
        self._source: FileSource | None = None
        self._current: ParsedBlock | None = None
        self._place = 0

    def open(self, position: JsonObject | None) -> Extent:
        """Reads the header, and goes to the position."""
        head_source = self._new_source()
        try:
            head = read_head(
                head_source,
                self._dialect,
                header=self._options.header,
                skip_lines=self._options.skip_lines,
                encoding=self._block_encoding,
            )
        finally:
            head_source.close()
        layout = make_layout(head, self._options.columns, self._options.undeclared, self._options.path)
        self._parser = BlockParser(self._dialect, layout, self._options.path, self._block_encoding)
        self._source = self._new_source()
        offset, line, place = head.offset, head.line, 0
        if position is not None:
            offset, line, place = position["offset"], position["line"], position["record"]
            self._go_to(offset, head.offset)
        else:
            self._source.go_to(offset)
        self._cutter = BlockCutter(self._source, self._dialect, self._options.block_bytes, line, self._block_encoding)
        self._current, self._place = None, 0
        self._skip(place)
        return Extent(self._source.size, "bytes")

    def read(self, limit: int) -> Chunk | None:
        """Returns the next `limit` items, cut out of one block or of several."""
        segments: list[Segment] = []
        errors: list[ParseError] = []
        missing = limit
        while missing > 0 and len(errors) < limit and (block := self._block()) is not None:
            row = block.row(self._place)
            taken = min(missing, block.frame.height - row)
            end = block.count if taken < missing else block.place(row + taken - 1) + 1
            errors += block.errors_between(self._place, end)
            segments.append(Segment(block, row, taken))
            self._place = end
            missing -= taken
        return self._chunk(segments, errors) if segments else None

    def describe_position(self, position: JsonObject) -> str:
        """Returns file and line of the next record; in a file that cannot be sought in, counted from a line before.

        Raises:
            InputError: the file is not there, or no record ends at the position any more.
        """
        try:
            source = self._new_source()
            source.close()
            if source.seeks:
                self.open(position)
                block = self._block()
                return f"{self._options.path}:{self._line_in(block)}" if block else f"the end of {self._options.path}"
        finally:
            self.close()
        line, records = position["line"], position["record"]
        behind = f"{records:,} record{'' if records == 1 else 's'} behind " if records else ""
        return f"{behind}{self._options.path}:{line}"

    def _line_in(self, block: ParsedBlock) -> int:
        return block.line(self._place, self._dialect, self._parser.one_column)

    def read_raw(self, raws: Sequence[RawItem]) -> list[Item | ItemError]:
        """Reads records from their texts, in the file's present layout."""
        return self._parser.parse_raw(raws)

    def close(self) -> None:
        """Closes the file."""
        if self._source is not None:
            self._source.close()
        self._source = self._current = None

    @property
    def _block_encoding(self) -> str:
        return self._encoding if self._cut_safe else "utf-8"

    def _new_source(self) -> FileSource:
        return FileSource(self._path, self._options.path, "utf-8" if self._cut_safe else self._encoding)

    def _go_to(self, offset: int, first: int) -> None:
        """Goes to where an earlier execution stopped, and sees that a record ends there still."""
        assert self._source is not None
        if offset == first:
            self._source.go_to(offset)
            return
        self._source.go_to(max(offset - 1, 0))
        if offset < first or (self._source.read(1) != b"\n" and self._source.read(1)):
            raise InputError(
                f"{self._options.path} has changed: no record ends at byte {offset}, where the step had stopped",
                hint="give the file back as it was, or launch the job as a new instance",
            )

    def _skip(self, places: int) -> None:
        """Goes past the records of the first block that an earlier execution had read."""
        while places and (block := self._block()) is not None:
            self._place = min(places, block.count)
            places -= self._place
        if places:
            raise InputError(
                f"{self._options.path} has changed: it has {places} records less than the step had read",
                hint="give the file back as it was, or launch the job as a new instance",
            )

    def _block(self) -> ParsedBlock | None:
        """Returns the block to go on in, the next one where all of the last has been taken."""
        while self._current is None or self._place >= self._current.count:
            block = self._cutter.next()
            if block is None:
                return None
            parsed = self._parser.parse(block)
            while parsed is None:
                parsed = self._parser.parse(self._cutter.recut(block))
            self._current, self._place = parsed, 0
        return self._current

    def _chunk(self, segments: Sequence[Segment], errors: Sequence[ParseError]) -> Chunk:
        import polars as pl

        frames = [each.block.frame.slice(each.row, each.rows) for each in segments]
        return Chunk(
            frame=frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=False),
            position=self._position(),
            origins=CsvOrigins(self._options.path, self._dialect, self._parser.one_column, segments),
            errors=errors,
            progress=self._progress(),
        )

    def _position(self) -> JsonObject:
        block = self._current
        if block is None or self._place >= block.count:
            return {"offset": self._cutter.offset, "line": self._cutter.line, "record": 0}
        return {"offset": block.block.offset, "line": block.block.line, "record": self._place}

    def _progress(self) -> int:
        block, source = self._current, self._source
        assert source is not None
        if not source.seeks:
            return source.progress()
        if block is None or self._place >= block.count:
            return self._cutter.offset
        return block.block.offset + len(block.block.raw) * self._place // block.count


@dataclass(frozen=True, slots=True)
class Segment:
    """Items of a chunk that come from one block: so many rows of its frame, from a row on."""

    block: ParsedBlock
    row: int
    rows: int


@dataclass(frozen=True, slots=True)
class CsvOrigins:
    """Lines of a chunk's items, found in the blocks' bytes only when somebody asks."""

    name: str
    dialect: Dialect
    one_column: bool
    segments: Sequence[Segment]

    def of(self, index: int) -> str:
        """Returns `name:line` of the item."""
        return f"{self.name}:{self._line(index)}"

    def span(self) -> str:
        """Returns `name:line-line` from the first item to the last."""
        count = sum(segment.rows for segment in self.segments)
        if not count:
            return self.name
        first, last = self._line(0), self._line(count - 1)
        return f"{self.name}:{first}" if first == last else f"{self.name}:{first}-{last}"

    def _line(self, index: int) -> int:
        for segment in self.segments:
            if index < segment.rows:
                place = segment.block.place(segment.row + index)
                return segment.block.line(place, self.dialect, self.one_column)
            index -= segment.rows
        raise IndexError(index)
