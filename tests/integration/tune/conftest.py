"""A project with a job to be measured, each of whose chunks costs so much that larger ones are faster in any run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Ended, Project

ROWS = 3_000
SLOW = """\
import time


def each_chunk(frame):
    time.sleep(0.005)
    return frame
"""
JOB = """\
name: load
parameters:
  input: {type: path, required: true, must_exist: file}
databases:
  target: "%(database)s"
steps:
%(before)s  - name: load  # the step
    chunk: 10  # too small
    reader: {type: csv, path: "${params.input}", columns: {id: integer, name: string}}
    processors: [{type: python, call: "slow:each_chunk", per: chunk}]
    writer: %(writer)s
"""
TABLE = "{type: table, database: target, table: rows}"
QUICK = ("--sample", "1000", "--rounds", "3")
FEW = 150


def csv(rows: int) -> str:
    return "id,name\n" + "".join(f"{number},name {number}\n" for number in range(rows))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.make(tmp_path / "project")
    made.write("jobs.d/slow.py", SLOW)
    made.write("in.csv", csv(ROWS))
    (tmp_path / "copies").mkdir()
    return made


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def write_job(
    project: Project, *, database: str = "sqlite:///target.db", before: str = "", writer: str = TABLE
) -> Path:
    return project.write("jobs.d/load.yaml", JOB % {"database": database, "before": before, "writer": writer})


def tuned(project: Project, *arguments: str, expect: int = 0) -> Ended:
    copies = project.folder.parent / "copies"
    ended = project.batchrun("tune", "load", "input=in.csv", *QUICK, *arguments, expect=expect, TMPDIR=str(copies))
    assert list(copies.iterdir()) == []
    return ended


def tried(project: Project, *arguments: str) -> str:
    """Runs a job with little to read once; returns what is told of that."""
    project.write("in.csv", csv(FEW))
    return tuned(project, *arguments, expect=2).err


@pytest.fixture
def target(project: Project) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(project.folder / "target.db")) as connection:
        connection.executescript(
            "CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX names ON rows (name);"
            "INSERT INTO rows VALUES (1, 'there'); CREATE TABLE log (text TEXT)"
        )
        yield connection


def files(folder: Path) -> dict[str, bytes]:
    found = (each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def are_schemas_left(connection: Any) -> bool:
    return bool(connection.execute("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'batchrun%'").fetchone())


def assert_no_schema_is_left(connection: Any) -> None:
    assert not are_schemas_left(connection)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'batchrun%'"
    assert connection.execute(tables).fetchall() == []
