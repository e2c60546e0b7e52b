"""Flows of every kind in real runs: through the command line, on a repository of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project, step

FLOW = """\
parameters: {folder: {type: path}}
steps:
  - {name: count, promote: [said], tasklet: {type: shell, command: "ls ${params.folder} | wc -l", output: said}}
  - name: enough
    decision:
      type: expression
      when: [{if: "steps.count.exit_code = 'COMPLETED' AND steps.count.visit = 1", then: ENOUGH}]
      otherwise: TOO FEW
flow:
  - {from: count, to: enough}
  - {from: enough, on: ENOUGH, end: }
  - {from: enough, on: TOO FEW, fail: TOO FEW}
"""

JOB = """\
name: rounds
parameters: {folder: {type: path, required: true}, rounds: {type: integer, default: 3}}
steps:
  - {name: work, max_visits: 5, tasklet: {type: shell, command: "touch ${params.folder}/$(date +%s%N)"}}
  - name: again
    decision:
      type: expression
      when: [{if: "steps.work.visit < params.rounds", then: AGAIN}]
      otherwise: ON
  - {name: exports, parallel: [[left, more], {name: checks, include: ../flows/checks.yaml}]}
  - {name: left, tasklet: {type: shell, command: "true"}}
  - {name: more, parallel: [[gate], [right]]}
  - {name: gate, tasklet: {type: shell, command: "test -e ${params.folder}/../open"}}
  - {name: right, tasklet: {type: shell, command: "true"}}
  - {name: last, tasklet: {type: shell, command: "echo ${steps.checks.count.visit} ${job.context.said} > last.txt"}}
flow:
  - {from: work, to: again}
  - {from: again, on: AGAIN, to: work}
  - {from: again, on: ON, to: exports}
  - {from: exports, to: last}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path)
    (project.folder / "in").mkdir()
    project.write("jobs.d/rounds.yaml", JOB)
    project.write("flows/checks.yaml", FLOW)
    return project


def names(execution: dict[str, object]) -> list[str]:
    steps = execution["steps"]
    assert isinstance(steps, list)
    return [each["name"] for each in steps]


def test_a_loop_branches_and_an_included_flow_go_on_where_they_were(project: Project) -> None:
    failed = project.execution("launch", "rounds", "folder=in", expect=1)
    assert names(failed)[:6] == ["work", "again", "work", "again", "work", "again"]
    assert sorted(names(failed)[6:]) == sorted(
        ["exports", "left", "more", "gate", "right", "checks", "checks.count", "checks.enough"]
    )
    assert step(failed, "checks.enough")["exit_code"] == "ENOUGH"
    assert (step(failed, "right")["status"], step(failed, "gate")["status"]) == ("COMPLETED", "FAILED")
    project.write("open", "")
    execution = project.execution("restart", "1")
    assert names(execution) == ["exports", "more", "gate", "last"]
    assert execution["status"] == "COMPLETED"
    assert (project.folder / "last.txt").read_text() == "1 3\n"


def test_a_loop_ends_at_its_limit(project: Project) -> None:
    failed = project.execution("launch", "rounds", "folder=in", "rounds=9", expect=1)
    assert names(failed).count("work") == 5
    assert "max_visits" in failed["exit_description"]


def test_two_jobs_reuse_one_flow_and_a_change_in_it_is_reported(project: Project) -> None:
    project.write(
        "jobs.d/other.yaml",
        "name: other\nparameters: {folder: {type: path}}\nsteps:\n  - {name: c, include: ../flows/checks.yaml}\n"
        "  - {name: gate, tasklet: {type: shell, command: test -e open}}\n",
    )
    other = project.execution("launch", "other", "folder=in", expect=1)
    assert names(other) == ["c", "c.count", "c.enough", "gate"]
    project.execution("launch", "rounds", "folder=in", expect=1)
    project.write("flows/checks.yaml", FLOW + "# changed\n")
    project.write("open", "")
    ended = project.batchrun("restart", str(other["execution_id"]))
    assert "has changed since execution" in ended.err


PARENT = """\
name: parent
parameters:
  day: {type: date, required: true}
  wait: {type: duration, default: 90s}
  names: {type: list, default: [a, "b,c"]}
steps:
  - {name: first, tasklet: {type: shell, command: "true"}}
  - name: child
    job: {name: child, parameters: {day: "${params.day}", wait: "${params.wait}", names: "${params.names}"}}
  - {name: last, tasklet: {type: shell, command: "true"}}
"""

CHILD = """\
name: child
parameters: {day: {type: date}, wait: {type: duration}, names: {type: list}}
steps:
  - {name: once, tasklet: {type: shell, command: "true"}}
  - {name: gate, tasklet: {type: shell, command: "test -e open"}}
"""


def test_a_child_job_that_fails_is_restarted_with_its_parent(project: Project) -> None:
    project.write("jobs.d/parent.yaml", PARENT)
    project.write("jobs.d/child.yaml", CHILD)
    failed = project.execution("launch", "parent", "day=2026-01-31", expect=1)
    assert names(failed) == ["first", "child"]
    child = project.execution("show", "2")
    assert (child["job_name"], names(child)) == ("child", ["once", "gate"])
    assert child["parameters"]["names"] == ["a", "b,c"]
    assert child["parameters"]["day"] == "2026-01-31"
    project.write("open", "")
    execution = project.execution("restart", "1")
    assert (execution["status"], names(execution)) == ("COMPLETED", ["child", "last"])
    again = project.execution("show", "4")
    assert (again["restart_of"], names(again)) == (2, ["gate"])


def test_a_child_that_has_completed_elsewhere_is_refused_or_taken_as_done(project: Project) -> None:
    project.write("jobs.d/parent.yaml", PARENT)
    project.write("jobs.d/child.yaml", CHILD)
    project.write("open", "")
    project.execution("launch", "child", "day=2026-01-31", "wait=90s", 'names=["a", "b,c"]')
    failed = project.execution("launch", "parent", "day=2026-01-31", expect=1)
    assert "already completed" in step(failed, "child")["exit_description"]
    project.write("jobs.d/parent.yaml", PARENT.replace("job: {name: child", "job: {name: child, if_complete: skip"))
    assert project.execution("restart", str(failed["execution_id"]))["status"] == "COMPLETED"


def test_validate_reads_the_child_too(project: Project) -> None:
    project.write("jobs.d/parent.yaml", PARENT.replace("{day:", "{dya:"))
    project.write("jobs.d/child.yaml", CHILD.replace("day: {type: date}", "day: {type: date, required: true}"))
    ended = project.batchrun("validate", "parent", expect=5)
    assert "job 'child' has no parameter 'dya'; did you mean 'day'?" in ended.err
    assert "jobs.d/parent.yaml:9:17: error: job 'child' needs the parameter 'day'" in ended.err
