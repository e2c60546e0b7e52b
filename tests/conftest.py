"""Fixtures that several kinds of test share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.support.postgres import PostgresRun, new_database, new_schema, server_url

pytest.register_assert_rewrite("batchrun.testing.repository")

_RUN = pytest.StashKey[PostgresRun | None]()


def pytest_configure(config: pytest.Config) -> None:
    # A run behind `&` in a script ignores SIGINT, and what it starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_RUN] = PostgresRun.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(_RUN, None):
        run.end()


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The URL of the run's PostgreSQL server, one for all workers."""
    return server_url()


@pytest.fixture
def fresh_postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a new empty database, dropped afterwards."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def fresh_postgres_schema(postgres_url: str) -> Iterator[str]:
    """The URL of a new empty schema in the server's first database; much faster than a database of its own."""
    with new_schema(postgres_url) as url:
        yield url
