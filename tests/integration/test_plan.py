"""`--plan` on real files: what it says of positions and refusals is what the restart then does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Ended, Project

JOB = """
name: copy
databases: {db: "sqlite:///data.db"}
steps:
  - name: prepare
    tasklet: {type: shell, command: ["true"]}
  - name: copy
    chunk: 3
    reader: {type: csv, path: in.csv, columns: {n: integer}}
    writer: WRITER
  - name: check
    tasklet: {type: shell, command: ["true"]}
"""
TO_FILE = "{type: csv, path: out.csv}"
TO_TABLE = "{type: table, database: db, table: numbers, create: true}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.make(tmp_path)


def failed(project: Project, writer: str = TO_FILE) -> None:
    """Runs the job until it fails at the last of its lines."""
    project.write("copy.yaml", JOB.replace("WRITER", writer))
    project.write("in.csv", "n\n" + "\n".join(map(str, range(1, 8))) + "\nx\n")
    project.batchrun("launch", "copy.yaml", expect=1)


def steps(ended: Ended) -> dict[str, Any]:
    return {step["name"]: step for step in ended.document["steps"]}


def test_the_plan_names_the_line_where_the_restart_goes_on(project: Project) -> None:
    failed(project)
    planned = steps(project.batchrun("restart", "1", "--plan", "--output", "json"))
    assert planned["prepare"]["action"] == "skip"
    assert planned["prepare"]["execution_id"] == 1
    assert (planned["copy"]["action"], planned["copy"]["position"]) == ("resume", "in.csv:8")
    assert planned["copy"]["position_is_exact"]
    assert (planned["check"]["action"], planned["check"]["condition"]) == ("start", "when copy has completed")
    restarted = project.batchrun("restart", "1", "--output", "json", expect=1)
    assert "in.csv:9" in restarted.err, "the line of the bad record, the second of the chunk"


def test_a_plan_changes_nothing(project: Project) -> None:
    failed(project)
    before = project.batchrun("history", "--output", "json").out
    project.batchrun("restart", "1", "--plan")
    project.batchrun("launch", "copy.yaml", "--plan")
    assert project.batchrun("history", "--output", "json").out == before


def test_a_target_may_be_one_commit_ahead_of_what_the_plan_knows(project: Project) -> None:
    failed(project, TO_TABLE)
    ended = project.batchrun("restart", "1", "--plan")
    assert "resume       at in.csv:8, or up to one commit further; failed in execution 1" in ended.out


def test_the_plan_sees_that_the_input_has_changed(project: Project) -> None:
    failed(project)
    project.write("in.csv", "n\n1\n")
    planned = steps(project.batchrun("restart", "1", "--plan", "--output", "json"))
    assert planned["copy"]["action"] == "blocked"
    assert planned["copy"]["reason"].startswith("in.csv has changed")
    assert planned["check"]["action"] == "not reached"


def test_the_plan_is_refused_where_the_restart_would_be(project: Project) -> None:
    failed(project)
    project.write("in.csv", "n\n" + "\n".join(map(str, range(1, 9))) + "\n")
    project.batchrun("restart", "1")
    for command in (["restart", "1"], ["restart", "2"], ["launch", "copy.yaml"]):
        planned = project.batchrun(*command, "--plan", expect=3)
        assert planned.err == project.batchrun(*command, expect=3).err


def test_the_plan_is_refused_where_a_changed_file_would_be(project: Project) -> None:
    failed(project)
    project.write("copy.yaml", JOB.replace("WRITER", TO_FILE).replace("name: prepare", "name: other"))
    planned = project.batchrun("restart", "1", "--plan", expect=3)
    refused = project.batchrun("restart", "1", expect=3)
    assert planned.errors == refused.errors != []
    project.batchrun("restart", "1", "--plan", "--allow-changed")


@pytest.mark.parametrize("more", [["--detach"], ["--output", "junit"], ["--output", "json=plan.json"]])
def test_a_plan_cannot_be_what_only_a_run_can(project: Project, more: list[str]) -> None:
    failed(project)
    project.batchrun("restart", "1", "--plan", *more, expect=2)
    assert len(project.history()) == 1


def test_the_plan_names_the_execution_of_a_child(project: Project) -> None:
    failed(project)
    project.write("parent.yaml", "name: parent\nsteps: [{name: child, job: copy.yaml}]\n")
    project.batchrun("launch", "parent.yaml", expect=1)
    planned = steps(project.batchrun("restart", "--plan", "--output", "json"))
    assert planned["child"]["reason"] == "continues execution 3 of copy"
    assert planned["child"]["child_execution_id"] == 3
