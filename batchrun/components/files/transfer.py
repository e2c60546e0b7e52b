"""Does one thing to one file, so that doing it again after a crash leaves what doing it once leaves.

A target is written hidden and then gets its name at once; a source goes only when the target has its name.
"""

from __future__ import annotations

import errno
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from batchrun.components.files.part_file import PartFile
from batchrun.components.files.source import FileSource, reason
from batchrun.errors import MissingExtraError, OutputError, StepStoppedError

Action = Literal["copy", "move", "delete", "compress", "decompress"]
Format = Literal["gzip", "zstd"]

SUFFIXES: dict[Format, str] = {"gzip": ".gz", "zstd": ".zst"}
_BLOCK_BYTES = 1 << 20
_GZIP_WINDOW = 31


@dataclass(frozen=True, slots=True)
class Transfer:
    """What happens to each file of a step.

    Attributes:
        action: what.
        format: of what `compress` writes.
        keep: the source stays when it has been compressed or decompressed.
        tag: tells the hidden files of this step from those of others.
        should_stop: asked between two blocks of a file.
    """

    action: Action
    format: Format
    keep: bool
    tag: str
    should_stop: Callable[[], bool]

    @property
    def removes(self) -> bool:
        """Tells whether the source is gone afterwards."""
        return self.action in ("move", "delete") or (self.action in ("compress", "decompress") and not self.keep)

    def target_name(self, name: str) -> str | None:
        """Returns the name of what becomes of a file, or None where it cannot be decompressed."""
        if self.action == "compress":
            return name + SUFFIXES[self.format]
        if self.action == "decompress":
            ending = next((each for each in SUFFIXES.values() if name.lower().endswith(each)), None)
            return name[: -len(ending)] if ending and len(name) > len(ending) else None
        return name

    def is_done(self, source: Path, target: Path | None) -> bool:
        """Tells whether it has been done to a file, as far as that can be seen."""
        return self.removes and not os.path.lexists(source) and (target is None or target.exists())

    def do(self, source: Path, target: Path | None) -> None:
        """Does it to one file.

        Raises:
            OutputError: the system refuses; names the file.
            InputError: the file is damaged, and cannot be decompressed.
            StepStoppedError: a stop was asked for while the file was read; the target has not got its name.
        """
        try:
            if target is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._make(source, target)
            elif self.removes:
                source.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{error.filename or source}: {reason(error)}") from error

    def _make(self, source: Path, target: Path) -> None:
        if self.action == "move":
            try:
                os.rename(source, target)
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
        self._write(source, target)
        shutil.copystat(source, target)
        if self.removes:
            source.unlink()

    def _write(self, source: Path, target: Path) -> None:
        part = PartFile(target, str(target), self.tag)
        try:
            part.begin()
            for block in self._blocks(source):
                part.write(block)
                if self.should_stop():
                    raise StepStoppedError(f"{source} was not finished because of the stop")
            part.publish()
        finally:
            part.close()

    def _blocks(self, source: Path) -> Iterator[bytes]:
        if self.action == "decompress":
            yield from _decompressed(source)
            return
        with source.open("rb") as file:
            blocks = _read(file)
            yield from blocks if self.action != "compress" else _compressed(blocks, self.format)


def sync_folders(paths: Iterable[Path]) -> None:
    """Makes durable what was renamed into, or removed from, the folders of these files."""
    for folder in {path.parent for path in paths if path.parent.is_dir()}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block


def _decompressed(source: Path) -> Iterator[bytes]:
    file = FileSource(source, str(source))
    try:
        while block := file.read(_BLOCK_BYTES):
            yield block
    finally:
        file.close()


def _compressed(blocks: Iterable[bytes], format: Format) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=_GZIP_WINDOW) if format == "gzip" else _zstd_compressor()
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()


def _zstd_compressor() -> Any:
    try:
        from compression.zstd import ZstdCompressor  # type: ignore[import-not-found, unused-ignore]  # Python 3.14

        return ZstdCompressor()
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError("writing a .zst file", "zstd") from error
    return zstandard.ZstdCompressor().compressobj()
