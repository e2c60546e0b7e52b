"""Edits of a job file: one number is changed, all else stays, and the file is as right as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.definition import LoadedJob, load_job
from batchrun.definition.editing import Edit, Key, applied, edit_of, write_edits
from batchrun.domain.definition import ChunkDefinition
from batchrun.errors import UsageError
from batchrun.registry import Registry

PARTS = "reader: {type: csv, path: in.csv, columns: {id: integer}}"
WRITER = "writer: {type: csv, path: out.csv}"


def load(path: Path) -> LoadedJob:
    return load_job(path, Registry(path.parent))


def job_of(folder: Path, *lines: str, end: str = "\n", name: str = "job.yaml") -> Path:
    """Writes a job of one step with these lines between its name and its components."""
    text = ["name: job", "steps:", "  - name: load  # this", *(f"    {line}" for line in lines)]
    text += [f"    {PARTS}", f"    {WRITER}  # there"]
    path = folder / name
    path.write_bytes((end.join(text) + end).encode())
    return path


def work_of(path: Path, step: str = "load") -> ChunkDefinition:
    work = load(path).definition.step(step).work
    assert isinstance(work, ChunkDefinition)
    return work


@pytest.mark.parametrize(
    ("lines", "key", "line", "old", "new"),
    [
        (["chunk: 1000  # as it came"], "chunk", 4, "chunk: 1000", "chunk: 20000"),
        (['"chunk": 1000'], "chunk", 4, '"chunk": 1000', '"chunk": 20000'),
        (["chunk:   # here", "  1000"], "chunk", 5, "1000", "20000"),
        (
            ["chunk: {items: 1000, seconds: 5}"],
            "chunk",
            4,
            "chunk: {items: 1000, seconds: 5}",
            "chunk: {items: 20000, seconds: 5}",
        ),
        (["chunk:", "  seconds: 5", "  items: 10"], "chunk", 6, "items: 10", "items: 20000"),
        (["chunk: {seconds: 5}"], "chunk", 4, "", "items: 20000"),
        (["chunk:", "  seconds: 5  # soon"], "chunk", 6, "", "items: 20000"),
        ([], "chunk", 4, "", "chunk: 20000"),
        (["description: |", "  long", "  text"], "chunk", 4, "", "chunk: 20000"),
        (["chunk: 1000"], "read_ahead", 5, "", "read_ahead: 20000"),
        (["read_ahead: 0"], "read_ahead", 4, "read_ahead: 0", "read_ahead: 20000"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_one_number_is_changed_and_the_rest_of_the_text_stays(
    lines: list[str], key: Key, line: int, old: str, new: str, end: str, tmp_path: Path
) -> None:
    path = job_of(tmp_path, *lines, end=end)
    before = path.read_bytes()
    edit = edit_of(load(path), "load", key, 20_000)
    assert (edit.file, edit.line, edit.old, edit.new) == (path, line, old, new)
    write_edits([edit])
    work = work_of(path)
    assert (work.completion.items if key == "chunk" else work.read_ahead) == 20_000
    after = path.read_bytes()
    assert lines_without(line, after) == (
        lines_without(line, before) if after.count(b"\n") == before.count(b"\n") else before.splitlines(keepends=True)
    )
    assert after.count(b"#") == before.count(b"#")
    assert after.count(b"\n") == after.count(end.encode())


def lines_without(number: int, text: bytes) -> list[bytes]:
    lines = text.splitlines(keepends=True)
    return [*lines[: number - 1], *lines[number:]]


def test_both_edits_of_a_step_stand_in_their_order(tmp_path: Path) -> None:
    path = job_of(tmp_path, "chunk: 1000")
    job = load(path)
    write_edits([edit_of(job, "load", "chunk", 5_000), edit_of(job, "load", "read_ahead", 4)])
    assert path.read_text().splitlines()[3:5] == ["    chunk: 5000", "    read_ahead: 4"]


def test_a_step_in_braces_gets_its_key_behind_the_first(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(f"name: job\nsteps: [{{name: load, {PARTS}, {WRITER}}}]")
    write_edits([edit_of(load(path), "load", "chunk", 5_000)])
    assert "[{name: load, chunk: 5000, reader: " in path.read_text()
    assert work_of(path).completion.items == 5_000


def test_a_long_line_is_told_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(f"name: job\nsteps: [{{name: load, chunk: 10, {PARTS}, {WRITER}}}]")
    edit = edit_of(load(path), "load", "chunk", 5_000)
    assert (edit.line, edit.old, edit.new) == (2, "chunk: 10", "chunk: 5000")


def two_steps(folder: Path, first: str, second: str) -> Path:
    path = folder / "job.yaml"
    other = WRITER.replace("out", "other")
    one = f"  - name: one\n    {first}\n    {PARTS}\n    {WRITER}\n"
    two = f"  - name: two\n    {second}\n    {PARTS}\n    {other}\n"
    path.write_text(f"name: job\nsteps:\n{one}{two}")
    return path


def test_the_other_steps_keep_theirs(tmp_path: Path) -> None:
    path = two_steps(tmp_path, "chunk: 1000", "chunk: 1000")
    edit = edit_of(load(path), "two", "chunk", 5_000)
    write_edits([edit])
    assert edit.line == 8
    assert (work_of(path, "one").completion.items, work_of(path, "two").completion.items) == (1_000, 5_000)


@pytest.mark.parametrize("step", ["one", "two"])
def test_what_an_alias_says_is_to_be_changed_by_hand(step: str, tmp_path: Path) -> None:
    path = two_steps(tmp_path, "chunk: &size 1000", "chunk: *size")
    before = path.read_bytes()
    edit = edit_of(load(path), step, "chunk", 5_000)
    assert (edit.span, edit.line) == (None, 4)
    with pytest.raises(UsageError, match=r"job\.yaml:4: this can only be changed by hand: chunk: &size 5000"):
        write_edits([edit])
    assert path.read_bytes() == before


def including(folder: Path, *names: str) -> Path:
    (folder / "flow.yaml").write_text(f"steps:\n  - name: load\n    chunk: 1000\n    {PARTS}\n    {WRITER}\n")
    path = folder / "job.yaml"
    path.write_text("name: job\nsteps:\n" + "".join(f"  - {{name: {name}, include: flow.yaml}}\n" for name in names))
    return path


def test_a_step_of_an_included_file_is_changed_there(tmp_path: Path) -> None:
    path = including(tmp_path, "first")
    edit = edit_of(load(path), "first.load", "chunk", 5_000)
    assert (edit.file, edit.line) == (tmp_path / "flow.yaml", 3)
    write_edits([edit])
    assert work_of(path, "first.load").completion.items == 5_000


def test_a_file_that_is_included_twice_is_to_be_changed_by_hand(tmp_path: Path) -> None:
    path = including(tmp_path, "first", "second")
    assert edit_of(load(path), "first.load", "chunk", 5_000).span is None


def edit(path: Path) -> Edit:
    return edit_of(load(path), "load", "chunk", 5_000)


def test_a_file_that_has_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = job_of(tmp_path, "chunk: 1000")
    made = edit(path)
    path.write_text(path.read_text() + "# more\n")
    with pytest.raises(UsageError, match=r"job\.yaml has changed meanwhile"):
        write_edits([made])
    assert path.read_text().endswith("# more\n")
    assert [each.name for each in tmp_path.iterdir()] == ["job.yaml"]


def test_mode_link_and_byte_order_mark_of_the_file_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = job_of(tmp_path / "real", "chunk: 1000")
    real.write_bytes(b"\xef\xbb\xbf" + real.read_bytes())
    real.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    made = edit(link)
    write_edits([made])
    assert link.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf" + applied([made]).encode()
    assert real.stat().st_mode & 0o7777 == 0o640
