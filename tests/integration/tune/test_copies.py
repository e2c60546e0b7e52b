"""The folder of copies, where what befalls a command between two calls cannot be aimed at from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchrun.copies.making import Copies
from batchrun.copies.subject import Subject


def test_a_folder_that_was_made_a_moment_ago_goes_with_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def interrupted(path: str, mode: int = 0o777) -> None:
        made(path, mode)
        seen.append(Path(path).parent)
        raise KeyboardInterrupt

    made = os.mkdir
    monkeypatch.setattr(os, "mkdir", interrupted)
    copies = Copies(Subject("load", tmp_path, tmp_path / "load.yaml", {}))
    with pytest.raises(KeyboardInterrupt), copies.made(tmp_path):
        pass
    assert seen == [tmp_path]
    assert list(tmp_path.iterdir()) == []
