"""How `tune` ends before it is done: nothing of its copies is left, and no traceback told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.tune.conftest import (
    QUICK,
    are_schemas_left,
    assert_no_schema_is_left,
    files,
    write_job,
)
from tests.support.commands import wait_until
from tests.support.project import SCRIPTS, Project, environment


@contextmanager
def measuring(
    project: Project, copies: Path, seen: str, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Gives a measurement that has come to a file in its copies, in a process group of its own, and what it says."""
    said = copies.parent / "said"
    with said.open("w") as file:
        running = subprocess.Popen(
            [str(SCRIPTS / "batchrun"), "tune", "load", "input=in.csv"],
            cwd=project.folder,
            stdout=file,
            stderr=file,
            env=environment({"TMPDIR": str(copies), **variables}),
            start_new_session=True,
        )
    try:
        wait_until(lambda: any(copies.glob(seen)) or running.poll() is not None)
        assert running.poll() is None, said.read_text()
        yield running, said
    finally:
        running.kill()
        running.wait()


def are_processes_in(folder: Path) -> bool:
    """Tells whether a process has its current directory there."""
    for each in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if each.readlink().is_relative_to(folder):
                return True
    return False


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_measurement_leaves_nothing(
    project: Project, copies: Path, fresh_postgres_database: str, by: signal.Signals
) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (id int PRIMARY KEY, name text)")
        write_job(project, database=fresh_postgres_database)
        before = files(project.folder)
        with measuring(project, copies, "*/run-2/notes/databases/*") as (running, said):
            running.send_signal(by)
            assert running.wait(60) == 130
        assert "error: aborted; the copies are removed, and nothing else was changed\n" in said.read_text()
        assert list(copies.iterdir()) == []
        assert_no_schema_is_left(connection)
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (0,)
        assert files(project.folder) == before


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.5, 1.0])
def test_ctrl_c_while_processes_are_prepared_shows_no_traceback(
    project: Project, copies: Path, target: sqlite3.Connection, seconds: float
) -> None:
    write_job(project)
    with measuring(project, copies, "*") as (running, said):
        time.sleep(seconds)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal sends Ctrl-C
        assert running.wait(60) == 130
    assert said.read_text().splitlines()[-1] == "error: aborted; the copies are removed, and nothing else was changed"
    assert "Traceback" not in said.read_text()
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("of_repository", [False, True])
def test_what_a_killed_measurement_has_left_goes_with_the_next(
    project: Project, copies: Path, fresh_postgres_database: str, of_repository: bool
) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (id int PRIMARY KEY, name text)")
        write_job(project, database=fresh_postgres_database)
        repository = {"BATCHRUN_REPOSITORY": fresh_postgres_database} if of_repository else {}
        with measuring(project, copies, "*/run-1/notes/databases/*", **repository) as (running, _):
            wait_until(lambda: are_schemas_left(connection))  # the note of one comes before it
            running.kill()
        wait_until(lambda: not are_processes_in(copies))
        assert len(list(copies.iterdir())) == 1
        (copies / "batchrun-copies-mine").mkdir()  # without a lock: who knows whose it is
        write_job(project, database="sqlite:///none.db")  # whatever the next one does
        project.batchrun("tune", "load", "input=in.csv", *QUICK, expect=2, TMPDIR=str(copies))
        assert [each.name for each in copies.iterdir()] == ["batchrun-copies-mine"]
        assert_no_schema_is_left(connection)
