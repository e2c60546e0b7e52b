"""How `tune` ends before it is done: nothing of its copies is left, and no traceback told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.tune.conftest import (
    QUICK,
    assert_no_schema_is_left,
    files,
    write_job,
)
from tests.support.commands import wait_until
from tests.support.project import SCRIPTS, Project, environment


@pytest.mark.parametrize("by", ["terminate", "interrupt"])
def test_an_interrupted_measurement_leaves_nothing(
    project: Project, copies: Path, fresh_postgres_schema: str, by: str
) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_schema, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (id int PRIMARY KEY, name text)")
        write_job(project, database=fresh_postgres_schema)
        before = files(project.folder)
        said = copies.parent / "said"
        command = [str(SCRIPTS / "batchrun"), "tune", "load", "input=in.csv"]
        variables = environment({"TMPDIR": str(copies)})
        with said.open("w") as file:
            running = subprocess.Popen(command, cwd=project.folder, stdout=file, stderr=file, env=variables)
        try:
            wait_until(lambda: any(copies.glob("*/run-2/notes/databases/*")) or running.poll() is not None)
            assert running.poll() is None, said.read_text()
            running.send_signal(signal.SIGTERM if by == "terminate" else signal.SIGINT)
            assert running.wait(60) == 130
            assert "error: aborted; the copies are removed, and nothing else was changed\n" in said.read_text()
        finally:
            running.kill()
            running.wait()
        assert list(copies.iterdir()) == []
        assert_no_schema_is_left(connection)
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (0,)
        assert files(project.folder) == before


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.5, 1.0])
def test_ctrl_c_while_processes_are_prepared_shows_no_traceback(
    project: Project, copies: Path, target: sqlite3.Connection, seconds: float
) -> None:
    write_job(project)
    said = copies.parent / "said"
    command = [str(SCRIPTS / "batchrun"), "tune", "load", "input=in.csv"]
    with said.open("w") as file:
        running = subprocess.Popen(
            command,
            cwd=project.folder,
            stdout=file,
            stderr=file,
            env=environment({"TMPDIR": str(copies)}),
            start_new_session=True,  # a terminal sends Ctrl-C to all processes of the group
        )
    try:
        wait_until(lambda: any(copies.iterdir()) or running.poll() is not None)
        assert running.poll() is None, said.read_text()
        time.sleep(seconds)
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(60) == 130
        assert (
            said.read_text().splitlines()[-1] == "error: aborted; the copies are removed, and nothing else was changed"
        )
        assert "Traceback" not in said.read_text()
    finally:
        running.kill()
        running.wait()
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("of_repository", [False, True])
def test_what_a_killed_measurement_has_left_goes_with_the_next(
    project: Project, copies: Path, fresh_postgres_schema: str, of_repository: bool
) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_schema, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (id int PRIMARY KEY, name text)")
        write_job(project, database=fresh_postgres_schema)
        repository = {"BATCHRUN_REPOSITORY": fresh_postgres_schema} if of_repository else {}
        running = subprocess.Popen(
            [str(SCRIPTS / "batchrun"), "tune", "load", "input=in.csv"],
            cwd=project.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment({"TMPDIR": str(copies), **repository}),
        )
        wait_until(lambda: any(copies.glob("*/run-1/notes/databases/*")) or running.poll() is not None)
        time.sleep(1)  # behind the making of the schemas, which a server goes on with
        running.kill()
        running.wait()
        time.sleep(1)  # its processes end with it, a moment later
        assert len(list(copies.iterdir())) == 1
        (copies / "batchrun-copies-mine").mkdir()  # without a lock: who knows whose it is
        write_job(project, database="sqlite:///none.db")  # whatever the next one does
        project.batchrun("tune", "load", "input=in.csv", *QUICK, expect=2, TMPDIR=str(copies))
        assert [each.name for each in copies.iterdir()] == ["batchrun-copies-mine"]
        assert_no_schema_is_left(connection)
