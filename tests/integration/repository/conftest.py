"""A repository's URL on each database."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/.batchrun/repository.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def repository_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, SQLite's and PostgreSQL's."""
    fixture = "sqlite_url" if request.param == "sqlite" else "fresh_postgres_database"
    url: str = request.getfixturevalue(fixture)
    return url
