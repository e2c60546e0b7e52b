"""What goes wrong around a job ends in one clear error, a FAILED execution, and a restart that works once mended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchrun.app import Application
from batchrun.domain.status import BatchStatus
from batchrun.testing.disk import SmallDisk
from tests.support.places import Folder
from tests.support.project import SAMPLE, Project, step

COPIES = 20
ROWS = 300 * COPIES
CHUNK = 500

JOB = """\
name: copy
parameters:
  input: {type: path, required: true}
databases:
  target: sqlite:///%(folder)s/target.db
steps:
  - name: before
    tasklet: {type: shell, command: ["true"]}
  - name: copy
    chunk: %(chunk)d
    reader:
      type: csv
      path: ${params.input}
      null_values: [NA]
      columns: {year: integer, month: integer, day: integer, dep_time: integer, sched_dep_time: integer,
        dep_delay: integer, arr_time: integer, sched_arr_time: integer, arr_delay: integer, carrier: string,
        flight: integer, tailnum: string, origin: string, dest: string, air_time: integer, distance: integer,
        hour: integer, minute: integer, time_hour: timestamp}
    writer: %(writer)s
"""

WRITERS = {
    "table": "{type: table, database: target, table: flights, create: true}",
    "csv": "{type: csv, path: %(folder)s/flights.csv}",
    "json_lines": "{type: json_lines, path: %(folder)s/flights.jsonl}",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path / "project")
    (project.folder / "flights.csv").write_text(many_flights())
    return project


def many_flights() -> str:
    head, _, rows = SAMPLE.read_text().partition("\n")
    return f"{head}\n{rows * COPIES}"


def write_job(project: Project, writer: str, folder: Path | str = "out") -> None:
    values = {"folder": str(folder), "chunk": CHUNK}
    project.write("copy.yaml", JOB % {**values, "writer": WRITERS[writer] % values})


def launch_failing(project: Project, *named: str) -> dict[str, Any]:
    """Launches the job, which must fail with one error that names all of these, and returns the execution."""
    ended = project.batchrun("launch", "copy.yaml", "input=flights.csv", "--output", "json", expect=1)
    assert len(ended.errors) == 1, ended.err
    for each in named:
        assert each in ended.errors[0]
    execution: dict[str, Any] = ended.document
    assert (execution["status"], execution["exit_code"]) == ("FAILED", "FAILED")
    assert step(execution, "copy")["status"] == "FAILED"
    with Application.open(directory=project.folder) as application:
        [kept] = application.explorer.history()
    assert (kept.id, kept.status) == (execution["execution_id"], BatchStatus.FAILED)
    return execution


def restart(project: Project, failed: dict[str, Any]) -> dict[str, Any]:
    """Restarts the execution, which must complete with everything written once over both."""
    execution = project.execution("restart", str(failed["execution_id"]))
    assert (execution["status"], execution["restart_of"]) == ("COMPLETED", failed["execution_id"])
    assert [each["name"] for each in execution["steps"]] == ["copy"], "the step before has completed already"
    assert step(failed, "copy")["write_count"] + step(execution, "copy")["write_count"] == ROWS
    return execution


def rows_in_table(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        count: int = connection.execute("SELECT count(*) FROM flights").fetchone()[0]
        return count


def rows_in_csv(folder: Path) -> int:
    return (folder / "flights.csv").read_text().count("\n") - 1


def rows_in_json_lines(folder: Path) -> int:
    return len([json.loads(line) for line in (folder / "flights.jsonl").read_text().splitlines()])


COUNTS: dict[str, Callable[[Path], int]] = {
    "table": rows_in_table,
    "csv": rows_in_csv,
    "json_lines": rows_in_json_lines,
}


def test_a_missing_input(project: Project) -> None:
    write_job(project, "table")
    (project.folder / "out").mkdir()
    (project.folder / "flights.csv").rename(project.folder / "elsewhere.csv")
    failed = launch_failing(project, "flights.csv", "copy")
    (project.folder / "elsewhere.csv").rename(project.folder / "flights.csv")
    restart(project, failed)
    assert rows_in_table(project.folder / "out") == ROWS


def test_a_broken_record_is_named_and_the_chunks_before_it_stay(project: Project) -> None:
    write_job(project, "table")
    (project.folder / "out").mkdir()
    lines = many_flights().splitlines(keepends=True)
    good = lines[2345]
    lines[2345] = good.replace("2013,", "MMXIII,", 1)
    (project.folder / "flights.csv").write_text("".join(lines))
    failed = launch_failing(project, "flights.csv:2346", "MMXIII")
    written = 2344 // CHUNK * CHUNK
    assert step(failed, "copy")["write_count"] == rows_in_table(project.folder / "out") == written
    lines[2345] = good
    (project.folder / "flights.csv").write_text("".join(lines))
    assert step(restart(project, failed), "copy")["read_count"] == ROWS - written
    assert rows_in_table(project.folder / "out") == ROWS


def test_a_database_that_is_none(project: Project) -> None:
    write_job(project, "table")
    target = project.write("out/target.db", "this is no database\n" * 100)
    failed = launch_failing(project, "target")
    target.unlink()
    restart(project, failed)
    assert rows_in_table(project.folder / "out") == ROWS


def test_a_database_server_that_is_not_there(project: Project, fresh_postgres_database: str) -> None:
    write_job(project, "table")
    job = project.folder / "copy.yaml"
    job.write_text(job.read_text().replace("sqlite:///out/target.db", "${env.TARGET:-postgresql://127.0.0.1:1/none}"))
    failed = launch_failing(project, "target")
    execution = project.execution("restart", str(failed["execution_id"]), TARGET=fresh_postgres_database)
    assert step(execution, "copy")["write_count"] == ROWS


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_that_is_read_only(project: Project, writer: str, read_only_folder: Folder) -> None:
    write_job(project, writer, read_only_folder.path)
    failed = launch_failing(project, "target" if writer == "table" else str(read_only_folder.path))
    read_only_folder.set_writable(True)
    restart(project, failed)
    assert COUNTS[writer](read_only_folder.path) == ROWS


@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_is_full(project: Project, writer: str, small_disk: SmallDisk) -> None:
    write_job(project, writer, small_disk.path)
    failed = launch_failing(project, "full" if writer == "table" else "no space left on device")
    assert step(failed, "copy")["write_count"] < ROWS
    small_disk.set_size(64 << 20)
    restart(project, failed)
    assert COUNTS[writer](small_disk.path) == ROWS


def test_a_repository_that_cannot_be_used_is_told_before_anything_runs(project: Project) -> None:
    write_job(project, "table")
    project.write(".batchrun/repository.db", "this is no database\n" * 100)
    ended = project.batchrun("launch", "copy.yaml", "input=flights.csv", expect=6)
    assert len(ended.errors) == 1
    assert "repository.db" in ended.errors[0]
    assert not (project.folder / "out").exists()


@pytest.mark.parametrize("arguments", [("launch", "copy.yaml", "inptu=x"), ("launch", "copy.yaml")])
def test_wrong_parameters_write_nothing(project: Project, arguments: tuple[str, ...]) -> None:
    write_job(project, "table")
    project.batchrun(*arguments, expect=5)
    assert project.history() == []


def test_the_report_alone_is_made_again_when_it_alone_failed(tmp_path: Path) -> None:
    project = Project.like_ours(tmp_path / "flights")
    (project.folder / "data" / "carriers.csv").mkdir()
    ended = project.batchrun("launch", "load_flights", "input=data/flights.csv", "--output", "json", expect=1)
    assert len(ended.errors) == 1
    assert "carriers.csv" in ended.errors[0]
    assert [each["status"] for each in ended.document["steps"]] == ["COMPLETED", "COMPLETED", "FAILED"]
    (project.folder / "data" / "carriers.csv").rmdir()
    execution = project.execution("restart", "1")
    assert [each["name"] for each in execution["steps"]] == ["report"]
    assert (project.folder / "data" / "carriers.csv").is_file()
