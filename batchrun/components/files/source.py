"""Byte sources: a plain, compressed or otherwise encoded file as a stream of bytes that a restart can go on in.

Offsets count in the stream that is read. A plain file seeks to one; a compressed or decoded stream reads forward.
"""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from batchrun.errors import InputError, MissingExtraError

_SKIP_BYTES = 1 << 20
_ZSTD_PIECE_BYTES = 1 << 13  # little, as nothing bounds what it decompresses to

# Multi-byte encodings in whose characters no byte is below 0x30, so that line ends, quotes and commas stand out.
_MULTIBYTE = frozenset(
    (
        "gb2312",
        "gbk",
        "gb18030",
        "big5",
        "big5hkscs",
        "cp949",
        "cp950",
        "euc_kr",
        "euc_jp",
        "shift_jis",
        "cp932",
        "johab",
    )
)


def is_cut_safe(encoding: str, marks: bytes) -> bool:
    """Tells whether text in the encoding can be cut before it is decoded: a newline and the marks are found as bytes.

    Args:
        encoding: as codecs knows it.
        marks: the ASCII characters that the cutter looks for, such as quote and delimiter.
    """
    name = codecs.lookup(encoding).name
    if name == "utf-8":
        return True
    if name in _MULTIBYTE:
        return all(mark < 0x30 for mark in marks)
    try:
        text = bytes(range(256)).decode(encoding, "replace")
    except (UnicodeError, LookupError):
        return False
    return len(text) == 256 and text[:128].isascii() and text[:128].encode() == bytes(range(128))


class FileSource:
    """An input file, open.

    Attributes:
        name: the file as the user named it, for messages.
        size: its bytes on disk.
        offset: where the stream stands.
        seeks: it goes to an offset without reading what lies before it.
    """

    def __init__(self, path: Path, name: str, encoding: str = "utf-8") -> None:
        """Opens the file.

        Args:
            path: the file; `.gz` and `.zst` are decompressed.
            name: the file as the user named it.
            encoding: of the text where it must be decoded as a stream, else `utf-8`: the bytes are given as they are.

        Raises:
            InputError: it cannot be opened.
            MissingExtraError: `.zst` needs a library that is not installed.
        """
        self.name = name
        self.offset = 0
        try:
            self._raw = path.open("rb", buffering=0)
        except OSError as error:
            raise InputError(f"{name}: {reason(error)}") from error
        try:
            self.size = os.fstat(self._raw.fileno()).st_size
            opened = _decompressed(self._raw, path.suffix.lower())
            self._stream: Any = opened if opened is not None else self._raw
            self.seeks = opened is None and encoding == "utf-8"
            if encoding != "utf-8":
                self._stream = _Decoded(self._stream, encoding)
        except BaseException:
            self._raw.close()
            raise

    def read(self, size: int) -> bytes:
        """Returns `size` bytes, fewer only at the end.

        Raises:
            InputError: the file is damaged, or cannot be read.
        """
        parts: list[bytes] = []
        missing = size
        while missing > 0:
            piece = self._guarded(self._stream.read, missing)
            if not piece:
                break
            parts.append(piece)
            missing -= len(piece)
            self.offset += len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def go_to(self, offset: int) -> None:
        """Goes to an offset that is not before the one where the stream stands.

        Raises:
            InputError: the stream ends before it.
        """
        if self.seeks:
            if offset > self.size:
                raise self._shorter(self.size, offset)
            self.offset = self._guarded(self._stream.seek, offset)
            return
        while self.offset < offset:
            if not self.read(min(_SKIP_BYTES, offset - self.offset)):
                raise self._shorter(self.offset, offset)

    def progress(self) -> int:
        """Returns how many of the file's bytes on disk have been taken."""
        return self.offset if self.seeks else self._raw.tell()

    def close(self) -> None:
        """Closes the file."""
        if self._stream is not self._raw:
            self._stream.close()
        self._raw.close()

    def _shorter(self, size: int, offset: int) -> InputError:
        return InputError(
            f"{self.name} has changed: it ends at byte {size}, and the step had read it up to byte {offset}",
            hint="give the file back as it was, or launch the job as a new instance",
        )

    def _guarded(self, action: Callable[[int], Any], number: int) -> Any:
        try:
            return action(number)
        except UnicodeError as error:
            raise InputError(f"{self.name}, near byte {self.offset}: {error}") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{self.name} is damaged or incomplete near byte {self.offset}: {error}") from error
        except OSError as error:
            raise InputError(f"{self.name}: {reason(error)}") from error
        except Exception as error:
            if type(error).__name__ == "ZstdError":
                raise InputError(f"{self.name} is damaged near byte {self.offset}: {error}") from error
            raise


def reason(error: OSError) -> str:
    """Returns what an OSError says, in lower case at the start and without path and number."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


class _Decoded:
    """A stream in another encoding, as UTF-8."""

    def __init__(self, stream: Any, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and not self._ended:
            piece = self._stream.read(size)
            self._ended = not piece
            self._ready += self._decoder.decode(piece, final=self._ended).encode()
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def close(self) -> None:
        self._stream.close()


def _decompressed(raw: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    return _zstd(raw) if suffix == ".zst" else None


def _zstd(raw: IO[bytes]) -> Any:
    try:
        from compression.zstd import ZstdFile  # type: ignore[import-not-found, unused-ignore]  # Python 3.14

        return ZstdFile(raw)
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError("reading a .zst file", "zstd") from error
    return _ZstdStream(raw, zstandard.ZstdDecompressor().decompressobj)


class _ZstdStream:
    """Decompresses frame by frame; the library's own reader takes a file that was cut off for a whole one."""

    def __init__(self, raw: IO[bytes], new_frame: Callable[[], Any]) -> None:
        self._raw = raw
        self._new_frame = new_frame
        self._frame: Any = None
        self._ready = b""

    def read(self, size: int) -> bytes:
        while not self._ready:
            piece = self._raw.read(_ZSTD_PIECE_BYTES)
            if not piece:
                if self._frame is not None:
                    raise EOFError("the last frame is cut off")
                return b""
            self._ready = self._decompressed(piece)
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def close(self) -> None:
        self._frame = None

    def _decompressed(self, piece: bytes) -> bytes:
        parts = []
        while piece:
            if self._frame is None:
                self._frame = self._new_frame()
            parts.append(self._frame.decompress(piece))
            piece = b""
            if self._frame.eof:
                piece, self._frame = self._frame.unused_data, None
        return b"".join(parts)
