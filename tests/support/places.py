"""Places that a test can close to writing, and mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchrun.testing.disk import CannotMountError, SmallDisk, small_disk


@dataclass(frozen=True)
class Folder:
    """A folder that may be read-only."""

    path: Path
    mount: SmallDisk | None

    def set_writable(self, writable: bool) -> None:
        if self.mount is None:
            self.path.chmod(0o755 if writable else 0o555)
        else:
            self.mount.set_writable(writable)


@contextmanager
def mounted(path: Path, size: int) -> Iterator[SmallDisk]:
    """Gives a disk of so many bytes; skips the test where this process may not mount one."""
    try:
        with small_disk(path, size) as disk:
            yield disk
    except CannotMountError as error:
        pytest.skip(str(error))
