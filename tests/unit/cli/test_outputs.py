"""`--output`: which forms go where, what is refused, and what a command that cannot be parsed was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.cli.outputs import Form, Outputs, asked_outputs, read_outputs
from batchrun.errors import UsageError

ACTIONS = {"GITHUB_ACTIONS": "true"}


def test_text_goes_to_stdout_by_default() -> None:
    assert read_outputs([], {}) == Outputs(Form.TEXT)


def test_a_form_with_a_file_leaves_stdout_as_it_is() -> None:
    outputs = read_outputs(["junit=report.xml", "json=a=b.json"], {})
    assert outputs.stdout is Form.TEXT
    assert outputs.files == ((Form.JUNIT, Path("report.xml")), (Form.JSON, Path("a=b.json")))


def test_github_is_on_by_itself_under_actions_unless_stdout_gets_another_form() -> None:
    assert read_outputs([], ACTIONS).github
    assert read_outputs(["junit=report.xml"], ACTIONS).github
    assert not read_outputs(["json"], ACTIONS).github
    assert not read_outputs(["text"], ACTIONS).github
    assert not read_outputs([], {"GITHUB_ACTIONS": "false"}).github


def test_github_can_be_had_beside_another_form() -> None:
    assert read_outputs(["json", "github"], {}) == Outputs(Form.JSON, github=True)
    assert read_outputs(["github"], {}) == Outputs(Form.TEXT, github=True)


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (["xml"], "expected --output to be text, json, junit or github, got: 'xml'", None),
        (["jnuit=x"], "expected --output to be text, json, junit or github, got: 'jnuit'", "did you mean 'junit'?"),
        (["json", "junit"], "stdout takes one form, got: json and junit", "--output junit=FILE"),
        (["json=x", "junit=x"], "x is given for two forms", None),
        (["junit="], "--output junit= needs a file", "--output junit=FILE"),
        (["github=x"], "the form github goes to the log and to $GITHUB_STEP_SUMMARY, not to a file", None),
    ],
)
def test_what_does_not_fit_together_is_wrong_usage(given: list[str], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        read_outputs(given, {})
    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "arguments",
    [("launch", "-o", "json"), ("--output", "json", "x"), ("--output=json",), ("-ojson",)],
)
def test_arguments_that_cannot_be_parsed_still_tell_the_form(arguments: tuple[str, ...]) -> None:
    assert asked_outputs(arguments, {}).stdout is Form.JSON


@pytest.mark.parametrize("arguments", [("-o",), ("-o", "xml"), ("--", "-o", "json"), ()])
def test_arguments_that_name_no_form_mean_text(arguments: tuple[str, ...]) -> None:
    assert asked_outputs(arguments, {}).stdout is Form.TEXT


def test_the_report_of_an_earlier_run_is_taken_away_before_a_run(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text("old", encoding="utf-8")
    Outputs(files=((Form.JUNIT, report),)).make_ready()
    assert not report.exists()


def test_folders_of_a_report_are_made_and_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    Outputs(files=((Form.JUNIT, tmp_path / "new" / "deep" / "report.xml"),)).make_ready()
    assert list((tmp_path / "new" / "deep").iterdir()) == []
    for place in (tmp_path, tmp_path / "file" / "report.xml"):
        (tmp_path / "file").touch()
        with pytest.raises(UsageError, match="cannot be written"):
            Outputs(files=((Form.JUNIT, place),)).make_ready()
