"""A file that is appended to, made durable, and cut back: what the files that steps write have in common."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchrun.components.files.source import reason
from batchrun.errors import OutputError

_NEVER = -1


def refuse_device(path: Path, name: str) -> None:
    """Refuses what no file may take the name of: root could, and the whole machine would miss it.

    Args:
        path: where a file is to get its name by a rename.
        name: as the user named it.

    Raises:
        OutputError: a device or a pipe has the name.
    """
    if os.path.realpath(path.parent) == "/dev" or (path.exists() and not path.is_file()):
        raise OutputError(f"{name}: it is a device or a pipe, and no file")


class WrittenFile:
    """A file by its descriptor, which those who derive from it open and close.

    Attributes:
        path: where it is.
        name: the file as the user named it, for messages.
        size: bytes written, durable or not.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Names the file, and opens nothing."""
        self.path = path
        self.name = name
        self.size = 0
        self._descriptor: int | None = None
        self._synced = _NEVER

    def write(self, data: bytes | memoryview) -> None:
        """Appends the bytes.

        Raises:
            OutputError: they cannot be written, such as on a full disk.
        """
        rest = memoryview(data)
        with self._named():
            while rest:
                written = os.write(self._file, rest)
                self.size += written
                rest = rest[written:]

    def sync(self) -> int:
        """Makes what is written durable, and returns the length."""
        if self._synced != self.size:
            with self._named():
                os.fsync(self._file)
            self._synced = self.size
        return self.size

    def cut(self, size: int) -> None:
        """Drops what follows the first `size` bytes."""
        with self._named():
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)
        self.size = size
        self._synced = _NEVER

    @property
    def _file(self) -> int:
        assert self._descriptor is not None, "the file is open"
        return self._descriptor

    def _sync_folder(self) -> None:
        """Makes the file's name durable."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turns an error of the system into one that names the file and the reason."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self.name}: {reason(error)}") from error
