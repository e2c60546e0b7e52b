"""The form junit: what Jenkins and GitLab get of a run, of a check, and of a command that failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from batchrun.cli.reports.junit import junit_text
from batchrun.cli.reports.run import RunResult
from batchrun.domain.status import BatchStatus
from batchrun.errors import DefinitionError, InstanceCompleteError
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import PARAMETERS, ApplicationDouble, execution_of, step_of
from tests.unit.cli.junit_shape import parsed
from tests.unit.cli.test_cli_checking import MISSPELT, PLACELESS, WARNING, job_double

Run = Callable[..., Result]


def case(root: Element, name: str) -> Element:
    found = root.find(f"testsuite/testcase[@name='{name}']")
    assert found is not None
    return found


def failed_restart() -> ApplicationDouble:
    """The first execution completed `first`, the second one failed in `load`."""
    first = execution_of(
        step_of("first", read=4, write=4, execution_id=6),
        step_of("load", BatchStatus.FAILED, execution_id=6),
        id=6,
        status=BatchStatus.FAILED,
    )
    second = execution_of(
        step_of("load", BatchStatus.FAILED, description="in.csv:17: 'a' is no integer\nsecond line", read=16, write=10),
        status=BatchStatus.FAILED,
        description="in.csv:17",
        restart_of=6,
        parameters=PARAMETERS,
    )
    return ApplicationDouble(executions=[first, second], ends=second)


@pytest.fixture
def application() -> ApplicationDouble:
    return failed_restart()


def test_a_step_is_a_test_case_of_the_jobs_suite(batchrun: Run) -> None:
    result = batchrun("launch", "x", "--output", "junit")
    assert result.code == 1
    root = parsed(result.out)
    suite = root[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (
        "load-trades", "2", "1", "1",
    )  # fmt: skip
    assert suite.get("timestamp") == "2026-07-30T05:02:11"
    assert suite.get("time") == "8.100"
    load = case(root, "load")
    assert (load.get("classname"), load.get("time")) == ("load-trades", "8.000")
    assert (load.findtext("system-out") or "").splitlines() == [
        "status: FAILED", "time: 8.0s", "read: 16", "written: 10", "commits: 0",
    ]  # fmt: skip


def test_a_failed_step_tells_message_and_type(batchrun: Run) -> None:
    failure = case(parsed(batchrun("restart", "6", "-o", "junit").out), "load").find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("in.csv:17: 'a' is no integer", "FAILED")
    assert (failure.text or "").splitlines() == [
        "/project/jobs.d/load_trades.yaml",
        "in.csv:17: 'a' is no integer",
        "second line",
    ]


def test_a_step_that_completed_before_is_skipped_and_says_where(batchrun: Run) -> None:
    skipped = case(parsed(batchrun("launch", "x", "-o", "junit").out), "first").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "completed before, in execution 6"


def test_properties_hold_ids_exit_codes_and_parameters(batchrun: Run) -> None:
    root = parsed(batchrun("launch", "x", "-o", "junit").out)
    properties = {each.get("name"): each.get("value") for each in root.iterfind("testsuite/properties/property")}
    assert properties["execution_id"] == "7"
    assert properties["restart_of"] == "6"
    assert properties["exit_code"] == "FAILED"
    assert properties["process_exit_code"] == "1"
    assert properties["parameters.day"] == "2026-07-30"
    assert "parameters.note" not in properties


def test_a_job_that_fails_without_a_failed_step_is_a_case_of_its_own(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.ends = execution_of(step_of(), status=BatchStatus.FAILED, code="BAD INPUT")
    failure = case(parsed(batchrun("launch", "x", "-o", "junit").out), "load-trades").find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("the job ended FAILED, exit code BAD INPUT", "BAD INPUT")


def test_a_stopped_step_is_an_error(batchrun: Run, application: ApplicationDouble) -> None:
    application.ends = execution_of(step_of(status=BatchStatus.STOPPED), status=BatchStatus.STOPPED)
    result = batchrun("launch", "x", "-o", "junit")
    assert result.code == 4
    error = case(parsed(result.out), "load").find("error")
    assert error is not None
    assert (error.get("message"), error.get("type")) == ("stopped before its end", "STOPPED")


def test_skips_are_a_failure_only_with_fail_on_skips(batchrun: Run, application: ApplicationDouble) -> None:
    application.ends = execution_of(step_of(code="COMPLETED WITH SKIPS", read_skip=2, write_skip=1))
    load = case(parsed(batchrun("launch", "x", "-o", "junit").out), "load")
    assert load.find("failure") is None
    assert "warning: 3 items skipped" in (load.findtext("system-out") or "")
    failure = case(parsed(batchrun("launch", "x", "--fail-on-skips", "-o", "junit").out), "load").find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("3 items skipped", "COMPLETED WITH SKIPS")


def test_visits_of_a_step_are_told_apart(batchrun: Run, application: ApplicationDouble) -> None:
    again = step_of()
    again.visit = 2
    application.ends = execution_of(step_of(), again)
    names = [each.get("name") for each in parsed(batchrun("launch", "x", "-o", "junit").out).iter("testcase")]
    assert names == ["load", "load (visit 2)"]


def test_characters_that_xml_forbids_are_replaced_and_all_others_kept() -> None:
    told = "\x00\x1b[31m <&>\"' \ud800 \uffff é 試 \U0001f600"
    failed = execution_of(step_of(status=BatchStatus.FAILED, description=told), status=BatchStatus.FAILED)
    text = junit_text(RunResult(failed, 1).report())
    assert text.isascii()
    failure = case(parsed(text), "load").find("failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.get("message") == "\ufffd\ufffd[31m <&>\"' \ufffd \ufffd é 試 \U0001f600"


def test_work_that_had_completed_before_is_skipped(batchrun: Run, application: ApplicationDouble) -> None:
    application.executions = [execution_of(step_of(execution_id=5), id=5)]
    application.script = _complete
    result = batchrun("launch", "x", "--if-complete", "skip", "-o", "junit")
    assert result.code == 0
    skipped = case(parsed(result.out), "load").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "completed before, in execution 5"


def _complete(*_: object) -> None:
    raise InstanceCompleteError("load-trades", 5, has_identifying=True)


def test_a_refused_launch_is_an_error_of_the_command(batchrun: Run, application: ApplicationDouble) -> None:
    application.script = _complete
    result = batchrun("launch", "x", "-o", "junit")
    assert result.code == 3
    error = case(parsed(result.out), "batchrun launch").find("error")
    assert error is not None
    assert error.get("type") == "InstanceCompleteError"
    assert (error.text or "").endswith("\nhint: launch it with other identifying parameters, or once more with --next")


def test_a_problem_of_a_job_file_is_a_test_case_with_its_place(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = DefinitionError([MISSPELT, PLACELESS])
    for command in ("validate", "launch"):
        result = batchrun(command, "x", "-o", "junit")
        assert result.code == 5
        root = parsed(result.out)
        failure = case(root, "steps[0].reader.delimeter").find("failure")
        assert failure is not None
        assert failure.text == (
            "jobs.d/x.yaml:23:7\nunknown option 'delimeter' of reader 'csv'\ndid you mean 'delimiter'?"
        )
        assert case(root, "jobs.d/y.yaml").find("failure") is not None


def test_a_valid_job_file_is_a_test_case_and_so_are_its_warnings(batchrun: Run, application: ApplicationDouble) -> None:
    application.job = job_double(warnings=[WARNING])
    root = parsed(batchrun("validate", "x", "-o", "junit").out)
    assert root[0].get("failures") == "0"
    assert case(root, "/project/jobs.d/load_trades.yaml") is not None
    assert case(root, "jobs.d/x.yaml:3:1").findtext("system-out") == "warning: step 'x' has no effect"


def test_several_forms_are_written_at_once(batchrun: Run, tmp_path: Path) -> None:
    xml, document, text = tmp_path / "deep" / "r.xml", tmp_path / "r.json", tmp_path / "r.txt"
    result = batchrun("launch", "x", "-o", f"junit={xml}", "-o", f"json={document}", "-o", f"text={text}")
    assert result.out.startswith("✗ load-trades FAILED")
    assert parsed(xml.read_text(encoding="utf-8"))[0].get("name") == "load-trades"
    assert json.loads(document.read_text(encoding="utf-8"))["execution_id"] == 7
    assert text.read_text(encoding="utf-8") == result.out


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(
    batchrun: Run, application: ApplicationDouble, tmp_path: Path
) -> None:
    result = batchrun("launch", "x", "-o", f"junit={tmp_path}")
    assert result.code == 2
    assert result.err == f"error: {tmp_path} cannot be written: Is a directory\n"
    assert application.calls == []


def test_an_error_goes_to_the_files_too(batchrun: Run, application: ApplicationDouble, tmp_path: Path) -> None:
    application.raises = KeyError("chunk")
    assert batchrun("launch", "x", "-o", f"junit={tmp_path / 'r.xml'}").code == 70
    error = case(parsed((tmp_path / "r.xml").read_text(encoding="utf-8")), "batchrun launch").find("error")
    assert error is not None
    assert error.get("type") == "KeyError"
