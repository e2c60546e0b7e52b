"""Commands of batchrun as processes of their own, forked from one that has imported what they need.

What is forked is the installed command's own entry. So a process costs a tenth of a second instead of one, and hundreds
of them can be started, killed and raced.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tests.support.project import environment

_IMPORTED = [
    "pytest",  # a child imports the main module, which is pytest's
    "sqlite3",
    "psycopg",
    "polars",
    "jsonschema",
    "yaml",
    "adbc_driver_sqlite.dbapi",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
    "batchrun.cli.program",
    "batchrun.cli.ending",
    "batchrun.cli.log",
    "batchrun.cli.reports.run",
    "batchrun.cli.rendering.execution",
    "batchrun.cli.rendering.progress",
    "batchrun.app",
    "batchrun.definition.stored",
    "batchrun.engine",
    "batchrun.operations.signals",
    "batchrun.operations.operator",
    "batchrun.operations.execution_log",
    "batchrun.repository.sql",
    "batchrun.components.readers.csv",
    "batchrun.components.writers.table",
    "batchrun.components.writers.csv",
    "batchrun.components.tasklets.sql",
    "batchrun.components.tasklets.shell",
    "batchrun.components.tasklets.python",
    "batchrun.components.deciders.python",
    "batchrun.components.listeners.python",
    "tests.support.commands",
]
_SECONDS = 120.0
_LOOK_SECONDS = 0.01

Prepare = Callable[[], None]
"""Called in the process before the command, to wait or to break something; a function of a module."""


def context() -> ForkServerContext:
    """Returns where barriers and locks come from that several commands are to share."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(_IMPORTED)
    return found


@dataclass(frozen=True)
class Running:
    """A command at work."""

    process: ForkServerProcess
    files: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        return self.process.exitcode is not None

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        file = self.files.with_suffix(".err")
        return file.read_text() if file.exists() else ""

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self, seconds: float = _SECONDS) -> Ended:
        """Returns what it said and how it ended; one that takes longer is killed, and fails the test."""
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.join()
        out, err = (self.files.with_suffix(f".{name}").read_text() for name in ("out", "err"))
        assert code is not None, f"still at work after {seconds} s\n{out}\n{err}"
        assert "Traceback" not in err, err
        return Ended(code, out, err)


@dataclass(frozen=True)
class Ended:
    """A command that has ended; a signal's number is negative."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Commands:
    """Starts commands in a project's folder, on a repository."""

    folder: Path
    repository: str
    _numbers: count[int] = field(default_factory=count)

    @classmethod
    def make(cls, folder: Path, repository: str) -> Commands:
        """Makes a project; `folder` must not exist yet."""
        folder.mkdir(parents=True)
        (folder / "batchrun.toml").touch()
        return cls(folder, repository)

    def start(self, *arguments: str, prepare: Prepare | None = None) -> Running:
        files = self.folder / ".said" / str(next(self._numbers))
        files.parent.mkdir(exist_ok=True)
        whole = ["--repository", self.repository, *arguments]
        process = context().Process(target=_command, args=(whole, str(self.folder), str(files), prepare))
        process.start()
        return Running(process, files)

    def run(self, *arguments: str, expect: int | None = 0, prepare: Prepare | None = None) -> Ended:
        ended = self.start(*arguments, prepare=prepare).ended()
        assert expect in (None, ended.code), f"{arguments} ended with {ended.code}\n{ended.out}\n{ended.err}"
        return ended

    def executions(self) -> list[dict[str, Any]]:
        """Returns all executions, the oldest first."""
        told: list[dict[str, Any]] = self.run("history", "--limit", "1000", "--output", "json").document
        return told[::-1]


@dataclass(frozen=True)
class Together:
    """Lets a command begin when all others are there too."""

    barrier: Barrier

    def __call__(self) -> None:
        self.barrier.wait(60)


def wait_until(condition: Callable[[], bool], *running: Running, seconds: float = 60) -> None:
    """Waits until something is the case; fails where one of the commands ends before, or the time does."""
    deadline = time.monotonic() + seconds
    while not condition():
        ended = [each.ended() for each in running if each.has_ended]
        assert not ended or condition(), f"ended too early: {ended}"
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(_LOOK_SECONDS)


def _command(arguments: list[str], folder: str, files: str, prepare: Prepare | None) -> None:
    """The process: its streams, folder and environment, then what the installed command does."""
    os.setsid()
    for descriptor, name in ((1, "out"), (2, "err")):
        opened = os.open(f"{files}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
    os.chdir(folder)
    variables = environment({})
    os.environ.clear()
    os.environ.update(variables)
    if prepare is not None:
        prepare()
    sys.argv = ["batchrun", *arguments]
    from batchrun.cli import main

    main()
