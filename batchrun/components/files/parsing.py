"""Parses blocks of a CSV file into typed frames: fast where all is well, else by finding the records that are bad.

The fast way trusts the parser only where it cannot be wrong: no NUL bytes, no record too short (the parser fills one
with nulls, silently), no value lost in a conversion. Everything else is examined: the records are split by the exact
rule of the dialect, the bad ones become ParseErrors, and the good ones go through the same parser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchrun.components.conversion import convert, lost, unconverted, wire_type, with_its_mark
from batchrun.components.files.blocks import Block
from batchrun.components.files.dialect import Dialect, RecordKind
from batchrun.components.files.layout import Layout
from batchrun.components.files.parsed import ParsedBlock, numbered
from batchrun.errors import ItemError, ParseError
from batchrun.spi.chunk import Item
from batchrun.spi.item import RawItem

if TYPE_CHECKING:
    import polars as pl

_MAX_RAW = 1 << 16  # of a record that does not end; one that does is kept whole, to be replayed
_LOST = "\N{REPLACEMENT CHARACTER}"


class BlockParser:
    """Parses the blocks of one file."""

    def __init__(self, dialect: Dialect, layout: Layout, name: str, encoding: str) -> None:
        """Begins a parser; `name` is the file as the user named it, for origins."""
        import polars as pl

        self.one_column = len(layout.columns) == 1
        self._dialect = dialect
        self._layout = layout
        self._name = name
        self._encoding = encoding
        self._typed = [each for each in layout.columns if each.kind.name != "string"]
        self._wire = {each.name: wire_type(each.kind) for each in layout.columns}
        self._texts: dict[str, pl.DataType] = {each.name: pl.String() for each in layout.columns}
        self._empty_is_null = "" in dialect.null_values
        self._null_values = [value for value in dialect.null_values if value]
        self._delimiter = dialect.delimiter.decode()
        self._plain_record = dialect.plain_record(len(layout.columns) or 1)
        self._plain_run = dialect.run_of(self._plain_record)

    def parse(self, block: Block) -> ParsedBlock | None:
        """Returns the items of a block, or None where it ends inside a record, so that it must be cut again."""
        frame = self._fast(block.data)
        if frame is not None:
            return ParsedBlock(block, frame, frame.height)
        if (found := self._well_shaped(block)) is not None:
            return found
        return self._examine(block)

    def parse_raw(self, raws: Sequence[RawItem]) -> list[Item | ItemError]:
        """Returns the item of each record's text, or what is wrong with it.

        All at once where each text is one record also among the others, else one after the other. A text that has lost
        bytes is none: its item would be written with what stands for them.
        """
        whole = [each for each in raws if _LOST not in each.text]
        made = iter(self._parse_whole(whole) if whole else [])
        lost_bytes = ParseError(f"the text holds {_LOST}, where there were bytes that are no text")
        return [_told_of(lost_bytes, each) if _LOST in each.text else next(made) for each in raws]

    def _parse_whole(self, raws: Sequence[RawItem]) -> list[Item | ItemError]:
        data = b"".join(_record(each) for each in raws)
        parsed = self.parse(Block(0, 1, data, data, True))
        is_one_each = (
            parsed is not None
            and parsed.count == len(raws)
            and all(
                parsed.record(place, self._dialect, self.one_column)[1].rstrip(b"\r\n") == _record(each).rstrip(b"\r\n")
                for place, each in enumerate(raws)
            )
        )
        if parsed is not None and is_one_each:
            errors, items = dict(parsed.errors), iter(parsed.frame.to_dicts())
            return [
                _told_of(errors[place], each) if place in errors else next(items) for place, each in enumerate(raws)
            ]
        if len(raws) > 1:
            return [made for each in raws for made in self._parse_whole([each])]
        return [_told_of(parsed.errors[0][1] if parsed and parsed.errors else None, raws[0])]

    # --- the fast way --------------------------------------------------------------------------------

    def _fast(self, data: bytes) -> pl.DataFrame | None:
        import polars as pl

        if b"\0" in data:
            return None
        try:
            wire = self._read(data, self._wire)
        except pl.exceptions.PolarsError:
            return None
        if not self._is_complete(data, wire):
            return None
        frame = convert(wire, self._typed)
        if unconverted(frame, wire, self._typed):
            return None
        return frame.select(self._layout.output)

    def _read(self, data: bytes, schema: dict[str, pl.DataType], *, lenient: bool = False) -> pl.DataFrame:
        import polars as pl

        dialect = self._dialect
        return pl.read_csv(
            with_its_mark(data),
            has_header=False,
            schema=schema,
            separator=self._delimiter,
            quote_char=dialect.quote.decode() if dialect.quote else None,
            comment_prefix=dialect.comment.decode() if dialect.comment else None,
            null_values=self._null_values or None,
            empty_string_is_null=self._empty_is_null,
            ignore_errors=lenient,
        )

    def _is_complete(self, data: bytes, wire: pl.DataFrame) -> bool:
        """Tells whether no record is too short, and the last one ends.

        A short one has null in its last column, or an empty text. A last field that is opened and not closed may be a
        null or a number to the parser.
        """
        import polars as pl

        last = wire[:, -1]
        if not self._ends_closed(data):
            return False
        suspects = last.null_count()
        if not self._empty_is_null and last.dtype == pl.String:
            suspects += int((last == "").sum())
        if self.one_column or not suspects:
            return True
        dialect = self._dialect
        if dialect.comment and (data.startswith(dialect.comment) or b"\n" + dialect.comment in data):
            return False
        return data.count(dialect.delimiter) == wire.height * (wire.width - 1) + self._quoted_delimiters(data, wire)

    def _ends_closed(self, data: bytes) -> bool:
        """Tells whether the last line closes what it opens."""
        line = data[data.rfind(b"\n", 0, -1) + 1 :]
        quote = self._dialect.quote
        return quote is None or quote not in line or self._dialect.complete_end(line) == len(line)

    def _quoted_delimiters(self, data: bytes, wire: pl.DataFrame) -> int:
        """Returns how many delimiters are part of a value; -1, which fits no count, where that cannot be told."""
        import polars as pl

        quote = self._dialect.quote
        if quote is None or quote not in data:
            return 0
        if self._delimiter in "+-.eE0123456789 " or any(self._delimiter in value for value in self._null_values):
            return -1
        counts = wire.select(pl.col(pl.String).str.count_matches(self._delimiter, literal=True).sum())
        return sum(value for value in counts.row(0) if value) if counts.width else 0

    # --- the examination -----------------------------------------------------------------------------

    def _well_shaped(self, block: Block) -> ParsedBlock | None:
        """Returns the items of a block whose records have all their fields, though not all their values; else None.

        So a few bad values cost two more passes of the parser, and no work on each record.
        """
        import polars as pl

        data = block.data
        if b"\0" in data:
            return None
        try:
            typed, text = self._leniently(data)
        except pl.exceptions.PolarsError:
            return None
        if typed.height != text.height or not self._is_complete(data, text):
            return None
        frame, refused = self._without_refused(typed, text)
        found = ParsedBlock(block, frame, text.height)
        for row, message in refused.items():
            line, record = found.record(row, self._dialect, self.one_column)
            found.add(row, self._error(message, line, record))
        return found

    def _examine(self, block: Block) -> ParsedBlock | None:
        """Returns the items of a block in which records are bad, or None where it ends inside of one.

        Records that are plainly well shaped are passed over in runs, so that only the others cost work one by one.
        """
        data, at, line, place = block.data, 0, block.line, 0
        errors: dict[int, ParseError] = {}
        places: list[int] = []
        cleaned: list[bytes] = []
        is_clean = b"\0" not in data and _is_utf8(data)
        while at < len(data):
            end = self._plain_end(data, at) if is_clean else at
            if end > at:
                places += range(place, place := place + self._count(data, at, end))
                cleaned.append(data[at:end])
            else:
                kind, _, end = next(self._dialect.records(data, at))
                if kind is RecordKind.UNCLOSED and not block.is_last:
                    return None
                if self._is_record(kind):
                    outcome = self._shape(data[at:end], kind, is_clean)
                    if isinstance(outcome, str):
                        errors[place] = self._error(outcome, line, data[at:end], kind)
                    else:
                        places.append(place)
                        cleaned.append(outcome)
                    place += 1
            line += data.count(b"\n", at, end)
            at = end
        return self._found(block, place, places, cleaned, errors)

    def _plain_end(self, data: bytes, at: int) -> int:
        """Returns where the run of well-shaped records ends that begins here."""
        run = self._plain_run.match(data, at)
        assert run is not None, "a run may be empty"
        return run.end()

    def _count(self, data: bytes, start: int, end: int) -> int:
        """Returns the number of well-shaped records between."""
        quote = self._dialect.quote
        if quote is None or data.find(quote, start, end) < 0:
            return data.count(b"\n", start, end)
        return sum(1 for _ in self._plain_record.finditer(data, start, end))

    def _is_record(self, kind: RecordKind) -> bool:
        return kind in (RecordKind.ITEM, RecordKind.UNCLOSED) or (self.one_column and kind is RecordKind.BLANK)

    def _found(
        self, block: Block, count: int, places: list[int], cleaned: list[bytes], errors: dict[int, ParseError]
    ) -> ParsedBlock:
        """Returns the items of well-shaped records, whose places are given, with the errors of all others."""
        frame, refused = self._values(cleaned, len(places))
        found = ParsedBlock(block, frame, count)
        for row, message in refused.items():
            line, record = found.record(places[row], self._dialect, self.one_column)
            errors[places[row]] = self._error(message, line, record)
        for place, error in sorted(errors.items()):
            found.add(place, error)
        return found

    def _shape(self, record: bytes, kind: RecordKind, is_utf8: bool) -> bytes | str:
        """Returns the record as the parser takes it, or what is wrong with its shape."""
        if kind is RecordKind.UNCLOSED:
            return "a quoted field is not closed: it reaches from here to the end of the file"
        if b"\0" in record:
            return f"the record holds a NUL byte, so it is hardly {self._encoding} text"
        if not is_utf8 and not _is_utf8(record):
            return f"the record holds bytes that are not {self._encoding}"
        if self._plain_record.fullmatch(record):
            return record
        dialect, expected = self._dialect, len(self._layout.columns)
        fields = dialect.fields(record)
        if len(fields) != expected:
            return _count_message(len(fields), expected)
        for column, raw in zip(self._layout.columns, fields, strict=True):
            if not dialect.is_well_formed(raw):
                return f"column {column.name!r}: text follows the closing quote: {raw.decode()!r}"
        return dialect.delimiter.join(dialect.quoted(raw) for raw in fields) + b"\n"

    def _values(self, runs: list[bytes], count: int) -> tuple[pl.DataFrame, dict[int, str]]:
        """Returns the items of so many well-shaped records, and what is wrong with the others, by their number."""
        import polars as pl

        data = b"".join(runs)
        try:
            frame, text = self._leniently(data)
        except pl.exceptions.PolarsError:
            return self._one_by_one(data)
        if not frame.height == text.height == count:
            return self._one_by_one(data)
        return self._without_refused(frame, text)

    def _leniently(self, data: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Returns the typed values, null where a text is not of the type, and the texts."""
        text = self._read(data, self._texts)
        return convert(self._read(data, self._wire, lenient=True), self._typed), text

    def _without_refused(self, frame: pl.DataFrame, text: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
        refusals: dict[int, list[str]] = {}
        for column in self._typed:
            gone = lost(frame[column.name], text[column.name])
            for row in gone.arg_true().to_list() if gone.any() else ():
                refusals.setdefault(row, []).append(column.refusal(text[column.name][row]))
        if refusals:
            frame = frame[[row for row in range(frame.height) if row not in refusals]]
        return frame.select(self._layout.output), {row: "; ".join(each) for row, each in sorted(refusals.items())}

    def _one_by_one(self, data: bytes) -> tuple[pl.DataFrame, dict[int, str]]:
        """Parses each record by itself, where the parser refuses them all together."""
        import polars as pl

        records = [data[start:end] for (_, start, end), _ in numbered(data, 0, self._dialect, self.one_column)]
        empty = self._values([], 0)[0]
        if len(records) == 1:
            return empty, {0: "the record cannot be parsed"}
        frames, refusals = [empty], {}
        for row, record in enumerate(records):
            frame, refused = self._values([record], 1)
            frames.append(frame)
            if refused:
                refusals[row] = refused[0]
        return pl.concat(frames), refusals

    def _error(self, message: str, line: int, record: bytes, kind: RecordKind = RecordKind.ITEM) -> ParseError:
        record = record[:_MAX_RAW] if kind is RecordKind.UNCLOSED else record
        raw = record.decode(errors="replace").removesuffix("\n").removesuffix("\r")
        return ParseError(message, origin=f"{self._name}:{line}", raw=raw)


def _record(raw: RawItem) -> bytes:
    return raw.text.encode("utf-8", "replace") + b"\n"


def _told_of(error: ParseError | None, raw: RawItem) -> ParseError:
    """Returns an error with the origin and the text of the record that it is about."""
    message = "the text is not one record" if error is None else error.reason
    return ParseError(message, origin=raw.origin, raw=raw.text)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeError:
        return False
    return True


def _count_message(count: int, expected: int) -> str:
    return f"{count} field{'' if count == 1 else 's'} where {expected} {'is' if expected == 1 else 'are'} expected"
