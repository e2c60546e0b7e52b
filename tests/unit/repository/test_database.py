"""URLs of repositories: which there are, and that no password is ever shown."""

from __future__ import annotations

import sys

import pytest

from batchrun.errors import MissingExtraError, RepositoryUnreachableError
from batchrun.repository.database import Database


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgres"])
def test_postgresql_is_reached_by_psycopg(scheme: str) -> None:
    database = Database(f"{scheme}://ann:s3cret@db.example:5433/batch?sslmode=require")
    assert database.shown == "postgresql+psycopg://ann:***@db.example:5433/batch?sslmode=require"
    assert not database.is_sqlite


def test_sqlite_is_a_file() -> None:
    assert Database("sqlite:////data/.batchrun/repository.db").is_sqlite


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "this is no URL of a database"),
        ("repository.db", "this is no URL of a database"),
        ("postgresql://ann:s3cret@host:port/batch", "this is no URL of a database"),
        ("mysql://ann:s3cret@host/batch", "a repository is on sqlite:///FILE or postgresql://HOST/DATABASE"),
        ("sqlite://", "a repository in SQLite needs a file: sqlite:///FILE"),
        ("sqlite:///:memory:", "a repository in SQLite needs a file: sqlite:///FILE"),
    ],
)
def test_another_url_is_refused_with_what_there_is(url: str, reason: str) -> None:
    with pytest.raises(RepositoryUnreachableError) as refused:
        Database(url)
    shown = url.replace("s3cret", "***")
    assert str(refused.value) == f"the repository {shown} cannot be used: {reason}"


def test_a_missing_driver_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match="a PostgreSQL repository needs the extra 'postgres'") as missing:
        Database("postgresql://host/batch")
    assert missing.value.hint == "pip install 'batchrun-cli[postgres]'"
