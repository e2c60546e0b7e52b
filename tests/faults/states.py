"""A job with a state of every kind, and what tells two runs of it apart: its path of states and its target's rows."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import Commands, Prepare

JOB = """\
name: states
databases: {{target: "{target}"}}
listeners: [{{type: python, module: places}}]
steps:
  - name: prepare
    tasklet: {{type: sql, database: target, statement: [
      "CREATE TABLE IF NOT EXISTS marks (mark TEXT)", "INSERT INTO marks VALUES ('prepare')"]}}
  - {{name: greet, tasklet: {{type: python, call: "places:inside", arguments: {{name: greet, visit: 1}}}}}}
  - {{name: load, max_visits: 9, chunk: 10, read_ahead: 0,
     reader: &rows {{type: csv, path: rows.csv, columns: {{id: integer}}}},
     skip: &skip {{errors: [ParseError, WriteError], limit: 100}},
     writer: {{type: table, database: target, table: loaded, create: true}}}}
  - name: again
    decision: {{type: python, call: "places:way", arguments: {{name: again, last: 2}}}}
  - {{name: exports, parallel: [[left, left_end], [deep], {{name: checks, include: checks.yaml}}, [child]]}}
  - {{name: left, chunk: 10, read_ahead: 1, reader: *rows, skip: *skip, writer: {{type: csv, path: left.csv}}}}
  - {{name: left_end, tasklet: {{type: sql, database: target, statement: "INSERT INTO marks VALUES ('left_end')"}}}}
  - {{name: deep, parallel: [[a], [b, b_end]]}}
  - {{name: a, tasklet: {{type: sql, database: target, statement: "INSERT INTO marks VALUES ('a')"}}}}
  - {{name: b, tasklet: {{type: shell, command: "true"}}}}
  - {{name: b_end, tasklet: {{type: sql, database: target, statement: "INSERT INTO marks VALUES ('b_end')"}}}}
  - {{name: child, job: {{name: child.yaml}}}}
  - {{name: last, tasklet: {{type: sql, database: target, statement: "INSERT INTO marks VALUES ('last')"}}}}
flow:
  - {{from: prepare, to: greet}}
  - {{from: greet, to: load}}
  - {{from: load, to: again}}
  - {{from: again, on: AGAIN, to: load}}
  - {{from: again, on: "ON", to: exports}}
  - {{from: exports, to: last}}
"""

CHECKS = """\
steps:
  - {name: count, max_visits: 9,
     tasklet: {type: sql, database: target, statement: "INSERT INTO marks VALUES ('count')"}}
  - {name: judge, decision: {type: python, call: "places:way", arguments: {name: checks.judge, last: 3, again: MORE}}}
  - {name: good, tasklet: {type: sql, database: target, statement: "INSERT INTO marks VALUES ('good')"}}
flow:
  - {from: count, to: judge}
  - {from: judge, on: MORE, to: count}
  - {from: judge, on: "ON", to: good}
  - {from: good, end: COMPLETED GOOD}
"""

CHILD = """\
name: child
databases: {{target: "{target}"}}
steps:
  - {{name: one, tasklet: {{type: sql, database: target, statement: "INSERT INTO marks VALUES ('one')"}}}}
  - {{name: two, tasklet: {{type: sql, database: target, statement: "INSERT INTO marks VALUES ('two')"}}}}
"""

ROWS = 45
MARKS = Counter({"prepare": 1, "left_end": 1, "a": 1, "b_end": 1, "count": 3, "good": 1, "one": 1, "two": 1, "last": 1})
SKIPPED = "COMPLETED WITH SKIPS"
BAD = {0: "zero", 9: "nine", 10: "ten", 44: "last"}
"""Lines that are no rows, by the row before them: in the first chunk, around a chunk's end, at the end."""
# The states of each flow in the order of one run; branches run at the same time, so each is a path of its own.
PATHS: list[list[tuple[str, str]]] = [
    [
        ("prepare", "COMPLETED"),
        ("greet", "COMPLETED"),
        *[("load", SKIPPED), ("again", "AGAIN"), ("load", SKIPPED), ("again", "ON")],
        *[("exports", "COMPLETED GOOD"), ("last", "COMPLETED")],
    ],
    [("left", SKIPPED), ("left_end", "COMPLETED")],
    [("deep", "COMPLETED")],
    [("a", "COMPLETED")],
    [("b", "COMPLETED"), ("b_end", "COMPLETED")],
    [("checks", "COMPLETED GOOD")],
    [
        *[("checks.count", "COMPLETED"), ("checks.judge", "MORE")] * 2,
        *[("checks.count", "COMPLETED"), ("checks.judge", "ON"), ("checks.good", "COMPLETED")],
    ],
    [("child", "COMPLETED")],
]
CHILD_PATH = [("one", "COMPLETED"), ("two", "COMPLETED")]


