"""Places that a test can close to writing, and mend."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Mount:
    """A file system of its own in memory."""

    path: Path

    def set(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True, capture_output=True)


@dataclass(frozen=True)
class Folder:
    """A folder that may be read-only."""

    path: Path
    mount: Mount | None

    def set_writable(self, writable: bool) -> None:
        if self.mount is None:
            self.path.chmod(0o755 if writable else 0o555)
        else:
            self.mount.set("rw" if writable else "ro")


@contextmanager
def mounted(path: Path, options: str) -> Iterator[Mount]:
    """Mounts a file system in memory; skips the test where this process may not."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        pytest.skip(f"needs to mount a file system: {ended.stderr.strip()}")
    try:
        yield Mount(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True, capture_output=True)
