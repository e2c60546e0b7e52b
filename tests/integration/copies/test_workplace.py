"""Copies of a project's files: all but the large ones, which are read where they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from batchrun.copies import workplace
from batchrun.copies.workplace import Workplace, copy_project, copy_small, link_large


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    (tmp_path / "project" / "data").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    return Workplace(tmp_path / "work", tmp_path / "project", "", "")


def test_a_large_file_is_an_empty_one_in_the_copy_and_read_where_it_is(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workplace, "LARGEST_COPIED", 10)
    for name, text in (("large", "x" * 11), ("small", "x" * 10), ("empty", "")):
        (place.original / "data" / name).write_text(text)
    copy_project(place.original, place.project, copy_small)
    copy = place.project / "data"
    assert [(copy / name).stat().st_size for name in ("large", "small", "empty")] == [0, 10, 0]
    assert place.readable(copy / "large") == place.original / "data" / "large"
    for path in (copy / "small", copy / "empty", copy / "missing", place.original / "data" / "large"):
        assert place.readable(path) == path


def test_writing_to_a_copy_of_a_template_changes_no_original(place: Workplace) -> None:
    original = place.original / "data" / "large"
    original.write_bytes(b"x" * (2 << 20))
    template = place.folder / "template"
    copy_project(place.original, template, copy_small)
    shutil.copytree(template, place.project, copy_function=link_large)
    copy = place.project / "data" / "large"
    assert copy.samefile(template / "data" / "large")
    copy.write_bytes(b"other")
    assert original.read_bytes() == b"x" * (2 << 20)
