"""A file that grows while others read it: each chunk's lines are durable with its commit, what was not goes again.

Whoever opens it gives it a new inode, with the committed bytes alone. So a process that was taken over, and did not
notice yet, writes into a file that has no name any more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from batchrun.components.files.source import reason
from batchrun.errors import OutputError


class GrowingFile:
    """A file that one step appends to.

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
        self._synced = 0

    def open(self, size: int) -> None:
        """Makes the file that of this process, with its first `size` bytes; one that there is not yet is made.

        Raises:
            OutputError: it cannot be written, or has become shorter than that.
        """
        with self._named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            taken = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
            try:
                self._descriptor = os.open(taken, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
                self._copy(size)
                os.fsync(self._descriptor)
                os.replace(taken, self.path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(taken)
                raise
            self._sync_folder()
        self.size = self._synced = size

    def write(self, data: bytes) -> None:
        """Appends the bytes.

        Raises:
            OutputError: they cannot be written, or another process has taken the file.
        """
        with self._named():
            if os.fstat(self._file).st_nlink == 0:
                raise OutputError(
                    f"{self.name}: another process has taken the file, or removed it",
                    hint="each job instance needs a file of its own",
                )
            rest = memoryview(data)
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
        self.size = self._synced = size

    def close(self) -> None:
        """Closes the file; one that stayed empty goes."""
        if self._descriptor is None:
            return
        if not self.size and os.fstat(self._descriptor).st_nlink:
            with suppress(OSError):
                os.unlink(self.path)
        os.close(self._descriptor)
        self._descriptor = None

    @property
    def _file(self) -> int:
        assert self._descriptor is not None, "the file is open"
        return self._descriptor

    def _copy(self, size: int) -> None:
        if not size:
            return
        found = self.path.stat().st_size if self.path.exists() else 0
        if found < size:
            raise OutputError(
                f"{self.name}: it has {found} bytes, but the step had written {size}",
                hint="give the file back as it was, or launch the job as a new instance",
            )
        with self.path.open("rb") as source, os.fdopen(os.dup(self._file), "wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.truncate(size)
        os.lseek(self._file, size, os.SEEK_SET)

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self.name}: {reason(error)}") from error
