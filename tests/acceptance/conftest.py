"""Places that do not let write: a full disk and a folder that is read-only, both to be mended by the test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from batchrun.testing.disk import SmallDisk
from tests.support.places import Folder, mounted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 128 KiB, which `set(64 << 20)` makes larger."""
    with mounted(tmp_path / "disk", 128 << 10) as mount:
        yield mount


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder that lets read only; permission bits do not bind root, so for root it is a mount."""
    path = tmp_path / "read-only"
    with ExitStack() as stack:
        mount = stack.enter_context(mounted(path, 64 << 20)) if os.geteuid() == 0 else None
        path.mkdir(exist_ok=True)
        folder = Folder(path, mount)
        folder.set_writable(False)
        yield folder
        folder.set_writable(True)
