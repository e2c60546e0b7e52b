"""launch and restart: what they ask of the application, what they show, and how they end."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchrun.domain.status import BatchStatus
from batchrun.errors import InstanceCompleteError
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import PARAMETERS, ApplicationDouble, execution_of, job_double, run_step, step_of

Run = Callable[..., Result]


def loaded(**changes: object) -> ApplicationDouble:
    return ApplicationDouble(ends=execution_of(step_of(read=10, write=9, filter=1), **changes))  # type: ignore[arg-type]


def failed() -> ApplicationDouble:
    reason = "trades.csv:17: 'abc' is no integer"
    step = step_of(status=BatchStatus.FAILED, description=reason, read=16, write=16, rollback=1)
    return ApplicationDouble(ends=execution_of(step, status=BatchStatus.FAILED, description=reason))


@pytest.fixture
def application(request: pytest.FixtureRequest) -> ApplicationDouble:
    return request.param() if hasattr(request, "param") else loaded()


def test_launch_splits_parameters_at_the_first_equals_sign(batchrun: Run, application: ApplicationDouble) -> None:
    batchrun("launch", "load_trades", "where=a=b", "empty=")
    assert ("launch", {"where": "a=b", "empty": ""}) in application.calls


def test_launch_opens_the_repository_that_is_given(batchrun: Run, application: ApplicationDouble) -> None:
    batchrun("--repository", "sqlite:///x.db", "launch", "load_trades")
    assert application.calls[0] == ("open", "sqlite:///x.db")
    assert application.calls[-1] == ("close",)


def test_launch_asks_for_the_next_run(batchrun: Run, application: ApplicationDouble) -> None:
    batchrun("launch", "load_trades", "--next", "day=1")
    assert ("launch", {"day": "1"}, "next run") in application.calls


def test_an_argument_wins_over_files_and_a_later_file_over_an_earlier(
    batchrun: Run, application: ApplicationDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("day: 1\nlimit: 1\nmode: 1\n")
    (tmp_path / "b.env").write_text("limit=2\nmode=2\n")
    batchrun("launch", "load_trades", "--params", "a.yaml", "mode=3", "--params", "b.env")
    (given,) = [call[1] for call in application.calls if call[0] == "launch"]
    assert [getattr(value, "value", value) for value in given.values()] == [1, "2", "3"]
    batchrun("restart", "7", "--params", "b.env")
    (given,) = [call[2] for call in application.calls if call[0] == "restart"]
    assert {name: value.value for name, value in given.items()} == {"limit": "2", "mode": "2"}


def test_a_parameter_file_may_come_from_stdin_once(
    batchrun: Run, application: ApplicationDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"day=1\n")))
    batchrun("launch", "load_trades", "--params", "-")
    (given,) = [call[1] for call in application.calls if call[0] == "launch"]
    assert given["day"].value == "1"
    assert batchrun("launch", "load_trades", "--params", "-", "--params", "-").code == 2


def test_a_parameter_file_that_is_wrong_is_told_with_its_places(batchrun: Run, tmp_path: Path) -> None:
    (tmp_path / "p.env").write_text("day=1\nday=2\n")
    result = batchrun("launch", "load_trades", "--params", str(tmp_path / "p.env"))
    assert result.code == 5
    assert "p.env:2:1: error: parameter 'day' is given twice; it stands in line 1 already\n" in result.err


@pytest.mark.parametrize("argument", ["input", "=x", "="])
def test_an_argument_without_a_name_and_equals_sign_is_wrong_usage(batchrun: Run, argument: str) -> None:
    result = batchrun("launch", "load_trades", argument)
    assert result.code == 2
    assert f"error: {argument!r} is not a parameter: it needs a name, = and a value" in result.err
    assert result.out == ""


def test_a_parameter_given_twice_is_wrong_usage(batchrun: Run, application: ApplicationDouble) -> None:
    result = batchrun("launch", "load_trades", "day=1", "day=2")
    assert result.code == 2
    assert "error: parameter 'day' is given twice\n" in result.err
    assert not any(call[0] == "launch" for call in application.calls)


def test_launch_shows_a_summary_on_stdout(batchrun: Run) -> None:
    result = batchrun("launch", "load_trades")
    assert result.code == 0
    assert result.out == (
        "✓ load-trades COMPLETED in 8.1s, execution 7\n"
        "  STEP  STATUS       TIME  READ  WRITTEN  FILTERED  COMMITS  ROWS/S\n"
        "  load  ✓ COMPLETED  8.0s    10        9         1        0     1.2\n"
    )


@pytest.mark.parametrize("application", [failed], indirect=True)
def test_a_failed_launch_tells_what_failed_where_and_the_next_command(batchrun: Run) -> None:
    result = batchrun("launch", "load_trades")
    assert result.code == 1
    assert "✗ load-trades FAILED in 8.1s, execution 7\n" in result.out
    assert result.out.count("step load failed: trades.csv:17: 'abc' is no integer\n") == 1
    assert result.out.endswith("\nto continue: batchrun restart 7\n")


@pytest.mark.parametrize("application", [failed], indirect=True)
def test_a_failure_is_told_on_stderr_too_where_stdout_is_not_watched(batchrun: Run) -> None:
    assert "error: step load failed: trades.csv:17: 'abc' is no integer\n" in batchrun("launch", "load_trades").err
    assert (
        "error: step load failed: trades.csv:17: 'abc' is no integer\n"
        in batchrun("launch", "x", "--output", "json").err
    )


@pytest.mark.parametrize("application", [failed], indirect=True)
def test_the_next_command_keeps_the_repository_but_no_password(batchrun: Run) -> None:
    shown = batchrun("--repository", "sqlite:///x.db", "launch", "load_trades").out
    assert "to continue: batchrun --repository sqlite:///x.db restart 7\n" in shown
    shown = batchrun("--repository", "postgresql://me:secret@db/x", "launch", "load_trades").out
    assert "to continue: batchrun restart 7\n" in shown
    assert "secret" not in shown


def stopped() -> ApplicationDouble:
    return ApplicationDouble(
        ends=execution_of(step_of(status=BatchStatus.STOPPED, read=5, write=5), status=BatchStatus.STOPPED)
    )


@pytest.mark.parametrize("application", [stopped], indirect=True)
def test_a_stopped_launch_exits_with_4_and_tells_how_to_go_on(batchrun: Run) -> None:
    result = batchrun("launch", "load_trades")
    assert result.code == 4
    assert result.out.endswith("\nto continue: batchrun restart 7\n")


def test_json_is_all_there_is_on_stdout(batchrun: Run, application: ApplicationDouble) -> None:
    def chatter(*_: object) -> None:
        print("from a python component")  # noqa: T201 - the point of the test
        sys.stdout.write("raw\n")

    application.script = chatter
    result = batchrun("launch", "load_trades", "--output", "json")
    assert result.document["execution_id"] == 7
    assert "from a python component\nraw\n" in result.err


def test_json_has_the_documented_fields(batchrun: Run, application: ApplicationDouble) -> None:
    application.ends = execution_of(step_of(read=10, write=9, filter=1, commit=2), parameters=PARAMETERS, restart_of=6)
    document = batchrun("launch", "load_trades", "-o", "json").document
    assert document == {
        "execution_id": 7,
        "instance_id": 3,
        "job_name": "load-trades",
        "status": "COMPLETED",
        "exit_code": "COMPLETED",
        "exit_description": "",
        "parameters": {
            "input": "/data/trades.csv",
            "day": "2026-07-30",
            "price": "12.50",
            "limit": 100,
            "ratio": 0.25,
            "dry": True,
            "wait": "90",
            "desks": ["A", "B"],
            "note": None,
        },
        "restart_of": 6,
        "job_file": "/project/jobs.d/load_trades.yaml",
        "created_at": "2026-07-30T05:02:11Z",
        "started_at": "2026-07-30T05:02:11Z",
        "ended_at": "2026-07-30T05:02:19.100000Z",
        "steps": [
            {
                "name": "load",
                "visit": 1,
                "status": "COMPLETED",
                "exit_code": "COMPLETED",
                "exit_description": "",
                "read_count": 10,
                "write_count": 9,
                "filter_count": 1,
                "read_skip_count": 0,
                "process_skip_count": 0,
                "write_skip_count": 0,
                "commit_count": 2,
                "rollback_count": 0,
                "started_at": "2026-07-30T05:02:11Z",
                "ended_at": "2026-07-30T05:02:19Z",
                "times": {"read": 0, "process": 0, "encode": 0, "write": 0, "commit": 0, "wait": 0},
            }
        ],
    }


def test_the_jobs_own_exit_code_becomes_the_process_exit_code(batchrun: Run, application: ApplicationDouble) -> None:
    application.job = job_double(exit_codes={"BAD INPUT": 21})
    application.ends = execution_of(status=BatchStatus.FAILED, code="BAD INPUT")
    application.ends.job_text = "exit_codes: {BAD INPUT: 21}"
    assert batchrun("launch", "load_trades").code == 21
    assert batchrun("restart", "6").code == 21


def test_restart_passes_id_parameters_and_allow_changed(batchrun: Run, application: ApplicationDouble) -> None:
    assert batchrun("restart", "6", "limit=5", "--allow-changed").code == 0
    assert ("restart", 6, {"limit": "5"}, True) in application.calls


@pytest.mark.parametrize("given", ["six", str(2**63), "9" * 5000])
def test_restart_needs_a_number(batchrun: Run, given: str) -> None:
    result = batchrun("restart", given)
    assert result.code == 2
    assert f"error: expected ID to be the number of an execution, got: '{given}'" in result.err
    assert "hint: batchrun history lists them\n" in result.err


def test_a_refused_launch_exits_with_3_and_the_way_out(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = InstanceCompleteError("load-trades", 6, has_identifying=True)
    result = batchrun("launch", "load_trades")
    assert result.code == 3
    assert result.out == ""
    assert result.err == (
        "error: job 'load-trades' has already completed with these parameters (execution 6)\n"
        "hint: launch it with other identifying parameters, or once more with --next\n"
    )


def test_quiet_shows_nothing_of_a_good_run_and_a_bad_one_in_full(batchrun: Run, application: ApplicationDouble) -> None:
    application.script = lambda listener, execution: run_step(listener, execution, execution.steps[0], 500)
    good = batchrun("-q", "launch", "load_trades")
    assert (good.code, good.out, good.err) == (0, "", "")
    application.ends = failed().ends
    assert "to continue: batchrun restart 7\n" in batchrun("-q", "launch", "load_trades").out


def test_log_records_go_to_stderr_by_their_level(batchrun: Run, application: ApplicationDouble) -> None:
    def log(*_: object) -> None:
        logger = logging.getLogger("batchrun.engine")
        logger.debug("the debug")
        logger.info("the info")
        logger.warning("the warning %d", 5)
        logger.error("the error")

    application.script = log
    shown = batchrun("launch", "x").err
    assert "warning: the warning 5\n" in shown
    assert "the info" not in shown
    verbose = batchrun("-v", "launch", "x").err
    assert "info: the info\n" in verbose
    assert "the debug" not in verbose
    assert "the warning" not in batchrun("-q", "launch", "x").err
    assert "debug: the debug\n" in batchrun("--debug", "launch", "x").err


def test_a_reader_that_goes_away_ends_nothing_and_changes_no_exit_code(
    application: ApplicationDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batchrun.cli.program import run

    application.ends = failed().ends
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert run(["launch", "load_trades"], application) == 1
        assert run(["launch", "load_trades", "--output", "json"], application) == 1
