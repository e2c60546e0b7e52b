"""The tasklet `files`."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchrun.components.files import transfer
from batchrun.components.tasklets import files as component
from batchrun.errors import InputError, TaskletError
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from tests.unit.components.tasklets.bench import make, problems


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def write(folder: Path, **contents: str) -> None:
    for name, text in contents.items():
        path = folder / f"{name.replace('__', '/')}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def call(
    folder: Path, context: dict[str, Any], should_stop: Callable[[], bool] = lambda: False, **options: Any
) -> tuple[RepeatStatus | None, StepContribution]:
    """Makes one call on a tasklet of its own, as a restart does."""
    contribution = StepContribution(context=context)
    return make(folder, "files", should_stop=should_stop, **options).execute(contribution), contribution


def finish(folder: Path, context: dict[str, Any] | None = None, **options: Any) -> StepContribution:
    """Calls until it has finished."""
    contribution = StepContribution(context=context or {})
    tasklet = make(folder, "files", **options)
    assert tasklet.open() is None
    while tasklet.execute(contribution) is RepeatStatus.CONTINUABLE:
        pass
    tasklet.close()
    return contribution


def test_it_copies_what_a_pattern_finds(tmp_path: Path) -> None:
    write(tmp_path, a="1", b="2", sub__c="3")
    (tmp_path / "a.csv").chmod(0o640)
    os.utime(tmp_path / "a.csv", (1_000_000, 1_000_000))
    contribution = finish(tmp_path, action="copy", files="*.csv", to="out/new")
    assert tree(tmp_path) == {"a.csv": "1", "b.csv": "2", "out/new/a.csv": "1", "out/new/b.csv": "2", "sub/c.csv": "3"}
    assert (contribution.counts.read, contribution.counts.write) == (2, 2)
    kept = (tmp_path / "out/new/a.csv").stat()
    assert (kept.st_mtime, kept.st_mode & 0o777) == (1_000_000, 0o640)


def test_it_moves_one_file_under_another_name(tmp_path: Path) -> None:
    write(tmp_path, a="1")
    finish(tmp_path, action="move", files="a.csv", to=str(tmp_path / "out"), name="b.csv")
    assert tree(tmp_path) == {"out/b.csv": "1"}


def test_it_moves_to_another_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(_source: Path, _target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    write(tmp_path, a="1")
    monkeypatch.setattr(transfer.os, "rename", rename)
    finish(tmp_path, action="move", files="a.csv", to="out")
    assert tree(tmp_path) == {"out/a.csv": "1"}


def test_it_deletes(tmp_path: Path) -> None:
    write(tmp_path, a="1", b="2", sub__c="3")
    assert finish(tmp_path, action="delete", files=["**/*.csv", "b.csv"]).counts.write == 3
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(("format", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_it_compresses_and_decompresses(tmp_path: Path, format: str, suffix: str) -> None:
    text = "a line\n" * 500_000
    write(tmp_path, a=text, empty="")
    finish(tmp_path, action="compress", files="*.csv", format=format)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.csv{suffix}", f"empty.csv{suffix}"]
    assert (tmp_path / f"a.csv{suffix}").stat().st_size < 20_000
    if format == "gzip":
        assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode() == text
    finish(tmp_path, action="decompress", files=f"*{suffix}", to="out", keep=True)
    assert tree(tmp_path / "out") == {"a.csv": text, "empty.csv": ""}
    assert (tmp_path / f"a.csv{suffix}").exists()


def test_a_damaged_file_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"text" * 1000)[:-10])
    with pytest.raises(InputError, match=r"a\.gz is damaged or incomplete"):
        finish(tmp_path, action="decompress", files="a.gz")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["a.gz"]


def test_what_is_not_compressed_cannot_be_decompressed(tmp_path: Path) -> None:
    write(tmp_path, a="1")
    with pytest.raises(TaskletError, match=r"a\.csv is not compressed by gzip or zstd"):
        finish(tmp_path, action="decompress", files="a.csv")


def test_a_target_in_the_way_fails_is_replaced_or_skips(tmp_path: Path) -> None:
    write(tmp_path, a="1", b="2", out__a="old")
    with pytest.raises(TaskletError, match=r"out/a\.csv is there already"):
        finish(tmp_path, action="move", files="*.csv", to="out")
    assert tree(tmp_path / "out") == {"a.csv": "old"}
    skipping = finish(tmp_path, action="copy", files="*.csv", to="out", if_exists="skip")
    assert (skipping.counts.filter, skipping.counts.write) == (1, 1)
    assert tree(tmp_path / "out") == {"a.csv": "old", "b.csv": "2"}
    finish(tmp_path, action="move", files="*.csv", to="out", if_exists="replace")
    assert tree(tmp_path) == {"out/a.csv": "1", "out/b.csv": "2"}


def test_a_pattern_that_finds_nothing_fails_or_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, a="1")
    with pytest.raises(TaskletError, match=r"there is no file \*\.txt"):
        finish(tmp_path, action="delete", files=["*.csv", "*.txt"])
    assert finish(tmp_path, action="delete", files=["*.csv", "*.txt"], missing="ignore").counts.write == 1


def test_a_name_with_the_signs_of_a_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("1")
    finish(tmp_path, action="move", files="a[1].csv", to="out")
    assert tree(tmp_path) == {"out/a[1].csv": "1"}


def test_two_files_never_become_one(tmp_path: Path) -> None:
    write(tmp_path, x__a="1", y__a="2")
    with pytest.raises(TaskletError, match=r"x/a\.csv and y/a\.csv would both become out/a\.csv"):
        finish(tmp_path, action="copy", files="*/a.csv", to="out", if_exists="replace")
    with pytest.raises(TaskletError, match="`name` is for one file, and there are 2"):
        finish(tmp_path, action="copy", files="*/a.csv", to="out", name="b")


@pytest.mark.parametrize("action", ["copy", "move", "delete", "compress"])
def test_a_call_made_again_after_a_crash_is_harmless(tmp_path: Path, action: str) -> None:
    """Each call is made twice with the same context, as a restart does whose process died before it was saved."""
    options: dict[str, Any] = {"action": action, "files": "*.csv"}
    if action != "delete":
        options["to"] = "out"
    once, twice = tmp_path / "once", tmp_path / "twice"
    for folder in (once, twice):
        folder.mkdir()
        write(folder, a="1", b="2", c="3")
    finish(once, **options)
    context: dict[str, Any] = {}
    status: RepeatStatus | None = RepeatStatus.CONTINUABLE
    while status is RepeatStatus.CONTINUABLE:
        call(twice, dict(context), **options)
        status, contribution = call(twice, dict(context), **options)
        context = contribution.context
    assert contribution.counts.write == 3
    assert {name: (twice / name).read_bytes() for name in map(str, twice.rglob("*")) if Path(name).is_file()} == {
        str(twice / path.relative_to(once)): path.read_bytes() for path in once.rglob("*") if path.is_file()
    }


def test_what_disappears_before_it_was_done_is_told(tmp_path: Path) -> None:
    write(tmp_path, a="1")
    _, planned = call(tmp_path, {}, action="copy", files="a.csv", to="out")
    (tmp_path / "a.csv").unlink()
    with pytest.raises(TaskletError, match=r"a\.csv is gone"):
        call(tmp_path, planned.context, action="copy", files="a.csv", to="out")
    _, ignored = call(tmp_path, planned.context, action="copy", files="a.csv", to="out", missing="ignore")
    assert ignored.counts.write == 0


def test_many_files_take_many_calls_and_a_stop_between_two_files_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component, "_FILES_A_CALL", 2)
    write(tmp_path, a="1", b="2", c="3")
    options: dict[str, Any] = {"action": "move", "files": "*.csv", "to": "out"}
    _, planned = call(tmp_path, {}, **options)
    stop_after_one = iter([False, True])
    status, stopped = call(tmp_path, planned.context, lambda: next(stop_after_one), **options)
    assert (status, stopped.counts.write) == (RepeatStatus.CONTINUABLE, 1)
    assert tree(tmp_path) == {"b.csv": "2", "c.csv": "3", "out/a.csv": "1"}
    assert finish(tmp_path, stopped.context, **options).counts.write == 2
    assert tree(tmp_path) == {"out/a.csv": "1", "out/b.csv": "2", "out/c.csv": "3"}


def test_a_stop_within_a_file_leaves_no_half_target(tmp_path: Path) -> None:
    write(tmp_path, a="1" * 3_000_000)
    options: dict[str, Any] = {"action": "copy", "files": "*.csv", "to": "out"}
    _, planned = call(tmp_path, {}, **options)
    stop_within = iter([False, False, True])
    status, stopped = call(tmp_path, planned.context, lambda: next(stop_within), **options)
    assert (status, stopped.counts.write) == (RepeatStatus.CONTINUABLE, 0)
    assert not (tmp_path / "out" / "a.csv").exists()
    finish(tmp_path, stopped.context, **options)
    assert tree(tmp_path / "out") == {"a.csv": "1" * 3_000_000}


def test_options_that_do_not_fit_are_told() -> None:
    assert problems("files", action="copy", files="a") == ["copy needs `to`"]
    assert problems("files", action="delete", files="", to="b") == ["there is no file", "delete has no use for 'to'"]
