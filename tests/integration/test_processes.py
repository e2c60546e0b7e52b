"""Runs as processes: two at once, stopped by signals, killed and found dead (SEMANTICS sections 1 and 7)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import Load, ended, write_input

ROWS = 30_000


@pytest.fixture(scope="module")
def made_input(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Any, ...]]:
    path = tmp_path_factory.mktemp("input") / "rows.csv"
    return path, write_input(path, ROWS)


SLOW = """\
import time

def slowly(item):
    time.sleep(0.0002)
    return item
"""


@pytest.fixture
def load(made_input: tuple[Path, tuple[Any, ...]], tmp_path: Path) -> Load:
    """A load of which each item takes a fifth of a millisecond, in chunks of 500."""
    load = Load.make(tmp_path / "load", made_input[0], "sqlite:///target.db", "sqlite:///repository.db")
    (load.folder / "slow.py").write_text(SLOW)
    job = (load.folder / "load.yaml").read_text()
    job = job.replace("chunk: 5000", "chunk: 500").replace(
        "    processors:\n", '    processors:\n      - {type: python, call: "slow:slowly"}\n'
    )
    (load.folder / "load.yaml").write_text(job)
    return load


def speed_up(load: Load) -> None:
    (load.folder / "slow.py").write_text(SLOW.replace("time.sleep(0.0002)", "pass"))


def rows_of(load: Load) -> tuple[int, int]:
    target = load.folder / "target.db"
    if not target.exists():
        return 0, 0
    with closing(sqlite3.connect(target, timeout=30)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows'").fetchone():
            return 0, 0
        counted: tuple[int, int] = connection.execute("SELECT count(*), count(DISTINCT id) FROM rows").fetchone()
        return counted


def wait_for_rows(load: Load, process: subprocess.Popen[str]) -> None:
    """Waits until the first chunk is committed."""
    deadline = time.monotonic() + 60
    while rows_of(load)[0] == 0:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def check_complete(load: Load, facts: tuple[Any, ...]) -> None:
    assert rows_of(load) == facts[:2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_the_next_commit_and_a_restart_completes(
    load: Load, made_input: tuple[Path, tuple[Any, ...]], number: signal.Signals
) -> None:
    process = load.start(*load.launch_arguments(), "--output", "json")
    wait_for_rows(load, process)
    process.send_signal(number)
    out, err = ended(process, 60)
    assert process.returncode == 4, err
    stopped = json.loads(out)
    assert (stopped["status"], stopped["exit_code"]) == ("STOPPED", "STOPPED")
    assert 0 < stopped["steps"][0]["write_count"] == rows_of(load)[0] < made_input[1][0]
    speed_up(load)
    assert load.run("restart", str(stopped["execution_id"]))["status"] == "COMPLETED"
    check_complete(load, made_input[1])


def test_a_second_sigint_aborts_at_once_and_the_run_is_restartable(
    load: Load, made_input: tuple[Path, tuple[Any, ...]]
) -> None:
    job = (load.folder / "load.yaml").read_text()
    (load.folder / "load.yaml").write_text(job.replace("chunk: 500", "chunk: 40000"))
    (load.folder / "slow.py").write_text(SLOW.replace("0.0002", "0.001"))
    process = load.start(*load.launch_arguments())
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = ended(process, 30)
    assert process.returncode != 0
    assert "Traceback" not in err, err
    speed_up(load)
    assert load.run(*load.launch_arguments())["status"] == "COMPLETED"
    check_complete(load, made_input[1])


def test_of_two_launches_at_the_same_moment_one_runs_and_one_is_refused(
    load: Load, made_input: tuple[Path, tuple[Any, ...]]
) -> None:
    processes = [load.start(*load.launch_arguments(), "--output", "json") for _ in range(2)]
    results = [(ended(process, 120), process.returncode) for process in processes]
    assert sorted(code for _, code in results) == [0, 3], results
    [(_, refusal)] = [texts for texts, code in results if code == 3]
    assert "is already running with these parameters: execution 1, host" in refusal
    assert "Traceback" not in refusal
    check_complete(load, made_input[1])


def test_of_two_restarts_of_a_killed_run_one_goes_on_and_one_is_refused(
    load: Load, made_input: tuple[Path, tuple[Any, ...]]
) -> None:
    process = load.start(*load.launch_arguments())
    wait_for_rows(load, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    restarts = [load.start("restart", "1") for _ in range(2)]
    results = [(ended(each, 120), each.returncode) for each in restarts]
    assert sorted(code for _, code in results) == [0, 3], results
    assert not any("Traceback" in err for (_, err), _ in results)
    check_complete(load, made_input[1])


def test_a_killed_run_is_found_dead_by_a_launch_and_continued(
    load: Load, made_input: tuple[Path, tuple[Any, ...]]
) -> None:
    process = load.start(*load.launch_arguments())
    wait_for_rows(load, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    written = rows_of(load)[0]
    [seen] = load.run("history", "--status", "failed")
    assert (seen["status"], seen["steps"][0]["status"]) == ("FAILED", "FAILED")
    speed_up(load)
    second = load.run(*load.launch_arguments())
    assert second["status"] == "COMPLETED"
    assert second["steps"][0]["write_count"] == made_input[1][0] - written
    newest, dead = load.run("history")
    assert newest["execution_id"] == second["execution_id"]
    assert (dead["status"], dead["steps"][0]["write_count"]) == ("FAILED", written)
    assert "found dead" in dead["exit_description"]
    check_complete(load, made_input[1])


def test_a_launch_of_a_complete_instance_is_refused(load: Load) -> None:
    speed_up(load)
    assert load.run(*load.launch_arguments())["status"] == "COMPLETED"
    process = load.start(*load.launch_arguments())
    _, err = ended(process, 60)
    assert process.returncode == 3
    assert "has already completed with these parameters (execution 1)" in err
