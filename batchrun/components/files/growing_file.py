"""A file that grows while others read it: each chunk's lines are durable with its commit, what was not goes again.

Whoever opens it gives it a new inode, with the committed bytes alone. So a process that was taken over, and did not
notice yet, writes into a file that has no name any more.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

from batchrun.components.files.written_file import WrittenFile, refuse_device
from batchrun.errors import OutputError


class GrowingFile(WrittenFile):
    """A file that one step appends to."""

    def open(self, size: int) -> None:
        """Makes the file that of this process, with its first `size` bytes; one that there is not yet is made.

        Raises:
            OutputError: it cannot be written, or has become shorter than that.
        """
        with self._named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            refuse_device(self.path, self.name)
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

    def write(self, data: bytes | memoryview) -> None:
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
        super().write(data)

    def close(self) -> None:
        """Closes the file; one that stayed empty goes."""
        if self._descriptor is None:
            return
        if not self.size and os.fstat(self._descriptor).st_nlink:
            with suppress(OSError):
                os.unlink(self.path)
        os.close(self._descriptor)
        self._descriptor = None

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
