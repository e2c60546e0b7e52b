"""A small disk of its own, which a test fills and mends; on Linux, for those who may mount."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class CannotMountError(Exception):
    """This process may not mount a file system; a test is to be skipped then."""


@dataclass(frozen=True)
class SmallDisk:
    """A file system in memory.

    Attributes:
        path: its folder.
    """

    path: Path

    def set_size(self, size: int) -> None:
        """Makes the disk so many bytes large; what is on it stays."""
        self.set(f"size={size}")

    def set_writable(self, writable: bool) -> None:
        """Lets write, or read only."""
        self.set("rw" if writable else "ro")

    def set(self, options: str) -> None:
        """Mounts it anew with other options of tmpfs."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True, capture_output=True)


@contextmanager
def small_disk(path: Path, size: int = 128 << 10) -> Iterator[SmallDisk]:
    """Gives a disk of so many bytes at a path that must not exist yet; what is on it is gone afterwards.

    Raises:
        CannotMountError: this process may not mount, or the system has no tmpfs.
    """
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CannotMountError(f"there is no command {error.filename}") from error
    if ended.returncode:
        raise CannotMountError(f"{path} cannot be mounted: {ended.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True, capture_output=True)
