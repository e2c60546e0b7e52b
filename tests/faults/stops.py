"""Jobs that are at work in one kind of state, in which they are stopped; and how they are to look after a restart."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

from tests.support.commands import Commands, Running, wait_until

JOB = """\
name: stopped
parameters:
  rows: {type: integer, default: 1000000000, identifying: false}
  url: {type: string, default: "http://127.0.0.1:9", identifying: false}
databases: {target: "sqlite:///target.db"}
steps:
  - {name: before, tasklet: {type: sql, database: target, statement: [
    CREATE TABLE marks (mark TEXT), "INSERT INTO marks VALUES ('before')"]}}
"""
AFTER = """\
  - {name: after, tasklet: {type: sql, database: target, statement: "INSERT INTO marks VALUES ('after')"}}
"""
SHELL = 'tasklet: {type: shell, command: "touch at; test -e open || sleep 60; echo done >> once"}'
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)"
CHILD = f"name: child\nsteps:\n  - {{name: inside, {SHELL}}}\n"
BIG = 8 << 30
"""Bytes of a file that takes no room on the disk, and a minute to compress."""


@dataclass(frozen=True)
class Kind:
    """Steps, the one at work among them, and what is there once.

    Attributes:
        steps: of the job file, between the first step and the last.
        at_work: the step that is at work when its job is stopped.
        ends: how that step ends at the stop.
        makes_at: whether it makes the file `at`; else it is at work as soon as it has begun.
        marks: rows of the target's table, besides those of the first step and the last.
        files: what each file holds.
    """

    steps: str
    at_work: str = "work"
    ends: str = "STOPPED"
    makes_at: bool = True
    marks: list[str] = field(default_factory=list)
    files: Mapping[str, str] = field(default_factory=lambda: {"once": "done\n"})


def _work(what: str) -> str:
    return f"  - name: work\n    {what}\n"


KINDS = {
    "chunk": Kind(
        _work(
            "{read_ahead: 0, chunk: 5, reader: {type: csv, path: rows.csv, columns: {id: integer}},"
            ' processors: [{type: python, call: "waits:item"}], writer: {type: csv, path: out.csv}}'
        ).replace("name: work\n    {", "{name: work, "),
        files={"out.csv": "id\n" + "".join(f"{row}\n" for row in range(60))},
    ),
    "retry": Kind(
        _work(
            "{read_ahead: 0, chunk: 5, reader: {type: csv, path: rows.csv, columns: {id: integer}},"
            ' processors: [{type: python, call: "waits:busy"}], writer: {type: csv, path: out.csv},'
            " retry: {errors: [ConnectionError], limit: 2, backoff: {initial: 10m, max: 10m}}}"
        ).replace("name: work\n    {", "{name: work, "),
        files={"out.csv": "id\n" + "".join(f"{row}\n" for row in range(60))},
    ),
    "sql": Kind(
        _work(
            "tasklet: {type: sql, database: target, parameters: {rows: '${params.rows}'},"
            f" statement: \"INSERT INTO marks {ENDLESS} SELECT max('work') FROM n\"}}"
        ),
        makes_at=False,
        marks=["work"],
        files={},
    ),
    "shell": Kind(_work(SHELL)),
    "python": Kind(_work('tasklet: {type: python, call: "waits:tasklet"}')),
    "http": Kind(
        _work('tasklet: {type: http, url: "${params.url}", save_to: answer.txt}'), files={"answer.txt": "answer"}
    ),
    "files": Kind(
        _work("tasklet: {type: files, action: compress, files: big.txt, keep: true}"), makes_at=False, files={}
    ),
    "between": Kind(_work('tasklet: {type: python, call: "waits:asking"}'), ends="COMPLETED"),
    "branches": Kind(
        f"  - {{name: work, parallel: [[left], [right]]}}\n  - {{name: left, {SHELL}}}\n"
        f"  - {{name: right, {SHELL.replace('once', 'twice')}}}\n",
        files={"once": "done\n", "twice": "done\n"},
    ),
    "nested": Kind(f"  - name: work\n    steps:\n      - {{name: inside, {SHELL}}}\n"),
    "child": Kind(_work("job: child.yaml")),
    "decision": Kind(_work('decision: {type: python, call: "waits:way"}')),
    "sql decision": Kind(
        _work(
            "decision: {type: sql, database: target, parameters: {rows: '${params.rows}'},"
            f" query: \"{ENDLESS} SELECT max('COMPLETED') FROM n\"}}"
        ),
        makes_at=False,
        files={},
    ),
}


@dataclass(frozen=True)
class Stopped:
    """One job of a kind, launched, stopped and restarted."""

    kind: Kind
    commands: Commands
    url: str

    @classmethod
    def make(cls, kind: Kind, folder: Path, url: str) -> Stopped:
        commands = Commands.make(folder, "sqlite:///repository.db")
        (folder / "stopped.yaml").write_text(JOB + kind.steps + AFTER)
        (folder / "child.yaml").write_text(CHILD)
        (folder / "rows.csv").write_text("id\n" + "".join(f"{row}\n" for row in range(60)))
        with (folder / "big.txt").open("wb") as big:
            big.truncate(BIG)
        shutil.copy(Path(__file__).with_name("waits.py"), folder)
        return cls(kind, commands, url)

    def launch(self) -> Running:
        """Starts the job, and returns when the state is at work."""
        running = self.commands.start("launch", "stopped.yaml", f"url={self.url}")
        wait_until(lambda: self._is_at_work(running), running)
        return running

    def _is_at_work(self, running: Running) -> bool:
        if self.kind.makes_at:
            return (self.commands.folder / "at").exists()
        return f" {self.kind.at_work}: started" in running.err

    def restart(self) -> None:
        """Lets what waits go on, and runs the job to its end."""
        folder = self.commands.folder
        (folder / "open").touch()
        (folder / "big.txt").write_text("small")
        self.commands.run("restart", "1", "rows=3", f"url={self.url}")

    def check_stopped(self) -> None:
        """Everything that was at work is STOPPED, what was done before is COMPLETED, and nothing else is there."""
        executions = self.commands.executions()
        assert {each["status"] for each in executions} == {"STOPPED"}
        steps = {step["name"]: step["status"] for each in executions for step in each["steps"]}
        assert steps.pop("before") == "COMPLETED"
        assert steps.pop(self.kind.at_work) == self.kind.ends
        assert set(steps.values()) <= {"STOPPED"}
        assert "after" not in steps

    def check_complete(self) -> None:
        """Everything is done, and done once."""
        last = next(each for each in reversed(self.commands.executions()) if each["job_name"] == "stopped")
        assert last["status"] == "COMPLETED"
        with closing(sqlite3.connect(self.commands.folder / "target.db")) as connection:
            marks = [row[0] for row in connection.execute("SELECT mark FROM marks ORDER BY rowid")]
        assert marks == ["before", *self.kind.marks, "after"]
        for name, text in self.kind.files.items():
            assert (self.commands.folder / name).read_text() == text


@contextmanager
def slow_server(folder: Path) -> Iterator[str]:
    """Serves an answer that comes once the file `open` is in the folder; gives its URL."""

    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (folder / "at").touch()
            while not (folder / "open").exists():
                if over.wait(0.02):
                    return
            with suppress(OSError):  # the one who asked may have been stopped meanwhile
                self.send_response(200)
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"answer")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
