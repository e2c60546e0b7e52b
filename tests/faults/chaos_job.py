"""A job with a step of each kind that chaos is to strike: plain, skipping, retrying, bisecting, and some into files."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.project import SCRIPTS, Project, environment

ITEMS = 50

JOB = """\
name: load-all
parameters:
  input: {{type: path, required: true}}
databases:
  target: "{target}"
steps:
  - name: plain
    chunk: 7
    reader: &rows
      type: csv
      path: ${{params.input}}
      columns: {{id: integer, amount: integer, kind: string}}
    skip: {{errors: [ParseError], limit: 10}}
    processors: [{{type: filter, where: "kind <> 'none'"}}]
    writer: {{type: table, database: target, table: plain, create: true}}
  - name: skipping
    chunk: 7
    reader: *rows
    processors: [{{type: python, call: "faults:refuse"}}]
    skip: {{errors: [ParseError, ValueError], limit: 20}}
    rejects: {{type: table, database: target, table: rejected}}
    writer: {{type: table, database: target, table: skipping, create: true, mode: replace}}
  - name: retrying
    chunk: 7
    reader: *rows
    processors: [{{type: python, call: "faults:once"}}]
    skip: {{errors: [ParseError], limit: 20}}
    retry: {{errors: [ConnectionError], limit: 3, backoff: {{type: fixed, initial: 1ms}}}}
    writer: {{type: table, database: target, table: retrying, create: true}}
  - name: bisecting
    chunk: 7
    reader: *rows
    skip: {{errors: [ParseError, WriteError], limit: 30}}
    rejects: {{type: csv, path: out/rejected.csv}}
    writer: {{type: table, database: target, table: bisected}}
  - name: export
    chunk: 10
    reader: {{type: query, database: target, query: "SELECT id, amount FROM plain", key: [id]}}
    writer: {{type: json_lines, path: out/rows.jsonl}}
  - name: pack
    chunk: 10
    reader: {{type: query, database: target, query: "SELECT id, amount FROM plain", key: [id]}}
    writer: {{type: parquet, path: out/rows.parquet}}
  - name: unpack
    chunk: 7
    reader: {{type: parquet, path: out/rows.parquet, piece_rows: 11}}
    writer: {{type: csv, path: out/rows.csv}}
  - name: total
    tasklet: {{type: sql, database: target, statement: "INSERT INTO bisected (id, amount, kind) SELECT 1000, 1, 'sum'"}}
"""

FAULTS = '''\
"""What goes wrong in the steps of the job."""

_seen = set()


def refuse(item):
    if item["id"] % 11 == 5:
        raise ValueError("refused")
    return item


def once(item):
    """Fails at the first attempt of each process."""
    if item["id"] % 9 == 4 and item["id"] not in _seen:
        _seen.add(item["id"])
        raise ConnectionError("try again")
    return item
'''

CREATE = (
    "CREATE TABLE bisected (id INTEGER PRIMARY KEY, amount INTEGER CHECK (amount <> 13 AND amount < 45), kind TEXT)"
)
BEFORE = "INSERT INTO bisected VALUES (-1, 1, 'before')"


def make_project(folder: Path, target: str, job: str = JOB) -> Project:
    """Makes a project with the job, its input and its target."""
    project = Project.make(folder)
    project.write("jobs.d/load.yaml", job.format(target=target))
    project.write("jobs.d/faults.py", FAULTS)
    project.write("out/kept.txt", "there before\n")
    bad = {8: "x", 30: "y"}
    lines = [f"{n},{bad.get(n, n)},{'none' if n % 6 == 5 else 'some'}" for n in range(ITEMS)]
    project.write("in.csv", "\n".join(["id,amount,kind", *lines, ""]))
    if target.startswith("sqlite"):
        with closing(sqlite3.connect(folder / "target.db")) as connection:
            connection.executescript(f"{CREATE};{BEFORE}")
    else:
        import psycopg

        with psycopg.connect(target) as connection:
            connection.execute(CREATE)
            connection.execute(BEFORE)
    return project


def chaos(project: Project, *options: str) -> tuple[int, dict[str, Any]]:
    """Runs `batchrun chaos` in the project, for as long as it takes; returns its exit code and what it tells."""
    command = [str(SCRIPTS / "batchrun"), "chaos", "load", "input=in.csv", "--output", "json", *options]
    ended = subprocess.run(
        command, cwd=project.folder, env=environment({}), capture_output=True, text=True, check=False
    )
    assert ended.returncode in (0, 1), ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, json.loads(ended.stdout)
