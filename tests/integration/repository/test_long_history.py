"""A repository with 100,000 past executions is as quick as an empty one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from batchrun.app import Application
from tests.support.history import fill
from tests.support.postgres import new_database

JOB = """\
name: job-3
parameters:
  day: {type: date, required: true}
steps:
  - name: greet
    tasklet: {type: shell, command: ["true"]}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def long_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a repository with a long past."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('long')}/repository.db"
        fill(url)
        yield url
    else:
        with new_database(request.getfixturevalue("postgres_url")) as url:
            fill(url)
            yield url


@pytest.fixture
def empty_url(long_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of an empty repository in a database of the same kind."""
    if long_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/empty.db"
    url: str = request.getfixturevalue("fresh_postgres_database")
    return url


@pytest.fixture
def small_url(empty_url: str) -> str:
    """The URL of a repository with no more executions than a history shows."""
    fill(empty_url, 25)
    return empty_url


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    yield statements
    event.remove(Engine, "before_cursor_execute", count)


def launched(url: str, folder: Path, day: str) -> list[str]:
    """Returns the statements of a launch to its end."""
    path = folder / "greet.yaml"
    path.write_text(JOB)
    with Application.open(repository=url, directory=folder) as application:
        application.repository  # noqa: B018 - opened before the counting, since an empty one is made then
        with counted_statements() as statements:
            application.launch(application.load_job(str(path)), {"day": day})
    return statements


def test_a_launch_issues_the_statements_that_it_issues_on_an_empty_repository(
    long_url: str, empty_url: str, tmp_path: Path
) -> None:
    assert launched(long_url, tmp_path, "2026-07-30") == launched(empty_url, tmp_path, "2026-07-30")


@pytest.mark.parametrize("arguments", [("history",), ("history", "--status", "failed", "--since", "7d")])
def test_a_command_that_reads_is_as_quick_as_on_a_small_repository(
    long_url: str, small_url: str, arguments: tuple[str, ...]
) -> None:
    """Measured by turns, by the time on a processor, and roughly: the machine has other things to do as well.

    To load the long past takes several times as long as all that a command does.
    """
    taken = {url: [processor_seconds(url, arguments)] for url in (small_url, long_url)}
    for _ in range(2):
        for url, seconds in taken.items():
            seconds.append(processor_seconds(url, arguments))
    assert min(taken[long_url]) < 2 * min(taken[small_url])


def processor_seconds(url: str, arguments: tuple[str, ...]) -> float:
    command = [sys.executable, "-m", "batchrun", "--quiet", "--repository", url, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime
