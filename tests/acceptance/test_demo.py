"""The demo of `make demo`, on the sample: continues what was interrupted, and is never refused."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, Ended, Project

SCRIPT = ROOT / "demo" / "load_flights.py"


def run_demo(project: Project) -> Ended:
    return project.run([sys.executable, str(SCRIPT), "data/flights.csv"])


def test_the_demo_continues_a_load_that_failed(tmp_path: Path) -> None:
    project = Project.like_ours(tmp_path)
    (project.folder / "data" / "carriers.csv").mkdir()
    assert run_demo(project).code == 1
    (project.folder / "data" / "carriers.csv").rmdir()
    ended = run_demo(project)
    assert ended.code == 0
    assert "300 flights are in data/flights.db" in ended.out
    assert "run=2" in ended.out.partition("Try next")[2]
    continued, failed = project.history()
    assert continued["restart_of"] == failed["execution_id"]
    assert continued["parameters"]["run"] == failed["parameters"]["run"] == 1


@pytest.mark.parametrize(("status", "run"), [("COMPLETED", 8), ("FAILED", 7), ("STOPPED", 7), ("STARTED", 7)])
def test_the_demo_takes_the_next_run_only_where_the_last_is_done(status: str, run: int) -> None:
    run_after = runpy.run_path(str(SCRIPT))["run_after"]
    assert run_after({"status": status, "parameters": {"run": 7}}) == run
    assert run_after(None) == 1
