"""`rejects` and `replay` as a user meets them, and steps that go on through a database that hangs up."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.project import Project, step

JOB = """\
name: load
parameters: {{input: {{type: path, default: data/t.csv}}}}
databases: {{w: "sqlite:///w.db", other: "sqlite:///other.db"}}
steps:
  - name: load
    chunk: 3
    reader:
      type: csv
      path: "${{params.input}}"
      columns: {{id: integer, qty: integer, day: date, price: "decimal(8,2)"}}
    processors: [{{type: python, call: "check:positive"}}]
    writer: {{type: table, database: w, table: t, key: [id], create: true}}
    skip: {{errors: [ParseError, ValueError, IntegrityError]}}
    {rejects}
"""
CHECK = """\
def positive(item):
    if item["qty"] < 0:
        raise {error}("qty is negative")
    return item
"""
ROWS = """\
id,qty,day,price
1,5,2026-01-01,1.50
2,x,2026-01-02,2.50
3,7,2026-01-03
4,-1,2026-01-04,4.50
5,9,2026-01-05,5.50
5,8,2026-01-06,6.50
6,7,2026-01-07,0.10
"""
EXPECTED = [
    ("read", 3, "ParseError"),
    ("read", 4, "ParseError"),
    ("process", 5, "ValueError"),
    ("write", 7, "IntegrityError"),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path)
    project.write("data/t.csv", ROWS)
    write_job(project)
    return project


def write_job(project: Project, rejects: str = "", error: str = "ValueError", **changes: str) -> None:
    text = JOB.format(rejects=rejects)
    for old, new in changes.items():
        text = text.replace(old, new)
    project.write("jobs.d/load.yaml", text)
    project.write("jobs.d/check.py", CHECK.format(error=error))


def rejected(project: Project, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.batchrun("rejects", *arguments, "--output", "json").document
    return found


def told(project: Project, *arguments: str) -> list[tuple[str, int, str]]:
    found = rejected(project, *arguments)
    return [(each["phase"], int(each["origin"].rpartition(":")[2]), each["error"]) for each in found]


def rows(project: Project) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(project.folder / "w.db")) as connection:
        return connection.execute("SELECT id, qty, day, price FROM t ORDER BY id").fetchall()


@pytest.mark.parametrize(
    "rejects",
    [
        "",
        "rejects: {type: json_lines, path: 'bad-${execution.instance_id}.txt'}",
        "rejects: {type: csv}",
        "rejects: {type: table, database: w}",
        "rejects: {type: table, database: other, table: bad}",
    ],
)
def test_every_sink_keeps_what_was_skipped(project: Project, rejects: str) -> None:
    write_job(project, rejects)
    execution = project.execution("launch", "load")
    assert (execution["exit_code"], step(execution, "load")["write_count"]) == ("COMPLETED WITH SKIPS", 3)
    assert sorted(told(project, "1"), key=lambda each: each[1]) == EXPECTED
    replayed = project.execution("replay", "1")
    assert step(replayed, "load")["read_skip_count"] == 2
    assert sorted(told(project, "2"), key=lambda each: each[1]) == EXPECTED


def test_rejects_are_chosen_and_counted(project: Project) -> None:
    ended = project.batchrun("launch", "load")
    assert "skipped: 2 in read, 1 in process, 1 in write; batchrun rejects 1 shows them" in ended.out
    shown = project.batchrun("rejects")
    assert "4 reads" not in shown.err
    assert "4 rejects: 2 in read, 1 in process, 1 in write" in shown.err
    assert "batchrun replay 1" in shown.err
    assert "id=4 qty=-1 day=2026-01-04 price=4.50" in shown.out
    assert told(project, "1", "--phase", "process") == [("process", 5, "ValueError")]
    assert len(rejected(project, "1", "--limit", "2")) == 2
    lines = project.batchrun("rejects", "1", "--output", "csv", "--phase", "read").out.splitlines()
    assert lines[0] == "step,execution_id,phase,origin,error,message,raw,item,at"
    assert '"2,x,2026-01-02,2.50"' in lines[1]
    assert "did you mean 'load'" in project.batchrun("rejects", "1", "--step", "lod", expect=2).err


def test_what_is_mended_is_written_and_what_fails_again_is_rejected_again(project: Project) -> None:
    project.batchrun("launch", "load")
    assert [row[0] for row in rows(project)] == [1, 5, 6]
    (file,) = (project.folder / ".batchrun" / "rejects").rglob("load.jsonl")
    file.write_text(file.read_text().replace("2,x,", "2,22,").replace('"qty": -1', '"qty": 44'))
    replayed = project.execution("replay", "1")
    assert replayed["job_name"] == "load.replay"
    assert replayed["parameters"]["replay_of"] == 1
    assert rows(project)[1:3] == [(2, 22, "2026-01-02", 2.5), (4, 44, "2026-01-04", 4.5)]
    assert told(project, "2") == [("read", 4, "ParseError"), ("write", 7, "IntegrityError")]


def test_the_same_rejects_are_replayed_once(project: Project) -> None:
    project.batchrun("launch", "load")
    project.batchrun("replay", "1")
    refused = project.batchrun("replay", "1", expect=3)
    assert "the rejects of step 'load' of execution 1 have been replayed already, by execution 2" in refused.err
    assert project.execution("replay", "2")["parameters"]["replay_of"] == 2


def test_a_replay_that_fails_is_restarted(project: Project) -> None:
    project.batchrun("launch", "load")
    write_job(project, error="KeyError")
    failed = project.execution("replay", "1", expect=1)
    assert "t.csv:5" in failed["exit_description"] or "t.csv:5" in failed["steps"][0]["exit_description"]
    write_job(project)
    again = project.execution("restart", "2")
    assert (again["job_name"], again["restart_of"], again["status"]) == ("load.replay", 2, "COMPLETED")
    assert sorted(told(project, "3"), key=lambda each: each[1]) == EXPECTED
    project.batchrun("replay", "1", expect=3)


def test_a_replay_has_the_current_rules_of_the_reader_and_other_parameters(project: Project) -> None:
    project.batchrun("launch", "load")
    (project.folder / "data" / "t.csv").rename(project.folder / "data" / "archived.csv")
    write_job(project, **{"qty: integer": "qty: string", 'check:positive"': 'check:any_qty"'})
    project.write("jobs.d/check.py", "def any_qty(item):\n    return {**item, 'qty': 0}\n")
    project.batchrun("replay", "1", "replay_of=9", expect=2)
    project.batchrun("replay", "1", "inpt=data/archived.csv", expect=5)
    project.batchrun("replay", "1", "input=data/archived.csv")
    assert [row[:2] for row in rows(project)] == [(1, 5), (2, 0), (4, 0), (5, 9), (6, 7)]


def test_rejects_are_told_over_all_executions_and_replayed_when_the_step_is_done(project: Project) -> None:
    project.write("data/t.csv", ROWS.replace("1,5,", "0,x,2026-01-01,1.50\n1,5,"))
    write_job(project, error="KeyError", **{"chunk: 3": "chunk: 1"})
    project.batchrun("launch", "load", expect=1)
    assert told(project, "1") == [("read", 2, "ParseError")]
    assert "may reject more" in project.batchrun("replay", "1", expect=3).err
    write_job(project, **{"chunk: 3": "chunk: 1"})
    project.batchrun("restart", "1")
    assert [each["execution_id"] for each in rejected(project, "1")] == [1, 2, 2, 2, 2]
    assert project.execution("replay", "1")["parameters"]["replay_of"] == 2
    project.batchrun("replay", "2", expect=3)


def test_rejects_can_be_read_though_the_job_file_is_gone(project: Project) -> None:
    project.batchrun("launch", "load")
    (project.folder / "jobs.d" / "load.yaml").unlink()
    assert len(rejected(project, "1")) == 4
    project.batchrun("replay", "1", expect=5)


def test_rejects_that_are_gone_are_not_taken_for_replayed(project: Project) -> None:
    write_job(project, "rejects: {type: json_lines, path: 'bad-${execution.instance_id}'}")
    project.execution("launch", "load")
    file = project.folder / "bad-1"
    kept = file.read_text()
    file.unlink()
    gone = "step 'load' has rejected 4 items, and none of them is where its job keeps rejects now"
    assert gone in project.batchrun("rejects", "1", expect=1).err
    assert gone in project.batchrun("replay", "1", expect=1).err
    file.write_text(kept.partition("\n")[2])
    assert "of 4 rejects of step 'load', 3 are there any more" in project.batchrun("rejects", "1").err
    file.write_text(kept)
    assert sorted(told(project, "1"), key=lambda each: each[1]) == EXPECTED
    assert step(project.execution("replay", "1"), "load")["read_skip_count"] == 2


def test_a_run_without_rejects_has_nothing_to_replay(project: Project) -> None:
    project.write("data/t.csv", "id,qty,day,price\n1,1,2026-01-01,1.00\n")
    project.batchrun("launch", "load")
    assert rejected(project, "1") == []
    assert "nothing has been rejected" in project.batchrun("replay", "1", expect=3).err


PG_JOB = """\
name: load
databases: {w: "${env.TARGET}"}
steps:
  - name: load
    chunk: 500
    reader: {type: csv, path: data/many.csv, columns: {id: integer, name: string}}
    writer: {type: table, database: w, table: t, key: [id], create: true}
    skip: {errors: [ParseError, UniqueViolation]}
    retry: {errors: [DatabaseError], limit: 20, backoff: {initial: 50ms}}
