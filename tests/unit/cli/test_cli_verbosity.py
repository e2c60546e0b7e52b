"""The ladder from -qq to -vv, the same on every command, and what the environment says of colors and terminals."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import pytest

from batchrun.cli.rendering.screen import Screen
from batchrun.domain.status import BatchStatus
from batchrun.errors import NoSuchExecutionError
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, execution_of, run_step, step_of
from tests.unit.cli.test_cli_checking import WARNING, job_double

Run = Callable[..., Result]


def play(listener: object, execution: object) -> None:
    run_step(listener, execution, execution.steps[0], 500)  # type: ignore[arg-type,attr-defined]
    logger = logging.getLogger("batchrun.engine")
    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)("the %s", level)
    print("from the job's code")  # noqa: T201 - what a job may do
    sys.stderr.write("from the job's code, on stderr\n")


@pytest.fixture
def application() -> ApplicationDouble:
    return ApplicationDouble(
        ends=execution_of(step_of(read=10)),
        executions=[execution_of(step_of(read=10))],
        job=job_double(warnings=[WARNING]),
        script=play,
    )


def levels(result: Result) -> list[str]:
    return [level for level in ("debug", "info", "warning", "error") if f"{level}: the {level}" in result.err]


RUNGS = {
    "-qq": [],
    "-q": ["error"],
    "": ["warning", "error"],
    "-v": ["info", "warning", "error"],
    "-vv": ["debug", "info", "warning", "error"],
    "--debug": ["debug", "info", "warning", "error"],
}


@pytest.mark.parametrize("rung", RUNGS)
def test_each_rung_shows_the_log_from_its_level_on(batchrun: Run, rung: str) -> None:
    assert levels(batchrun(*filter(None, [rung]), "launch", "x")) == RUNGS[rung]


def test_by_default_there_are_progress_warnings_and_the_result(batchrun: Run) -> None:
    result = batchrun("launch", "x")
    assert "load: started" in result.err
    assert "warning: step 'x' has no effect" in result.err
    assert result.out.startswith("✓ load-trades COMPLETED")


def test_quiet_shows_nothing_of_what_went_well(batchrun: Run) -> None:
    result = batchrun("-q", "launch", "x")
    assert (result.code, result.out) == (0, "")
    assert "load: started" not in result.err
    assert "has no effect" not in result.err
    assert batchrun("-q", "validate", "x") == Result(0, "", "")


def test_quiet_shows_a_failed_result_and_errors_in_full(batchrun: Run, application: ApplicationDouble) -> None:
    application.ends = execution_of(step_of(status=BatchStatus.FAILED, description="oh"), status=BatchStatus.FAILED)
    result = batchrun("-q", "launch", "x")
    assert result.out.endswith("to continue: batchrun restart 7\n")
    assert "error: step load failed: oh\n" in result.err


def test_quiet_shows_what_a_command_is_there_to_show(batchrun: Run) -> None:
    for command in (("history",), ("show", "7"), ("launch", "x", "-o", "json"), ("validate", "x", "-o", "json")):
        assert batchrun("-q", *command).out == batchrun(*command).out != ""


@pytest.mark.parametrize(
    "command",
    [("launch", "x"), ("launch", "x", "-o", "json"), ("history",), ("show", "7"), ("validate", "x"), ("show", "8")],
    ids=" ".join,
)
def test_silent_leaves_only_the_exit_code(batchrun: Run, command: tuple[str, ...]) -> None:
    loud, silent = batchrun(*command), batchrun("-qq", *command)
    assert silent == Result(loud.code, "", "")
    assert batchrun("-q", "-q", *command) == silent


def test_silence_ends_with_the_command(batchrun: Run) -> None:
    before = (sys.stdout, sys.stderr)
    batchrun("-qq", "history")
    assert (sys.stdout, sys.stderr) == before


def test_silent_still_writes_files(batchrun: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    report = tmp_path_factory.mktemp("reports") / "r.json"
    batchrun("-qq", "launch", "x", "-o", f"json={report}")
    assert report.read_text(encoding="utf-8").startswith("{")


def test_tracebacks_come_from_the_second_verbose_on(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = NoSuchExecutionError(7)
    for rung in ("-vv", "--debug", "-vvv"):
        assert batchrun(rung, "show", "7").err.startswith("Traceback")
    assert "Traceback" not in batchrun("-v", "show", "7").err


def test_quiet_and_verbose_cancel_each_other(batchrun: Run) -> None:
    assert levels(batchrun("-q", "-v", "launch", "x")) == RUNGS[""]
    assert levels(batchrun("launch", "x", "-vv", "-q")) == RUNGS["-v"]


def test_the_rungs_may_stand_anywhere(batchrun: Run) -> None:
    assert batchrun("launch", "x", "-qq") == batchrun("-qq", "launch", "x")


class Terminal:
    """A stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "no_color", "expected"),
    [
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": ""}, False, False),
    ],
)
def test_force_color_colors_a_pipe_and_no_color_wins(
    batchrun: Run, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], no_color: bool, expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shown = batchrun("launch", "x", *(["--no-color"] if no_color else []))
    assert ("\x1b[32m" in shown.out or "\x1b[1;32m" in shown.out) is expected


def test_forced_colors_spoil_no_document_and_no_file(
    batchrun: Run, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    report = tmp_path_factory.mktemp("reports") / "r.txt"
    assert batchrun("launch", "x", "-o", "json", "-o", f"text={report}").document["execution_id"] == 7
    assert "\x1b" not in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "is_live"), [("true", False), ("1", False), ("", True), ("false", True), ("0", True), (None, True)]
)
def test_in_ci_a_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, value: str | None, is_live: bool) -> None:
    monkeypatch.setenv("TERM", "xterm")
    if value is not None:
        monkeypatch.setenv("CI", value)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert Screen(stderr=True).console.is_interactive is is_live
