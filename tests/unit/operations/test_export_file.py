"""Where an export goes that is to be written to what is no plain file."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

from batchrun.operations.export_file import Export, write_export

EXPORT = Export("project", ())


def test_a_pipe_is_written_to_and_keeps_its_name(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    read: list[bytes] = []
    reader = Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_export(pipe, EXPORT)
    reader.join(10)
    assert b"batchrun-export" in read[0]
    assert pipe.is_fifo()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "state.json")
    for _ in range(2):
        write_export(tmp_path / "link.json", EXPORT)
        assert (tmp_path / "link.json").is_symlink()
        assert b"batchrun-export" in (tmp_path / "state.json").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["link.json", "state.json"]
