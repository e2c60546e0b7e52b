"""A server restarts, a network is cut: a load ends COMPLETED by its retries, or FAILED and restartable, and exact.

A short form by default; `make outages` sets BATCHRUN_OUTAGES=all for each outage, database, and with and without retry.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from batchrun.testing.proxy import FaultyProxy, proxy_to
from tests.support.commands import Commands
from tests.support.postgres import OwnServer, new_database

ROWS, CHUNK = 8_000, 400
JOB = """\
name: load
parameters: {{input: {{type: path, required: true}}}}
databases: {{target: "{target}"}}
steps:
  - name: load
    chunk: {chunk}
    reader: {{type: csv, path: "${{params.input}}", columns: {{id: integer, note: string}}}}
    writer: {{type: table, database: target, table: rows, create: true}}
    {retry}
"""
RETRY = "retry: {errors: [DatabaseError], limit: 40, backoff: {initial: 100ms}}"
WHERE = ("target", "repository", "both")
NTH = 8
"""The commit at which the outage comes; each database commits more than twice as often."""


@dataclass(frozen=True)
class World:
    """A job whose databases are behind a proxy, or not."""

    commands: Commands
    proxy: FaultyProxy
    server: OwnServer
    target: str
    returning: list[Thread] = field(default_factory=list)

    def be_gone(self, goes: Callable[[], object], comes_back: Callable[[], object]) -> None:
        """Returns once something is gone, which comes back half a second later."""
        is_gone = Event()

        def absence() -> None:
            goes()
            is_gone.set()
            time.sleep(0.5)
            comes_back()

        self.returning.append(Thread(target=absence))
        self.returning[-1].start()
        is_gone.wait()

    def wait_for_return(self) -> None:
        for each in self.returning:
            each.join()

    def ids(self) -> list[int]:
        is_sqlite = self.target.startswith("sqlite")
        connected: Any = sqlite3.connect(self.commands.folder / "t.db") if is_sqlite else psycopg.connect(self.target)
        with closing(connected) as connection:
            return [each for (each,) in connection.execute("SELECT id FROM rows ORDER BY id")]

    def status(self) -> str:
        last: dict[str, Any] = self.commands.executions()[-1]
        return str(last["status"])


Outage = Callable[[World], None]
"""Prepares what is to happen in the middle of the load."""


def _restarted(mode: str) -> Outage:
    def prepare(world: World) -> None:
        server = world.server
        world.proxy.call_at(b"COMMIT", lambda: world.be_gone(lambda: server.stop(mode), server.start), NTH)

    return prepare


def _terminated(world: World) -> None:
    def terminate() -> None:
        with psycopg.connect(world.server.url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")

    world.proxy.call_at(b"COMMIT", terminate, NTH)


def _gone_for_a_second(world: World) -> None:
    world.proxy.call_at(b"COMMIT", lambda: world.be_gone(world.proxy.stop, world.proxy.start), NTH)


OUTAGES: dict[str, Outage] = {
    "terminated": _terminated,
    "fast": _restarted("fast"),
    "immediate": _restarted("immediate"),
    "network": _gone_for_a_second,
    "before commit": lambda world: world.proxy.cut_at(b"COMMIT", NTH),
    "reply lost": lambda world: world.proxy.lose_reply_to(b"COMMIT", NTH),
    "in the middle": lambda world: world.proxy.cut_after(15_000),
}
ALL = os.environ.get("BATCHRUN_OUTAGES") == "all"
BASIC = [("fast", "target", True), ("reply lost", "target", True)]
CASES = [
    (outage, where, retry)
    for turn, outage in enumerate(OUTAGES)
    for place, where in enumerate(WHERE)
    for retry in (True, False)
    if ALL or (place == turn % len(WHERE) and retry == (turn % 2 == 0)) or (outage, where, retry) in BASIC
]


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with closing(OwnServer()) as server:
        yield server


@pytest.fixture
def world(server: OwnServer, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    where, retry = request.param
    with new_database(server.url) as target, new_database(server.url) as repository, proxy_to(server.url) as proxy:
        seen = proxy.url(target) if where != "repository" else "sqlite:///t.db"
        kept = proxy.url(repository) if where != "target" else "sqlite:///repository.db"
        commands = Commands.make(tmp_path / "job", kept)
        commands.run("db", "upgrade")
        text = JOB.format(target=seen, chunk=CHUNK, retry=RETRY if retry else "")
        (commands.folder / "load.yaml").write_text(text)
        lines = "".join(f"{number},note {number}\n" for number in range(ROWS))
        (commands.folder / "in.csv").write_text(f"id,note\n{lines}")
        world = World(commands, proxy, server, target if where != "repository" else seen)
        yield world
        world.wait_for_return()


@pytest.mark.parametrize(
    ("outage", "world", "where", "retry"),
    [(outage, (where, retry), where, retry) for outage, where, retry in CASES],
    indirect=["world"],
    ids=[f"{outage}-{where}-{'retry' if retry else 'once'}" for outage, where, retry in CASES],
)
def test_an_outage_in_the_middle_loses_nothing_and_doubles_nothing(
    outage: str, world: World, where: str, retry: bool
) -> None:
    OUTAGES[outage](world)
    ended = world.commands.run("launch", "load.yaml", "input=in.csv", expect=None)
    assert world.proxy.cuts == 1, "the outage did not come"
    if where == "target" and retry:
        assert ended.code == 0, ended
    world.wait_for_return()
    if ended.code != 0:
        assert ended.code in {"target": (1,), "repository": (6,), "both": (1, 6)}[where], ended
        assert len([line for line in ended.err.splitlines() if line.startswith("error: ")]) == 1, ended.err
        world.commands.run("restart")
    assert world.status() == "COMPLETED"
    assert world.ids() == list(range(ROWS))
