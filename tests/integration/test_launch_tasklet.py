"""The tasklet `launch` on real processes: the job that it launches outlives the death of the one that launched it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHILD = """\
name: child
parameters: {day: {type: date}}
steps:
  - {name: work, tasklet: {type: shell, command: "echo begun >> runs; while [ ! -e go ]; do sleep 0.1; done"}}
"""
PARENT = """\
name: parent
parameters: {day: {type: date}}
steps:
  - {name: kid, tasklet: {type: launch, job: child, parameters: {day: "${params.day}"}}}
"""
SECONDS = 120


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "jobs.d").mkdir()
        (folder / "batchrun.toml").touch()
        (folder / "jobs.d" / "child.yaml").write_text(CHILD)
        (folder / "jobs.d" / "parent.yaml").write_text(PARENT)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "batchrun", "--repository", "sqlite:///other.db", *arguments, "--output", "json"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, expect: int = 0) -> Any:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == expect, err
        return json.loads(out)

    def runs(self) -> int:
        file = self.folder / "runs"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def executions(self) -> list[tuple[str, str]]:
        return [(each["job_name"], each["status"]) for each in reversed(self.run("history"))]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_job_is_launched_on_the_same_repository_and_waited_for(project: Project) -> None:
    (project.folder / "go").touch()
    assert project.run("launch", "parent", "day=2026-07-31")["status"] == "COMPLETED"
    assert project.executions() == [("parent", "COMPLETED"), ("child", "COMPLETED")]


def test_a_job_that_outlived_the_one_that_launched_it_is_waited_for(project: Project) -> None:
    parent = project.start("launch", "parent", "day=2026-07-31")
    wait_until(lambda: project.runs() == 1)
    os.killpg(parent.pid, signal.SIGKILL)
    parent.communicate()
    again = project.start("launch", "parent", "day=2026-07-31")
    wait_until(lambda: project.executions()[-1] == ("parent", "STARTED"))
    (project.folder / "go").touch()
    _, err = again.communicate(timeout=SECONDS)
    assert again.returncode == 0, err
    assert project.runs() == 1
    assert project.executions() == [("parent", "FAILED"), ("child", "COMPLETED"), ("parent", "COMPLETED")]


def test_a_stop_goes_to_both_and_a_restart_continues_both(project: Project) -> None:
    parent = project.start("launch", "parent", "day=2026-07-31")
    wait_until(lambda: project.runs() == 1)
    parent.terminate()
    parent.communicate(timeout=SECONDS)
    assert parent.returncode == 4
    assert project.executions() == [("parent", "STOPPED"), ("child", "STOPPED")]
    (project.folder / "go").touch()
    assert project.run("restart", "1")["status"] == "COMPLETED"
    assert project.executions()[2:] == [("parent", "COMPLETED"), ("child", "COMPLETED")]


SECRET_CHILD = """\
name: child
parameters: {key: {type: secret, required: true}, odd: {type: string}}
steps:
  - name: work
    tasklet:
      type: shell
      command: [sh, look.sh]
      environment: {ODD: "${params.odd}", KEY: "${params.key}"}
"""
LOOK = """\
echo "$ODD" > odd
cat /proc/*/cmdline 2> errors | tr '\\0' ' ' > seen
touch done
"""
SECRET_PARENT = """\
name: parent
parameters: {odd: {type: string}}
steps:
  - name: kid
    tasklet:
      {type: launch, job: child, wait: WAIT, parameters: {key: "${secrets.KEY}", odd: "${params.odd}"}}
"""
ODD = 'two "words" = \u2028 \u0085 \U0001f600 #\n- x'


@pytest.mark.parametrize("wait", ["true", "false"])
def test_parameters_arrive_as_they_are_and_secrets_are_in_no_list_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    monkeypatch.setenv("KEY", "s3cret-of-the-test")
    project = Project(tmp_path)
    (tmp_path / "look.sh").write_text(LOOK)
    (tmp_path / "jobs.d" / "child.yaml").write_text(SECRET_CHILD)
    (tmp_path / "jobs.d" / "parent.yaml").write_text(SECRET_PARENT.replace("WAIT", wait))
    assert project.run("launch", "parent", f"odd={ODD}")["status"] == "COMPLETED"
    deadline = time.monotonic() + SECONDS
    while not (tmp_path / "done").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (tmp_path / "odd").read_text() == f"{ODD}\n"
    seen = (tmp_path / "seen").read_text()
    assert "launch child" in seen
    assert "s3cret" not in seen
    assert project.run("wait", "2")["status"] == "COMPLETED"
