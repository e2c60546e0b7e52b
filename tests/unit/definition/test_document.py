from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.definition.document import Document, path_text, read_document
from batchrun.errors import DefinitionError, ExitCode, Problem


def document(tmp_path: Path, text: str) -> Document:
    file = tmp_path / "job.yaml"
    file.write_text(text, encoding="utf-8")
    return read_document(file)


def problem(file: Path) -> Problem:
    with pytest.raises(DefinitionError) as caught:
        read_document(file)
    assert caught.value.exit_code == ExitCode.DEFINITION
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def test_a_missing_file_says_where_it_was_looked_for_and_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "load_flights.yaml").touch()
    found = problem(tmp_path / "load_flight.yaml")
    assert (found.message, found.hint) == ("there is no such file", "did you mean 'load_flights'?")
    assert found.file == str(tmp_path / "load_flight.yaml")
    assert problem(tmp_path / "zzz.yaml").hint == "the job files in that folder: load_flights"
    assert problem(tmp_path / "no" / "a.yaml").hint == f"there is no folder {tmp_path / 'no'}"


def test_a_folder_is_no_job_file(tmp_path: Path) -> None:
    assert problem(tmp_path).message == "this is a folder, not a job file"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_is_no_job(tmp_path: Path, text: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        document(tmp_path, text)
    assert caught.value.problems[0].message == "the file is empty"


def test_a_list_is_no_job(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        document(tmp_path, "# steps\n- a\n")
    found = caught.value.problems[0]
    assert (found.line, found.column) == (2, 1)
    assert found.message == "a job file is a mapping, with name and steps, not a list"


def test_a_file_that_is_not_utf8_says_at_which_byte(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_bytes(b"name: a\nsteps: caf\xe9 x\n")
    found = problem(file)
    assert (found.line, found.column) == (2, 11)
    assert (found.message, found.hint) == ("the file is not UTF-8: byte 0xE9", "save it as UTF-8")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: a\n")
    read = read_document(file)
    assert read.plain() == {"name": "a"}
    assert read.place(("name",))[1:] == (1, 7)


TEXT = """\
steps:
  - name: a
    reader:
      type: csv
      columns: {"a.b": string, c: }
"""


def test_a_scalar_is_shown_by_itself_and_a_block_by_its_key(tmp_path: Path) -> None:
    read = document(tmp_path, TEXT)
    assert read.place(("steps", 0, "reader", "type"))[1:] == (4, 13)
    assert read.place(("steps", 0, "reader", "type"), key=True)[1:] == (4, 7)
    assert read.place(("steps", 0, "reader"))[1:] == (3, 5)
    assert read.place(("steps", 0))[1:] == (2, 5)
    assert read.place(("steps", 0, "reader", "columns", "c"))[1:] == (5, 32)


def test_what_is_not_there_is_shown_by_the_nearest_around_it(tmp_path: Path) -> None:
    read = document(tmp_path, TEXT)
    assert read.place(("steps", 0, "reader", "quote", "x"))[1:] == (3, 5)
    assert read.place(("steps", 7))[1:] == (1, 1)
    assert read.place(("nothing",), key=True)[1:] == (1, 1)


@pytest.mark.parametrize(
    "path", [("steps", 0, "reader", "columns", "a.b"), ("steps", 0, "name"), ("steps",), ("steps", 0, "reader", "x")]
)
def test_a_path_is_read_back_from_its_text(tmp_path: Path, path: tuple[str | int, ...]) -> None:
    assert document(tmp_path, TEXT).parse_path(path_text(path)) == path


def test_a_problem_can_point_at_a_part_of_a_value(tmp_path: Path) -> None:
    read = document(tmp_path, "a: x-${y.z}\n")
    assert read.problem(("a",), "m", part="${y.z}").column == 6
    assert read.problem(("a",), "m", part="gone").column == 4


def test_a_word_is_found_as_a_whole(tmp_path: Path) -> None:
    assert document(tmp_path, "a: bee + e > 0\n").problem(("a",), "m", part="e").column == 10
