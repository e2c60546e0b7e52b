"""A run that dies on one machine and goes on on another: nothing lost, nothing twice, whoever tries what afterwards."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import Load, ended

ROWS = 20_000
SLOW = "import time\n\ndef slowly(item):\n    time.sleep(0.0002)\n    return item\n"
JOB = """\
name: carry
parameters:
  input: {{type: path, required: true}}
  token: {{type: secret, default: "${{secrets.CARRY_TOKEN}}"}}
databases:
  target: "{target}"
steps:
  - name: load
    chunk: 500
    reader: {{type: csv, path: "${{params.input}}", columns: {{id: integer}}}}
    processors: [{{type: python, call: "slow:slowly"}}]
    writer: {writer}
  - name: count
    tasklet: {{type: sql, database: target, statement: [
      "CREATE TABLE IF NOT EXISTS runs (n INTEGER)", "INSERT INTO runs VALUES (1)"]}}
"""
TABLE = "{type: table, database: target, table: rows, create: true}"
FILE = "{type: csv, path: out/rows.csv}"


def machine(folder: Path, target: str, writer: str = TABLE, *, is_slow: bool = False) -> Load:
    """A machine with the project in a folder of its own, and an empty repository."""
    (folder / "data").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "batchrun.toml").touch()
    (folder / "carry.yaml").write_text(JOB.format(target=target, writer=writer))
    (folder / "slow.py").write_text(SLOW if is_slow else "def slowly(item):\n    return item\n")
    (folder / "data" / "ids.csv").write_text("id\n" + "".join(f"{each}\n" for each in range(ROWS)))
    return Load(folder, folder / "data" / "ids.csv", "sqlite:///repository.db")


LAUNCH = ("launch", "carry.yaml", "input=data/ids.csv")


def kill_in_the_middle(load: Load, *arguments: str, written: Callable[[], int], at_least: int = 1) -> None:
    process = load.start(*arguments)
    deadline = time.monotonic() + 60
    while written() < at_least:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def sqlite_ids(path: Path, sql: str = "SELECT id FROM rows") -> list[int]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            return [row[0] for row in connection.execute(sql)]
        except sqlite3.OperationalError:
            return []


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARRY_TOKEN", "s3cret-value")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target.db"


@pytest.fixture
def broken(tmp_path: Path, target: Path) -> Load:
    """A machine whose load was killed in the middle, exported to `state.json` in its folder."""
    old = machine(tmp_path / "old", f"sqlite:///{target}", is_slow=True)
    kill_in_the_middle(old, *LAUNCH, written=lambda: len(sqlite_ids(target)), at_least=1000)
    (old.folder / "slow.py").write_text("def slowly(item):\n    return item\n")
    told = old.run("export", "--to", "state.json")
    assert (told["status"], told["executions"]) == ("FAILED", 1)
    return old


def carried_to(old: Load, new: Load) -> None:
    shutil.copy(old.folder / "state.json", new.folder / "state.json")


def all_reads(load: Load) -> tuple[int, int]:
    steps = [step for each in load.run("history") for step in each["steps"] if step["name"] == "load"]
    return sum(step["read_count"] for step in steps), sum(step["write_count"] for step in steps)


def test_a_killed_load_goes_on_on_another_machine(broken: Load, tmp_path: Path, target: Path) -> None:
    before = len(sqlite_ids(target))
    assert 0 < before < ROWS
    new = machine(tmp_path / "new", f"sqlite:///{target}")
    carried_to(broken, new)
    restarted = new.run("restart", "--from", "state.json")
    assert restarted["status"] == "COMPLETED"
    assert restarted["parameters"]["input"] == str(new.folder / "data" / "ids.csv")
    assert restarted["steps"][0]["read_count"] == ROWS - before
    assert sorted(sqlite_ids(target)) == list(range(ROWS))
    assert all_reads(new) == (ROWS, ROWS)
    assert "s3cret" not in (broken.folder / "state.json").read_text()
    # The same launch belongs to the same instance there, wherever its folder is.
    assert new.run(*LAUNCH, expect=3)["error"]["type"] == "InstanceCompleteError"


def test_a_killed_load_into_postgresql_goes_on_on_another_machine(tmp_path: Path, fresh_postgres_database: str) -> None:
    import psycopg

    url = fresh_postgres_database.replace("+psycopg", "")

    def count() -> int:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT to_regclass('rows')").fetchone()
            if found is None or found[0] is None:
                return 0
            row = connection.execute("SELECT count(*) FROM rows").fetchone()
            return 0 if row is None else row[0]

    old = machine(tmp_path / "old", fresh_postgres_database, is_slow=True)
    kill_in_the_middle(old, *LAUNCH, written=count, at_least=1000)
    old.run("export", "--to", "state.json.gz")
    new = machine(tmp_path / "new", fresh_postgres_database)
    shutil.copy(old.folder / "state.json.gz", new.folder)
    assert new.run("restart", "--from", "state.json.gz")["status"] == "COMPLETED"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT id), max(id) FROM rows").fetchone() == (
            ROWS,
            ROWS,
            ROWS - 1,
        )
    assert all_reads(new) == (ROWS, ROWS)


def test_an_output_file_goes_on_where_its_part_file_is_carried_too(tmp_path: Path, target: Path) -> None:
    old = machine(tmp_path / "old", f"sqlite:///{target}", FILE, is_slow=True)

    def size() -> int:
        return sum(each.stat().st_size for each in (old.folder / "out").glob(".*.part"))

    kill_in_the_middle(old, *LAUNCH, written=size, at_least=20_000)
    old.run("export", "--to", "state.json")
    new = machine(tmp_path / "new", f"sqlite:///{target}", FILE)
    carried_to(old, new)
    lost = new.run("restart", "--from", "state.json", expect=1)
    assert "is gone" in lost["steps"][0]["exit_description"]
    shutil.copytree(old.folder / "out", new.folder / "out", dirs_exist_ok=True)
    assert new.run("restart")["status"] == "COMPLETED"
    written = (new.folder / "out" / "rows.csv").read_text().split()
    assert written == ["id", *map(str, range(ROWS))]
    assert all_reads(new) == (ROWS, ROWS)


def test_the_old_machine_cannot_go_on_beside_the_new_one(broken: Load, tmp_path: Path, target: Path) -> None:
    new = machine(tmp_path / "new", f"sqlite:///{target}", is_slow=True)
    carried_to(broken, new)
    before = len(sqlite_ids(target))
    kill_in_the_middle(
        new, "restart", "--from", "state.json", written=lambda: len(sqlite_ids(target)), at_least=before + 1000
    )
    fenced = broken.run("restart", "1", expect=1)
    assert fenced["error"]["type"] == "FencedError"
    (new.folder / "slow.py").write_text("def slowly(item):\n    return item\n")
    assert new.run("restart")["status"] == "COMPLETED"
    assert broken.run("restart", "2", expect=1)["error"]["type"] == "FencedError"
    assert sorted(sqlite_ids(target)) == list(range(ROWS))
    assert sqlite_ids(target, "SELECT n FROM runs") == [1]


def test_an_old_export_does_nothing_twice_that_was_done_since(broken: Load, tmp_path: Path, target: Path) -> None:
    for name in ("second", "third"):
        new = machine(tmp_path / name, f"sqlite:///{target}")
        carried_to(broken, new)
        assert new.run("restart", "--from", "state.json")["status"] == "COMPLETED"
        assert sorted(sqlite_ids(target)) == list(range(ROWS))
        assert sqlite_ids(target, "SELECT n FROM runs") == [1]


def test_the_same_export_is_restarted_once(broken: Load, tmp_path: Path, target: Path) -> None:
    new = machine(tmp_path / "new", f"sqlite:///{target}")
    carried_to(broken, new)
    (new.folder / "carry.yaml").rename(new.folder / "moved.yaml")
    missing = new.run("restart", "--from", "state.json", expect=5)
    assert missing["error"]["problems"][0]["hint"] == "--job FILE tells where it is here"
    moved = ("restart", "--from", "state.json", "--job", "moved.yaml")
    (new.folder / "slow.py").write_text("def slowly(item):\n    raise ValueError('broken')\n")
    assert new.run(*moved, expect=1)["execution_id"] == 2
    refused = new.run(*moved, expect=3)["error"]
    assert (refused["type"], refused["hint"]) == (
        "SupersededExportError",
        "batchrun restart 2 goes on with what is here",
    )
    assert [each["execution_id"] for each in new.run("history")] == [2, 1]


def test_what_went_on_elsewhere_comes_back(broken: Load, tmp_path: Path, target: Path) -> None:
    new = machine(tmp_path / "new", f"sqlite:///{target}")
    carried_to(broken, new)
    (new.folder / "slow.py").write_text("def slowly(item):\n    raise ValueError('broken')\n")
    new.run("restart", "--from", "state.json", expect=1)
    new.run("export", "--to", "state.json")
    carried_to(new, broken)
    back = broken.run("restart", "--from", "state.json")
    assert (back["status"], back["execution_id"], back["restart_of"]) == ("COMPLETED", 3, 2)
    assert sorted(sqlite_ids(target)) == list(range(ROWS))


def test_an_input_outside_the_project_is_given_anew(tmp_path: Path, target: Path) -> None:
    old = machine(tmp_path / "old", f"sqlite:///{target}")
    (tmp_path / "ids.csv").write_text("id\n1\nx\n")
    assert old.run("launch", "carry.yaml", f"input={tmp_path}/ids.csv", expect=1)["status"] == "FAILED"
    old.run("export", "--to", "state.json")
    new = machine(tmp_path / "new", f"sqlite:///{target}")
    carried_to(old, new)
    (tmp_path / "ids.csv").rename(tmp_path / "there.csv")
    (tmp_path / "there.csv").write_text("id\n1\n2\n")
    restarted = new.run("restart", "--from", "state.json", "input=../there.csv")
    assert (restarted["status"], restarted["parameters"]["input"]) == ("COMPLETED", str(tmp_path / "there.csv"))
    assert sqlite_ids(target) == [1, 2]


def test_what_runs_is_not_exported(tmp_path: Path, target: Path) -> None:
    load = machine(tmp_path / "old", f"sqlite:///{target}", is_slow=True)
    process = load.start(*LAUNCH)
    try:
        while not sqlite_ids(target):
            time.sleep(0.01)
        refused = load.run("export", "1", expect=3)["error"]
        assert refused["type"] == "ExecutionRunningError"
    finally:
        process.send_signal(signal.SIGTERM)
        ended(process, 60)
    assert load.run("export", "1", "--to", "state.json")["status"] == "STOPPED"


def damaged(state: Path, how: str) -> None:
    data = state.read_bytes()
    changed: dict[str, bytes] = {
        "cut": data[: len(data) // 2],
        "changed": data.replace(b'"read_count": 0', b'"read_count": 7', 1),
        "newer": data.replace(b'"version": 1', b'"version": 2', 1),
        "wrong": b"name: job\n",
        "other json": b'{"a": 1}',
        "cut gzip": gzip.compress(data)[:50],
        "empty": b"",
    }
    state.write_bytes(changed[how])


@pytest.mark.parametrize(
    ("how", "told"),
    {
        "cut": "is damaged",
        "changed": "is damaged",
        "newer": "has format 2",
        "wrong": "is no export",
        "other json": "is no export",
        "cut gzip": "is damaged",
        "empty": "is no export",
    }.items(),
)
def test_a_file_that_is_no_whole_export_is_refused(tmp_path: Path, target: Path, how: str, told: str) -> None:
    load = machine(tmp_path / "old", f"sqlite:///{target}", "{type: table, database: target, table: nowhere}")
    load.run(*LAUNCH, expect=1)
    load.run("export", "--to", "state.json")
    damaged(load.folder / "state.json", how)
    error: dict[str, Any] = load.run("restart", "--from", "state.json", expect=5)["error"]
    assert told in error["message"]
    assert error["hint"]


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path, target: Path) -> None:
    load = machine(tmp_path / "old", f"sqlite:///{target}")
    assert "No such file" in load.run("restart", "--from", "state.json", expect=2)["error"]["message"]
    assert load.run("restart", "1", "--from", "state.json", expect=2)["error"]["type"] == "UsageError"
    assert load.run("restart", "--job", "carry.yaml", expect=2)["error"]["type"] == "UsageError"


def test_stdout_is_a_file_too(broken: Load, tmp_path: Path, target: Path) -> None:
    new = machine(tmp_path / "new", f"sqlite:///{target}")
    given = subprocess.run(broken.command("export", "1"), cwd=broken.folder, capture_output=True, check=True)
    assert json.loads(given.stdout)["version"] == 1
    (new.folder / "state").write_bytes(given.stdout)
    assert replace(new).run("restart", "--from", "state")["status"] == "COMPLETED"