"""


@contextmanager
def hanging_up(url: str, name: str) -> Iterator[list[int]]:
    """Terminates the connections of that application again and again; gives how many each time.

    The pause in between grows, so that any machine gets further before its attempts are at their limit.
    """
    terminated: list[int] = []
    over = threading.Event()

    def run() -> None:
        pause = 0.05
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            while not over.wait(pause):
                sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s"
                row = connection.execute(sql, [name]).fetchone()
                terminated.append(0 if row is None else row[0])
                pause *= 1.3 if terminated[-1] else 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield terminated
    finally:
        over.set()
        thread.join()


def test_a_load_goes_on_though_its_connections_are_terminated(project: Project, fresh_postgres_database: str) -> None:
    count, bad = 60_000, {7, 20_001, 59_999}
    lines = (f"{number},{'x' * 50}{',too many' if number in bad else ''}\n" for number in range(count))
    project.write("data/many.csv", "id,name\n" + "".join(lines))
    project.write("jobs.d/load.yaml", PG_JOB)
    url = fresh_postgres_database
    named = f"{url}{'&' if '?' in url else '?'}application_name=the-load"
    with hanging_up(url, "the-load") as terminated:
        execution = project.execution("launch", "load", TARGET=named)
    assert sum(terminated) > 0, "it has been disturbed"
    assert execution["status"] == "COMPLETED"
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = [row[0] for row in connection.execute("SELECT id FROM t ORDER BY id").fetchall()]
    assert found == [number for number in range(count) if number not in bad]
    assert [each["origin"].rpartition(":")[2] for each in rejected(project, "1")] == [str(n + 2) for n in sorted(bad)]
    assert json.dumps(execution)


DEFERRED = """\
name: load
databases: {target: "${env.TARGET}"}
steps:
  - name: load
    chunk: 20
    reader: {type: csv, path: data/many.csv, columns: {id: integer}}
    writer: {type: table, database: target, table: t}
    skip: {errors: [IntegrityError]}
