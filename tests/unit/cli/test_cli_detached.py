"""launch --detach, wait, stop --wait and logs: what they ask of the application, what they show, and how they end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import timedelta

import pytest

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import BatchStatus
from batchrun.errors import StillRunningError
from batchrun.operations.detaching import DetachedStart
from batchrun.operations.log_reading import LogLine
from batchrun.spi.listener import Listener
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, execution_of, run_step, step_of

Run = Callable[..., Result]


@pytest.fixture
def application() -> ApplicationDouble:
    return ApplicationDouble([execution_of(step_of(read=10, write=10))])


@pytest.mark.parametrize("command", [("launch", "load_trades", "a=1"), ("restart", "6"), ("restart", "6", "a=1")])
def test_a_detached_run_is_the_same_command_once_more_and_its_id_is_all_of_stdout(
    batchrun: Run, application: ApplicationDouble, command: tuple[str, ...]
) -> None:
    result = batchrun(*command, "--detach")
    assert (result.code, result.out, result.err) == (0, "7\n", "")
    assert [call for call in application.calls if call[0] != "close"] == [
        ("open", None),
        ("start_detached", *command, "--detach"),
    ]


def test_a_detached_launch_as_json_tells_the_execution(batchrun: Run) -> None:
    assert batchrun("launch", "load_trades", "-d", "-o", "json").document["execution_id"] == 7


def test_a_run_that_does_not_come_to_its_execution_decides_the_exit_code(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.detached_start = DetachedStart(None, 5)
    result = batchrun("launch", "load_trades", "--detach")
    assert (result.code, result.out, result.err) == (5, "", "")


def test_the_detached_run_itself_tells_its_launcher_the_id_and_then_is_silent(
    batchrun: Run, application: ApplicationDouble, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    application.ends = execution_of(step_of(BatchStatus.FAILED.name), status=BatchStatus.FAILED)
    application.script = lambda listener, execution: print("a component prints")  # noqa: T201
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    reading, writing = os.pipe()
    monkeypatch.setenv("BATCHRUN_DETACHED", str(writing))
    with caplog.at_level(logging.INFO, "batchrun.output"):
        result = batchrun("launch", "load_trades", "--detach")
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "7"
    assert (result.code, result.out, result.err) == (1, "", "")
    assert "BATCHRUN_DETACHED" not in os.environ
    assert [record.message for record in caplog.records] == ["a component prints"]


def test_wait_shows_progress_and_summary_and_exits_as_the_run(batchrun: Run, application: ApplicationDouble) -> None:
    ended = execution_of(step_of(status=BatchStatus.STOPPED), status=BatchStatus.STOPPED)
    application.ends = ended

    def script(listener: Listener, execution: JobExecution) -> None:
        listener.before_job(execution)
        run_step(listener, execution, execution.steps[0], 10)

    application.script = script
    result = batchrun("wait", "7", "--timeout", "1h30m")
    assert result.code == 4
    assert "load: STOPPED in 8.0s" in result.err, "as long as the step took, not as it was watched"
    assert result.out.startswith("■ load-trades STOPPED in 8.1s, execution 7\n")
    [(_, waited_for, left)] = [call for call in application.calls if call[0] == "wait"]
    assert waited_for == 7
    assert timedelta(hours=1) < left <= timedelta(hours=1, minutes=30)  # type: ignore[operator]


def test_of_several_the_first_that_did_not_complete_decides(batchrun: Run, application: ApplicationDouble) -> None:
    application.executions += [
        execution_of(id=8, status=BatchStatus.STOPPED),
        execution_of(id=9, status=BatchStatus.FAILED),
    ]
    result = batchrun("wait", "7", "8", "9")
    assert result.code == 4
    assert [line.split()[1:3] for line in result.out.splitlines() if "execution" in line] == [
        ["load-trades", "COMPLETED"],
        ["load-trades", "STOPPED"],
        ["load-trades", "FAILED"],
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("wait", "99"), "there is no execution 99"),
        (("wait", "7", "99"), "there is no execution 99"),
        (("wait", "7", "--timeout", "30"), "--timeout: '30' is no duration"),
        (("wait", "7", "7", "-o", "json"), "--output tells of one execution"),
        (("wait",), "missing argument"),
        (("logs", "7", "--level", "loud"), "invalid value for '--level'"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_waited_for(
    batchrun: Run, application: ApplicationDouble, arguments: tuple[str, ...], message: str
) -> None:
    result = batchrun(*arguments)
    assert (result.code, message in result.err + result.out) == (2, True), result
    assert not any(call[0] == "wait" for call in application.calls)


def test_the_end_of_the_time_has_an_exit_code_of_its_own(batchrun: Run, application: ApplicationDouble) -> None:
    class Slow(ApplicationDouble):
        def wait(self, execution_id: int, **_: object) -> JobExecution:
            raise StillRunningError("load-trades", execution_id)

    application.__class__ = Slow
    result = batchrun("wait", "7", "--timeout", "1s")
    assert result.code == 124
    assert result.err.endswith("hint: batchrun wait 7 waits on, batchrun stop 7 asks it to stop\n")


@pytest.mark.parametrize("command", [("wait", "7"), ("stop", "7", "--wait")])
def test_ctrl_c_ends_the_waiting_only(batchrun: Run, application: ApplicationDouble, command: tuple[str, ...]) -> None:
    class Interrupted(ApplicationDouble):
        def wait(self, execution_id: int, **_: object) -> JobExecution:
            raise KeyboardInterrupt

    application.__class__ = Interrupted
    result = batchrun(*command)
    assert (result.code, result.err) == (130, "warning: no longer waiting; execution 7 goes on by itself\n")


def test_stop_waits_for_the_end_where_it_is_asked_to(batchrun: Run, application: ApplicationDouble) -> None:
    assert batchrun("stop", "7").out == (
        "execution 7 of load-trades has been asked to stop; it does so at its next commit\n"
    )
    assert batchrun("stop", "7", "--wait").out == "execution 7 of load-trades is COMPLETED\n"
    assert [call[0] for call in application.calls if call[0] in ("stop", "wait")] == ["stop", "stop", "wait"]


LOG = [
    LogLine("T INFO    - begun", "T", logging.INFO, None),
    LogLine("T INFO    load started", "T", logging.INFO, "load"),
    LogLine("T WARNING load odd", "T", logging.WARNING, "load"),
    LogLine("  in two lines", "", logging.WARNING, "load"),
    LogLine("T ERROR   settle failed", "T", logging.ERROR, "settle"),
]
ALL = range(5)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ((), ALL),
        (("--step", "load"), (1, 2, 3)),
        (("--level", "WARNING"), (2, 3, 4)),
        (("--level", "error"), (4,)),
        (("--step", "load", "--level", "warning"), (2, 3)),
        (("--tail", "1"), (4,)),
        (("-n", "2"), (2, 3, 4)),
        (("-n", "99"), ALL),
        (("--step", "load", "-n", "1"), (2, 3)),
        (("--step", "none", "-n", "1"), ()),
    ],
)
def test_logs_shows_the_lines_that_are_asked_for(
    batchrun: Run, application: ApplicationDouble, options: tuple[str, ...], shown: tuple[int, ...]
) -> None:
    application.log = LOG
    result = batchrun("logs", "7", *options)
    assert (result.code, result.err) == (0, "")
    assert result.out == "".join(f"{LOG[number].text}\n" for number in shown)


def test_logs_without_an_id_takes_the_last_execution_and_says_which(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.executions.append(execution_of(id=8))
    result = batchrun("logs", "-f")
    assert ("log_lines", 8, True) in application.calls
    assert result.err == "log of execution 8, the last one\nexecution 8 of load-trades is COMPLETED\n"
