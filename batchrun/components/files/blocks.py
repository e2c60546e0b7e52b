"""Blocks: a CSV stream in pieces of some MiB that end where a record ends, so that each can be parsed by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from batchrun.components.files.dialect import Dialect
from batchrun.components.files.source import FileSource
from batchrun.errors import InputError

MAX_RECORD_BYTES = 256 << 20
UNDECODABLE = b"\xff"
"""Stands in a decoded line for bytes that are not of the encoding; it is not UTF-8, so the line is refused later."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the stream, from the beginning of a record to the end of one.

    Attributes:
        offset: of its first byte in the stream.
        line: number of its first line in the file, from 1.
        raw: its bytes as they are in the stream.
        data: the same in UTF-8, ending with a newline.
        is_last: nothing follows it.
    """

    offset: int
    line: int
    raw: bytes
    data: bytes
    is_last: bool

    @property
    def end(self) -> int:
        """Offset behind its last byte."""
        return self.offset + len(self.raw)


class BlockCutter:
    """Cuts the stream of a source into blocks, beginning where the source stands.

    A cut is at a newline with an even number of quotes before it. Where stray quotes mislead that count, the parser
    fails on the block, and `recut` asks the exact rule of the dialect. A record longer than a block makes the block
    longer.

    Attributes:
        offset: of the next block in the stream.
        line: of the next block in the file.
    """

    def __init__(self, source: FileSource, dialect: Dialect, block_bytes: int, line: int, encoding: str) -> None:
        """Begins a cutter.

        Args:
            source: stands at the beginning of a record.
            dialect: tells where records end.
            block_bytes: usual size of a block.
            line: number of the line at which the source stands.
            encoding: of the stream's bytes, one that `is_cut_safe`.
        """
        self.offset = source.offset
        self.line = line
        self._source = source
        self._dialect = dialect
        self._block_bytes = block_bytes
        self._encoding = encoding
        self._rest = b""
        self._ended = False

    def next(self) -> Block | None:
        """Returns the next block, or None at the end.

        Raises:
            InputError: the source cannot be read, or a record is longer than any may be.
        """
        return self._next(self._cut)

    def recut(self, block: Block) -> Block:
        """Takes back the block just given, which ends inside a record, and returns one that does not."""
        self._rest = block.raw + self._rest
        self.offset, self.line = block.offset, block.line
        again = self._next(self._dialect.complete_end)
        assert again is not None, "what was taken back comes again"
        return again

    def _next(self, cut: Callable[[bytes], int]) -> Block | None:
        size, data = self._block_bytes, self._rest
        while not self._ended:
            data = self._filled(data, size)
            if not self._ended and (end := cut(data)):
                return self._block(data, end)
            if size > MAX_RECORD_BYTES:
                raise InputError(
                    f"{self._source.name}:{self.line}: a record that begins here does not end within "
                    f"{MAX_RECORD_BYTES >> 20} MiB",
                    hint="a quote is not closed; where quotes mean nothing, set quote: null",
                )
            size *= 2
        return self._block(data, len(data)) if data else None

    def _filled(self, data: bytes, size: int) -> bytes:
        missing = size - len(data)
        if missing <= 0:
            return data
        piece = self._source.read(missing)
        self._ended = len(piece) < missing
        return data + piece if data else piece

    def _block(self, data: bytes, end: int) -> Block:
        raw = data[:end] if end < len(data) else data
        self._rest = data[end:]
        block = Block(self.offset, self.line, raw, self._text(raw), self._ended and not self._rest)
        self.offset += end
        self.line += raw.count(b"\n")
        return block

    def _cut(self, data: bytes) -> int:
        end = data.rfind(b"\n") + 1
        quote = self._dialect.quote
        if not end or quote is None or quote not in data:  # `in` is many times faster than `count`
            return end
        odd = data.count(quote, 0, end) % 2
        while odd and end:
            before = data.rfind(b"\n", 0, end - 1) + 1
            odd ^= data.count(quote, before, end) % 2
            end = before
        return end or self._dialect.complete_end(data)

    def _text(self, raw: bytes) -> bytes:
        if not raw.endswith(b"\n"):
            raw += b"\n"
        if self._encoding == "utf-8":
            return raw
        try:
            return raw.decode(self._encoding).encode()
        except UnicodeError:
            return b"".join(self._line_text(line) for line in raw.split(b"\n"))[:-1]

    def _line_text(self, line: bytes) -> bytes:
        try:
            return line.decode(self._encoding).encode() + b"\n"
        except UnicodeError:
            return UNDECODABLE + line.decode(self._encoding, "replace").encode() + b"\n"
