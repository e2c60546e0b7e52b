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
