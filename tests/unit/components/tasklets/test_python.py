"""The tasklet `python`."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event

import pytest

from batchrun.components import stopping
from batchrun.domain.status import ExitStatus
from batchrun.errors import CallError, StepStoppedError, TaskletError
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from tests.unit.components.tasklets.bench import make, run

FUNCTIONS = """\
from batchrun.domain.status import ExitStatus
from batchrun.spi import RepeatStatus

def leave():
    raise SystemExit(0)

def add(a, b, contribution):
    contribution.context["sum"] = a + b
    contribution.counts.write += 1

def say(code):
    return code

def status():
    return ExitStatus("EMPTY", "no rows")

def again():
    return RepeatStatus.CONTINUABLE

def wrong():
    return 5

def count(context, log):
    context["calls"] = context.get("calls", 0) + 1
    log.info("call %s", context["calls"])

def asks(should_stop):
    return "STOPPING" if should_stop() else "GOES ON"

def take(log):
    return log

def for_ever(begun):
    try:
        begun.set()
        while True:
            pass
    except KeyboardInterrupt:
        open(__file__ + ".tidied", "w").close()
        raise

def heedless(begun):
    try:
        begun.set()
        while True:
            pass
    except KeyboardInterrupt:
        return "DONE"

def deaf(begun, until):
    while True:
        try:
            begun.set()
            while not until.is_set():
                pass
            return "DONE"
        except KeyboardInterrupt:
            pass
"""


@pytest.fixture(autouse=True)
def functions(tmp_path: Path) -> None:
    (tmp_path / "housekeeping.py").write_text(FUNCTIONS)


def test_it_gets_arguments_and_its_contribution(tmp_path: Path) -> None:
    result, contribution = run(make(tmp_path, "python", call="housekeeping:add", arguments={"a": 1, "b": 2}))
    assert (result, contribution.context, contribution.counts.write) == (RepeatStatus.FINISHED, {"sum": 3}, 1)


def test_a_text_is_the_exit_code(tmp_path: Path) -> None:
    _, contribution = run(make(tmp_path, "python", call="housekeeping:say", arguments={"code": "EMPTY"}))
    assert contribution.exit_status == ExitStatus("EMPTY")


def test_an_exit_status_is_taken_whole(tmp_path: Path) -> None:
    _, contribution = run(make(tmp_path, "python", call="housekeeping:status"))
    assert contribution.exit_status == ExitStatus("EMPTY", "no rows")


def test_ending_the_process_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"^housekeeping:leave called sys\.exit\(0\)$"):
        run(make(tmp_path, "python", call="housekeeping:leave"))


def test_it_may_ask_to_be_called_again(tmp_path: Path) -> None:
    assert run(make(tmp_path, "python", call="housekeeping:again"))[0] is RepeatStatus.CONTINUABLE


def test_another_result_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match="housekeeping:wrong returned int"):
        run(make(tmp_path, "python", call="housekeeping:wrong"))


def test_arguments_that_do_not_fit_are_told_before_the_call(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="cannot be called with these arguments: missing a required argument"):
        run(make(tmp_path, "python", call="housekeeping:add", arguments={"a": 1}))


def test_it_gets_its_context_and_the_log_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "batchrun"):
        _, contribution = run(
            make(tmp_path, "python", call="housekeeping:count"), StepContribution(context={"calls": 4})
        )
    assert contribution.context == {"calls": 5}
    assert [(record.name, record.message) for record in caplog.records] == [("batchrun.job.job.step", "call 5")]


def test_an_argument_goes_before_what_is_offered_under_its_name(tmp_path: Path) -> None:
    _, contribution = run(make(tmp_path, "python", call="housekeeping:take", arguments={"log": "MINE"}))
    assert contribution.exit_status == ExitStatus("MINE")


def test_it_may_ask_for_the_stop_itself_and_is_not_interrupted_then(tmp_path: Path) -> None:
    _, contribution = run(make(tmp_path, "python", should_stop=lambda: True, call="housekeeping:asks"))
    assert contribution.exit_status == ExitStatus("STOPPING")


def test_one_that_does_not_ask_is_interrupted_as_by_ctrl_c(tmp_path: Path) -> None:
    begun = Event()
    tasklet = make(
        tmp_path, "python", should_stop=begun.is_set, call="housekeeping:for_ever", arguments={"begun": begun}
    )
    with pytest.raises(StepStoppedError, match="interrupted by the stop"):
        run(tasklet)
    assert (tmp_path / "housekeeping.py.tidied").exists()


def test_one_that_ends_well_all_the_same_has_ended(tmp_path: Path) -> None:
    begun = Event()
    tasklet = make(
        tmp_path, "python", should_stop=begun.is_set, call="housekeeping:heedless", arguments={"begun": begun}
    )
    _, contribution = run(tasklet)
    assert contribution.exit_status == ExitStatus("DONE")


def test_one_that_does_not_react_is_told_in_the_log_and_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "REACTION_SECONDS", 0.1)
    begun, told = Event(), Event()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.set()

    logger, handler = logging.getLogger("batchrun.job.job.step"), Told()
    logger.addHandler(handler)
    try:
        given = {"begun": begun, "until": told}
        tasklet = make(tmp_path, "python", should_stop=begun.is_set, call="housekeeping:deaf", arguments=given)
        _, contribution = run(tasklet)
    finally:
        logger.removeHandler(handler)
    assert contribution.exit_status == ExitStatus("DONE")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "housekeeping:deaf goes on although a stop was asked for" in caplog.text


def test_a_stop_before_the_call_lets_it_not_begin_or_interrupts_it(tmp_path: Path) -> None:
    tasklet = make(
        tmp_path, "python", should_stop=lambda: True, call="housekeeping:for_ever", arguments={"begun": Event()}
    )
    with pytest.raises(StepStoppedError):
        run(tasklet)
