"""Every exit code of SEMANTICS section 9, through the command line, in all forms and on all rungs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from batchrun.cli.program import run
from tests.support.project import Project
from tests.unit.cli.junit_shape import parsed

JOB = """\
name: ends
parameters:
  day: {type: string, default: "1"}
  how: {type: string, default: COMPLETED, identifying: false}
exit_codes: {NOTHING TO DO: 12, BAD INPUT: 63}
steps:
  - name: first
    tasklet: {type: shell, command: ["true"]}
  - name: end
    tasklet: {type: python, call: "ending:end", arguments: {how: "${params.how}"}}
flow:
  - {from: first, to: end}
  - {from: end, on: NOTHING TO DO, end: NOTHING TO DO}
  - {from: end, on: BAD INPUT, fail: BAD INPUT}
  - {from: end, on: FAILED, fail: FAILED}
  - {from: end, on: COMPLETED*, end: COMPLETED}
"""
ENDING = """\
import os
import signal


def end(how):
    if how == "ERROR":
        raise ValueError("it is broken")
    return how


def stop():
    os.kill(os.getpid(), signal.SIGTERM)


def skip():
    return "COMPLETED WITH SKIPS"
"""
SHELL = '{type: shell, command: ["true"]}'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path / "project")
    project.write("jobs.d/ends.yaml", JOB)
    project.write("jobs.d/ending.py", ENDING)
    return project


def test_a_completed_job_exits_with_0(project: Project) -> None:
    project.batchrun("launch", "ends", expect=0)


def test_nothing_to_do_exits_with_0_where_that_is_asked_for(project: Project) -> None:
    project.batchrun("launch", "ends")
    told = project.batchrun("launch", "ends", "--if-complete", "skip", expect=0)
    assert told.out == "ends has completed with these parameters: execution 1\n"


def test_a_failed_job_exits_with_1(project: Project) -> None:
    project.batchrun("launch", "ends", "how=ERROR", expect=1)


@pytest.mark.parametrize(
    "arguments",
    [("lanch",), ("launch",), ("launch", "ends", "--no"), ("show", "7"), ("launch", "ends", "-o", "xml")],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(project: Project, arguments: tuple[str, ...]) -> None:
    assert project.batchrun(*arguments, expect=2).out == ""


def test_a_refused_launch_exits_with_3(project: Project) -> None:
    project.batchrun("launch", "ends")
    project.batchrun("launch", "ends", expect=3)
    told = project.batchrun("launch", "ends", "--output", "json", expect=3).document["error"]
    assert (told["code"], told["type"], told["execution_id"]) == (3, "InstanceCompleteError", 1)


def test_an_abandoned_execution_exits_with_3(project: Project) -> None:
    project.batchrun("launch", "ends", "how=ERROR", expect=1)
    project.batchrun("abandon", "1")
    project.batchrun("launch", "ends", expect=3)
    project.batchrun("restart", "1", expect=3)


def test_a_stopped_job_exits_with_4(project: Project) -> None:
    project.write("jobs.d/ends.yaml", JOB.replace(SHELL, '{type: python, call: "ending:stop"}'))
    assert project.execution("launch", "ends", expect=4)["status"] == "STOPPED"


def test_a_wrong_job_file_or_parameter_exits_with_5(project: Project) -> None:
    project.batchrun("launch", "ends", "dya=1", expect=5)
    project.write("jobs.d/wrong.yaml", "name: wrong\nsteps: []\n")
    for command in ("launch", "validate"):
        project.batchrun(command, "wrong", expect=5)
    told = project.batchrun("launch", "wrong", "--output", "json", expect=5).document["error"]
    assert [(each["line"], each["path"]) for each in told["problems"]] == [(2, "steps")]


def test_a_repository_that_cannot_be_reached_exits_with_6(project: Project) -> None:
    elsewhere = ("--repository", "sqlite:///batchrun.toml/no-folder.db")
    project.batchrun("launch", "ends", *elsewhere, expect=6)
    assert project.batchrun("history", *elsewhere, "-o", "json", expect=6).document["error"]["code"] == 6


def test_a_repository_of_another_version_exits_with_6(project: Project) -> None:
    project.batchrun("launch", "ends")
    with closing(sqlite3.connect(project.folder / ".batchrun" / "repository.db")) as connection, connection:
        connection.execute("UPDATE batchrun_version SET version_num = '9999'")
    project.batchrun("launch", "ends", expect=6)


def test_the_jobs_own_exit_codes_become_the_processs(project: Project) -> None:
    project.batchrun("launch", "ends", "day=1", "how=NOTHING TO DO", expect=12)
    project.batchrun("launch", "ends", "day=2", "how=BAD INPUT", expect=63)
    project.batchrun("restart", "2", expect=63)


@pytest.mark.parametrize("options", [(), ("--output", "json")])
def test_skips_exit_with_0_and_with_10_where_they_are_to_fail(project: Project, options: tuple[str, ...]) -> None:
    skips = ("launch", "ends", "how=COMPLETED WITH SKIPS", *options)
    project.batchrun(*skips, "day=1", expect=0)
    told = project.batchrun(*skips, "day=2", "--fail-on-skips", expect=10)
    assert "error: ends has skipped items, which --fail-on-skips makes a failure\n" in told.err
    project.batchrun("launch", "ends", "--fail-on-skips", "day=3", *options, expect=0)


def test_skips_of_an_execution_that_is_continued_count_too(project: Project) -> None:
    project.write("jobs.d/ends.yaml", JOB.replace(SHELL, '{type: python, call: "ending:skip"}'))
    project.batchrun("launch", "ends", "how=ERROR", "--fail-on-skips", expect=1)
    project.batchrun("restart", "1", "how=COMPLETED", "--fail-on-skips", expect=10)


def test_a_defect_exits_with_70(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(**_: object) -> object:
        raise RuntimeError("a bug")

    assert run(["history"], broken) == 70  # type: ignore[arg-type]
    assert "error: a defect of batchrun itself: RuntimeError: a bug\n" in capsys.readouterr().err


def test_exit_codes_are_the_same_in_all_forms_and_on_all_rungs(project: Project) -> None:
    for options in (("-o", "junit"), ("-o", "github"), ("-q",), ("-qq",), ("-v",)):
        project.batchrun("launch", "ends", f"day={options}", "how=BAD INPUT", *options, expect=63)
        project.batchrun("launch", "ends", "dya=1", *options, expect=5)


def test_the_files_of_a_run_on_github_tell_what_happened(project: Project) -> None:
    summary = project.folder / "summary.md"
    ended = project.batchrun(
        "launch", "ends", "how=ERROR", "-o", "junit=reports/ends.xml", expect=1,
        GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary), GITHUB_WORKSPACE=str(project.folder),
    )  # fmt: skip
    assert "::error file=jobs.d/ends.yaml,line=9,title=ends%3A end::" in ended.err
    assert "batchrun restart 1" in summary.read_text(encoding="utf-8")
    suite = parsed((project.folder / "reports" / "ends.xml").read_text(encoding="utf-8"))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