"""


def test_items_that_break_a_deferred_constraint_are_skipped(project: Project, fresh_postgres_database: str) -> None:
    url = fresh_postgres_database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE parent AS SELECT id FROM generate_series(0, 59) id WHERE id NOT IN (7, 8, 44)")
        connection.execute("ALTER TABLE parent ADD PRIMARY KEY (id)")
        connection.execute("CREATE TABLE t (id integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    project.write("data/many.csv", "id\n" + "".join(f"{number}\n" for number in range(60)))
    project.write("jobs.d/load.yaml", DEFERRED)
    assert project.execution("launch", "load", TARGET=url)["exit_code"] == "COMPLETED WITH SKIPS"
    with psycopg.connect(url) as connection:
        found = [row[0] for row in connection.execute("SELECT id FROM t ORDER BY id").fetchall()]
    assert found == [number for number in range(60) if number not in (7, 8, 44)]
    assert [(each["item"]["id"], each["error"]) for each in rejected(project, "1")] == [
        (number, "ForeignKeyViolation") for number in (7, 8, 44)
    ]


def test_a_purge_takes_the_rejects_that_have_no_place_of_their_own(project: Project) -> None:
    write_job(project)
    project.execution("launch", "load")
    write_job(project, "rejects: {type: csv, path: 'bad.csv'}")
    project.write("data/other.csv", ROWS.replace("\n6,", "\n7,").replace("\n1,", "\n8,").replace("\n5,", "\n9,"))
    project.execution("launch", "load", "input=data/other.csv")
    kept = [*project.folder.glob(".batchrun/rejects/*/*/load.jsonl"), project.folder / "bad.csv"]
    assert len(kept) == 2
    assert all(file.exists() for file in kept)
    project.batchrun("purge", "--older-than", "0d")
    assert project.history() == []
    assert [file.exists() for file in kept] == [False, True]
    assert not kept[0].parent.exists()
