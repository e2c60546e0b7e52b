"""The part file: an output that grows hidden beside its target, is cut back on a restart, and published at once.

What a restart needs is the length that was on disk with the last committed chunk; whatever a crash left behind it is
cut off, so each item is in the file exactly once.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from batchrun.components.files.written_file import WrittenFile, refuse_device
from batchrun.errors import OutputError
from batchrun.spi.scope import ComponentScope

_NO_NAME = re.compile(r"[^\w.-]")


def part_tag(scope: ComponentScope) -> str:
    """Returns what tells this step's part file from that of any other step, instance or repository."""
    return f"{scope.repository_id[:8]}-{scope.instance_id}-{scope.step_name}"


class PartFile(WrittenFile):
    """The file `.NAME.TAG.part` that becomes NAME, locked against any other process; a link stays one."""

    def __init__(self, target: Path, name: str, tag: str) -> None:
        """Names the files and opens none; `tag` tells the part files of different steps and instances apart."""
        if target.is_symlink():
            target = Path(os.path.realpath(target))
        super().__init__(target.with_name(f".{target.name}.{_NO_NAME.sub('_', tag)}.part"), name)
        self._target = target
        self._is_new = False

    def reserve(self) -> None:
        """Locks the part file and leaves it as it is; makes one where there is none, which `close` takes away again.

        So whoever waits for the lock can ask, before a byte is cut, whether the file is still its own.

        Raises:
            OutputError: the folder is missing or not writable, another process writes the file, or it is none.
        """
        with self._named():
            if self._target.is_dir():
                raise OutputError(f"{self.name}: it is a folder")
            refuse_device(self._target, self.name)
            self._open()

    def begin(self) -> None:
        """Begins an empty part file, whatever an earlier attempt left.

        Raises:
            OutputError: as `reserve`.
        """
        if self._descriptor is None:
            self.reserve()
        self._is_new = False
        self.cut(0)

    def resume(self, size: int) -> None:
        """Goes on behind the first `size` bytes, and cuts off what follows them.

        Raises:
            OutputError: the part file is gone or shorter than that, or another process writes it.
        """
        if self._descriptor is None:
            self.reserve()
        if self._is_new:
            raise OutputError(
                f"{self.name}: the unfinished output {self.path} is gone, so the step cannot go on in it",
                hint="launch the job as a new instance",
            )
        with self._named():
            found = os.fstat(self._file).st_size
            if found < size:
                raise OutputError(
                    f"{self.name}: the unfinished output {self.path} has {found} bytes, "
                    f"but the step had written {size}",
                    hint="launch the job as a new instance",
                )
            self.cut(size)

    @property
    def is_begun(self) -> bool:
        """Tells whether there is an unfinished output in the file; if not, it was published, or never begun."""
        return not self._is_new

    def read_at(self, place: int, count: int) -> bytes:
        """Returns so many bytes from a place on, fewer at the end."""
        with self._named():
            return os.pread(self._file, count, place)

    def publish(self) -> None:
        """Gives the file its name, in place of what had it; does nothing where that has been done.

        Raises:
            OutputError: there is neither a part file nor the target.
        """
        if self._descriptor is None:
            self.reserve()
        with self._named():
            if self._is_new:
                if self._target.exists():
                    return
                raise OutputError(f"{self.name}: the finished output {self.path} is gone")
            os.fsync(self._file)
            os.replace(self.path, self._target)
            self._sync_folder()

    def close(self) -> None:
        """Closes the file and gives up the lock; a part file that was begun and not published stays for a restart."""
        if self._descriptor is not None:
            if self._is_new:
                with suppress(OSError):
                    os.unlink(self.path)
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        """Opens and locks the part file; opens it again where it was published or removed before the lock came."""
        while True:
            self._is_new, descriptor = self._made_or_found()
            try:
                self._lock(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            with suppress(FileNotFoundError):
                if os.fstat(descriptor).st_ino == os.stat(self.path).st_ino:
                    self._descriptor = descriptor
                    return
            os.close(descriptor)

    def _made_or_found(self) -> tuple[bool, int]:
        flags = os.O_RDWR | os.O_CLOEXEC
        while True:
            with suppress(FileExistsError):
                return True, os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            with suppress(FileNotFoundError):
                return False, os.open(self.path, flags)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"{self.name}: another process is writing it ({self.path} is locked)") from error

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Says of a missing folder which it is."""
        with super()._named():
            try:
                yield
            except FileNotFoundError as error:
                if (folder := self._target.parent).is_dir():
                    raise
                raise OutputError(f"{self.name}: there is no folder {folder}") from error
