"""Parameter files: YAML, JSON and lines KEY=VALUE."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchrun.definition import read_parameter_file
from batchrun.errors import DefinitionError


def read(folder: Path, text: str, name: str = "p") -> dict[str, object]:
    (folder / name).write_text(text, encoding="utf-8")
    return {key: given.value for key, given in read_parameter_file(name, folder).items()}


def told(folder: Path, content: str | bytes, name: str = "p") -> list[str]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DefinitionError) as caught:
        read_parameter_file(name, folder)
    assert all(each.source is None for each in caught.value.problems), "a secret may stand in the line"
    return [str(each) for each in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("day: 2026-01-31\nlimit: 5\nids: [1, 2]\non: no\nnone:\nempty: ''\n", None),
        ('{"day": "2026-01-31", "limit": 5, "ids": [1, 2], "on": "no", "none": null, "empty": ""}', None),
        ("a: x=y", {"a": "x=y"}),
        ("a=x: y", {"a": "x: y"}),
        ("", {}),
        ("# nothing\n", {}),
        ("\ufeffa=1", {"a": "1"}),
        ("run.id: 5", {"run.id": 5}),
    ],
)
def test_what_a_file_gives(tmp_path: Path, text: str, values: dict[str, object] | None) -> None:
    whole = {"day": "2026-01-31", "limit": 5, "ids": [1, 2], "on": "no", "empty": ""}
    assert read(tmp_path, text) == (whole if values is None else values)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a=1", "1"),
        ("export a = 1 ", "1"),
        ("a=b=c", "b=c"),
        ("a=", ""),
        ("a= # note", ""),
        ("a=x # note", "x"),
        ("a=x#y", "x#y"),
        ("a='x # y' # note", "x # y"),
        ("a='\\n'", "\\n"),
        ('a="x\\n\\"y\\" \\\\ $HOME"', 'x\n"y" \\ $HOME'),
        ("a=1\r", "1"),
        ("# a comment\n\n  # another\na=1", "1"),
    ],
)
def test_how_a_line_is_read(tmp_path: Path, line: str, value: str) -> None:
    assert read(tmp_path, f"{line}\nz=2\n") == {"a": value, "z": "2"}


def test_a_value_knows_its_place_and_what_a_path_is_relative_to(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "p.yaml").write_text("a: 1\nfile: b.csv\n")
    given = read_parameter_file("sub/p.yaml", tmp_path)["file"]
    assert (given.folder, given.file, given.line, given.column) == (tmp_path / "sub", "sub/p.yaml", 2, 7)
    (tmp_path / "sub" / "p.env").write_text("a=1\nfile=b.csv\n")
    given = read_parameter_file("sub/p.env", tmp_path)["file"]
    assert (given.folder, given.line, given.column) == (tmp_path / "sub", 2, 6)
    assert "b.csv" not in repr(given), "a secret may be in it"


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("a: 1\na: 2\n", ["p:2:1: duplicate key 'a'; it stands in line 1 already (remove one of them)"]),
        (
            "a=1\nb\na=2\n",
            ["p:2:1: this line is not KEY=VALUE", "p:3:1: parameter 'a' is given twice (it stands in line 1 already)"],
        ),
        ("a='x\n", ["p:1:1: this quote is not closed, or text follows it"]),
        ('a="x" y\n', ["p:1:1: this quote is not closed, or text follows it"]),
        ("- a\n", ["p:1:1: a parameter file is a mapping, or lines KEY=VALUE"]),
        ("a\n", ["p:1:1: a parameter file is a mapping, or lines KEY=VALUE"]),
        ("a: [1\n", ["p:1:4: [ is not closed (a comma or ] is missing)"]),
        (b"a: 1\nb: \xff\n", ["p:2:1: the file is not UTF-8 (save it as UTF-8)"]),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    tmp_path: Path, content: str | bytes, messages: list[str]
) -> None:
    assert told(tmp_path, content) == messages


def test_the_ending_env_means_lines_whatever_the_first_one_is(tmp_path: Path) -> None:
    for name in ("p.env", ".env"):
        assert told(tmp_path, "a: 1\n", name) == [f"{name}:1:1: this line is not KEY=VALUE"]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_parameter_file("nowhere.yaml", tmp_path)
    assert str(caught.value.problems[0]) == "nowhere.yaml: the parameter file cannot be read: No such file or directory"


def test_a_stdin_that_its_caller_has_closed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DefinitionError) as caught:
        read_parameter_file("-", tmp_path)
    assert str(caught.value.problems[0]) == "stdin: the parameter file cannot be read: it is closed"


@pytest.mark.parametrize("value", ["💥", "a💥b☃", "\\ud83d\\udca5", "\\💥"])
def test_json_as_programs_write_it_keeps_every_character(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, json.dumps({"text": value})) == {"text": value}
