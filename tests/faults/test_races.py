"""Twenty processes that begin one instance at the same moment: one runs, the others are refused, every time.

A short form by default; `make races` sets BATCHRUN_RACES=50.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.dying import BeforeCommit
from tests.support.commands import Commands, Together, context, wait_until
from tests.support.postgres import new_schema

ROUNDS = int(os.environ.get("BATCHRUN_RACES", "1"))
FEWER_ROUNDS = max(1, ROUNDS // 5)
PROCESSES = 20

# The one that runs does so until all others have ended, so that none of them can find its work done.
JOB = """\
name: race
parameters: {round: {type: integer, required: true}}
steps:
  - {name: run, tasklet: {type: shell, command: "while test ! -e open${params.round}; do sleep 0.02; done"}}
"""
RUNNING = r"job 'race' is already running with these parameters: execution \d+, host \S+, pid \d+"
SUPERSEDED = r"execution \d+ is not the last one of its job instance; execution \d+ came after it"
REFUSAL = re.compile(f"error: ({RUNNING}|{SUPERSEDED})\nhint: batchrun .*\n")


@pytest.fixture(params=["sqlite", "postgresql"])
def repositories(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Gives the URLs of databases in which nobody has made a repository yet."""

    def new() -> Iterator[str]:
        for number in range(ROUNDS + 1):
            if request.param == "sqlite":
                yield f"sqlite:///{tmp_path}/repository{number}.db"
            else:
                with new_schema(request.getfixturevalue("postgres_url")) as url:
                    yield url

    return new()


def project(folder: Path, repository: str) -> Commands:
    commands = Commands.make(folder, repository)
    (folder / "race.yaml").write_text(JOB)
    return commands


def race(commands: Commands, number: int, *arguments: str) -> None:
    """Starts the command in many processes at once, and checks how each ends."""
    together = Together(context().Barrier(PROCESSES))
    running = [commands.start(*arguments, prepare=together) for _ in range(PROCESSES)]
    wait_until(lambda: sum(each.has_ended for each in running) >= PROCESSES - 1)
    (commands.folder / f"open{number}").touch()
    ended = [each.ended() for each in running]
    assert sorted(each.code for each in ended) == [0] + [3] * (PROCESSES - 1), ended
    for refused in (each for each in ended if each.code == 3):
        assert REFUSAL.fullmatch(refused.err), refused.err


def launch(number: int) -> tuple[str, ...]:
    return "launch", "race.yaml", f"round={number}"


def test_of_many_launches_on_one_repository_one_runs(repositories: Iterator[str], tmp_path: Path) -> None:
    commands = project(tmp_path / "project", next(repositories))
    for number in range(ROUNDS):
        race(commands, number, *launch(number))
    executions = commands.executions()
    assert [each["status"] for each in executions] == ["COMPLETED"] * ROUNDS
    assert [each["parameters"]["round"] for each in executions] == list(range(ROUNDS))


def test_of_many_launches_on_a_repository_that_is_not_made_yet_one_runs(
    repositories: Iterator[str], tmp_path: Path
) -> None:
    for number, repository in zip(range(FEWER_ROUNDS), repositories, strict=False):
        commands = project(tmp_path / str(number), repository)
        race(commands, number, *launch(number))
        assert [each["status"] for each in commands.executions()] == ["COMPLETED"]


def test_of_many_restarts_of_a_dead_execution_one_runs(repositories: Iterator[str], tmp_path: Path) -> None:
    commands = project(tmp_path / "project", next(repositories))
    commands.run("db", "upgrade")
    for number in range(FEWER_ROUNDS):
        commands.run(*launch(number), prepare=BeforeCommit(4), expect=-signal.SIGKILL)
        race(commands, number, "restart", str(2 * number + 1))
    assert [each["status"] for each in commands.executions()] == ["FAILED", "COMPLETED"] * FEWER_ROUNDS