@dataclass(frozen=True)
class States:
    """One instance of the job, with a target of its own."""

    commands: Commands
    target: str

    @classmethod
    def make(cls, folder: Path, target: str, repository: str = "sqlite:///repository.db") -> States:
        commands = Commands.make(folder, repository)
        (folder / "states.yaml").write_text(JOB.format(target=target))
        (folder / "child.yaml").write_text(CHILD.format(target=target))
        (folder / "checks.yaml").write_text(CHECKS)
        lines = [line for row in range(ROWS) for line in (str(row), BAD.get(row)) if line]
        (folder / "rows.csv").write_text("\n".join(["id", *lines, ""]))
        shutil.copy(Path(__file__).with_name("places.py"), folder)
        return cls(commands, target)

    def passed(self) -> list[str]:
        """Returns the places that were passed, in order."""
        return (self.commands.folder / "passed").read_text().splitlines()

    def killed(self, place: str | None = None, *, prepare: Prepare | None = None) -> bool:
        """Launches the job and lets it die at a place; returns whether it did."""
        die = self.commands.folder / "die"
        if place is not None:
            die.write_text(place)
        ended = self.commands.run("launch", "states.yaml", expect=None, prepare=prepare)
        die.unlink(missing_ok=True)
        assert ended.code in (0, -signal.SIGKILL), ended
        return ended.code != 0

    def complete(self) -> None:
        """Runs the job to its end: by a launch, which continues what there is to continue."""
        ended = self.commands.run("launch", "states.yaml", expect=None)
        assert ended.code == 0 or (ended.code == 3 and "has already completed" in ended.err), ended

    def check(self) -> None:
        """Holds path and rows, over all executions, to those of an uninterrupted run."""
        executions = self.commands.executions()
        assert {each["status"] for each in executions} <= {"COMPLETED", "FAILED"}
        done = completed(executions, "states")
        for path in PATHS:
            names = {name for name, _ in path}
            assert [each for each in done if each[0] in names] == path
        assert completed(executions, "child") == CHILD_PATH
        assert Counter(self.fetched("SELECT mark FROM marks")) == MARKS
        assert Counter(self.fetched("SELECT id FROM loaded")) == Counter(dict.fromkeys(range(ROWS), 2))
        lines = (self.commands.folder / "left.csv").read_text().split()
        assert lines == ["id", *(str(row) for row in range(ROWS))]
        assert self.rejected("load") == [*BAD.values()] * 2
        assert self.rejected("left") == [*BAD.values()]

    def rejected(self, step: str) -> list[str]:
        """Returns the texts in the rejects of a step, in order."""
        (file,) = self.commands.folder.glob(f".batchrun/rejects/*/*/{step}.jsonl")
        return [json.loads(line)["raw"] for line in file.read_text().splitlines()]

    def fetched(self, query: str) -> list[Any]:
        """Returns the first column of a query on the target."""
        if self.target.startswith("sqlite"):
            with closing(sqlite3.connect(self.commands.folder / "target.db")) as connection:
                return [row[0] for row in connection.execute(query)]
        import psycopg

        with psycopg.connect(self.target.replace("+psycopg", "")) as connection:
            return [row[0] for row in connection.execute(query)]


def completed(executions: list[dict[str, Any]], job: str) -> list[tuple[str, str]]:
    """Returns the states that completed, with their exit codes, in the order of their attempts."""
    steps = [step for each in executions if each["job_name"] == job for step in each["steps"]]
    return [(step["name"], step["exit_code"]) for step in steps if step["status"] == "COMPLETED"]
