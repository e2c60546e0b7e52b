"""A step's scope: paths and databases as the job's project sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.errors import DefinitionError
from batchrun.operations.scope import resolve_database
from batchrun.spi.scope import Database
from batchrun.testing.scope import scope_in

PROJECT = Path("/project")


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("sqlite:///data/a.db", "sqlite:////project/data/a.db"),
        ("sqlite:////else/a.db", "sqlite:////else/a.db"),
        ("sqlite:///../a.db?timeout=5", "sqlite:////a.db?timeout=5"),
        ("postgresql://localhost/db", "postgresql://localhost/db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
    ],
)
def test_the_path_of_a_sqlite_file_is_relative_to_the_project(url: str, resolved: str) -> None:
    assert resolve_database("d", url, PROJECT, "sqlite:////repository.db") == Database("d", resolved)


def test_the_file_that_holds_the_repository_is_known_by_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    repository = f"sqlite:///{tmp_path}/r.db"
    assert resolve_database("d", "sqlite:///link/r.db", tmp_path, repository).holds_repository
    (tmp_path / "r.db").touch()
    (tmp_path / "same.db").hardlink_to(tmp_path / "r.db")
    assert resolve_database("d", "sqlite:///same.db", tmp_path, repository).holds_repository
    assert not resolve_database("d", "sqlite:///other.db", tmp_path, repository).holds_repository
    assert not resolve_database("d", "sqlite:///r.db", tmp_path, "postgresql://localhost/r").holds_repository


def test_relative_paths_are_the_projects() -> None:
    assert scope_in(PROJECT).path("in/a.csv") == Path("/project/in/a.csv")
    assert scope_in(PROJECT).path("/in/a.csv") == Path("/in/a.csv")


def test_an_unknown_database_names_those_there_are() -> None:
    scope = scope_in(PROJECT, databases={"warehouse": Database("warehouse", "sqlite:////w.db")})
    assert scope.database("warehouse").url == "sqlite:////w.db"
    with pytest.raises(DefinitionError) as refused:
        scope.database("warehose")
    assert refused.value.problems[0].hint == "the job's databases: warehouse"
