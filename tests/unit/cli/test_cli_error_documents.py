"""With `--output json` a program reads JSON whatever the exit code: a result, or an error document."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchrun.errors import (
    BatchrunError,
    DefinitionError,
    ExitCode,
    InstanceCompleteError,
    NoSuchExecutionError,
    RepositoryUnreachableError,
)
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, execution_of
from tests.unit.cli.test_cli_checking import MISSPELT

Run = Callable[..., Result]

ERRORS = [
    (NoSuchExecutionError(7), 2, "NoSuchExecutionError"),
    (InstanceCompleteError("load-trades", 6, has_identifying=True), 3, "InstanceCompleteError"),
    (RepositoryUnreachableError("sqlite:////x.db", "no such folder"), 6, "RepositoryUnreachableError"),
    (KeyboardInterrupt(), 130, "Aborted"),
    (KeyError("chunk"), 70, "KeyError"),
]


@pytest.mark.parametrize(("error", "code", "kind"), ERRORS, ids=[kind for *_, kind in ERRORS])
@pytest.mark.parametrize(
    "command", [("launch", "x"), ("restart", "6"), ("history",), ("show", "7"), ("validate", "x")], ids=" ".join
)
def test_an_error_is_a_document_on_stdout_and_a_text_on_stderr(
    batchrun: Run,
    application: ApplicationDouble,
    command: tuple[str, ...],
    error: BaseException,
    code: ExitCode,
    kind: str,
) -> None:
    application.raises = error
    result = batchrun(*command, "--output", "json")
    assert result.code == code
    told = result.document["error"]
    assert (told["code"], told["type"], told["problems"]) == (code, kind, [])
    assert f"error: {told['message']}\n" in result.err


def test_the_document_has_message_hint_and_execution(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = InstanceCompleteError("load-trades", 6, has_identifying=True)
    assert batchrun("launch", "x", "-o", "json").document == {
        "error": {
            "code": 3,
            "type": "InstanceCompleteError",
            "message": "job 'load-trades' has already completed with these parameters (execution 6)",
            "hint": "launch it with other identifying parameters, or once more with --next",
            "execution_id": 6,
            "problems": [],
        }
    }


def test_problems_of_a_job_file_are_in_the_document(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = DefinitionError([MISSPELT])
    result = batchrun("launch", "x", "-o", "json")
    assert result.code == 5
    told = result.document["error"]
    assert told["message"] == "1 problem in the job file or its parameters"
    assert [(each["line"], each["column"], each["hint"]) for each in told["problems"]] == [
        (23, 7, "did you mean 'delimiter'?")
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lanch", "-o", "json"), "no such command 'lanch'. Did you mean 'launch'?"),
        (("launch", "-o", "json"), "missing argument 'JOB'"),
        (("launch", "x", "--nxt", "-ojson"), "no such option: --nxt"),
        (("launch", "x", "day", "-o", "json"), "'day' is not a parameter: it needs a name, = and a value"),
        (("stop", "x", "--output=json"), "invalid value for 'ID': 'x' is not a valid int"),
    ],
)
def test_a_command_line_that_cannot_be_parsed_has_a_document_too(
    batchrun: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = batchrun(*arguments)
    assert result.code == 2
    told = result.document["error"]
    assert told["code"] == 2
    assert told["message"].startswith(message)
    assert told["hint"]


def test_an_error_after_the_result_is_no_second_document(batchrun: Run, application: ApplicationDouble) -> None:
    class Failing(ApplicationDouble):
        def __exit__(self, *_: object) -> None:
            raise BatchrunError("the repository cannot be closed")

    application.__class__ = Failing
    application.ends = execution_of()
    result = batchrun("launch", "x", "-o", "json")
    assert result.code == 70
    assert result.document["execution_id"] == 7
    assert result.err == "error: the repository cannot be closed\n"


def test_text_leaves_stdout_empty_on_an_error(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = NoSuchExecutionError(7)
    assert batchrun("show", "7").out == ""
