"""The JobRepository on SQLAlchemy, for SQLite and PostgreSQL. Importing this opens nothing and loads no driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from batchrun.repository.sql import SqlJobRepository

__all__ = ["RepositoryContents", "RepositoryState", "look", "open_repository", "upgrade"]


class RepositoryContents(NamedTuple):
    """How much a repository holds.

    Attributes:
        bytes: what it takes on the disk, indexes and SQLite's journal with it.
        running: executions whose status is a running one, the dead among them.
        oldest_at: when the oldest execution was created, or None where there is none.
    """

    bytes: int
    instances: int
    executions: int
    running: int
    oldest_at: datetime | None


class RepositoryState(NamedTuple):
    """What is at a repository's URL.

    Attributes:
        url: with its password masked.
        found: the version of the tables, or None where there are none.
        expected: the version that this batchrun needs.
        contents: None where the tables are of another version.
    """

    url: str
    found: str | None
    expected: str
    contents: RepositoryContents | None = None


def look(url: str) -> RepositoryState:
    """Looks at a repository without making or changing anything in it.

    Raises:
        RepositoryUnreachableError: the database does not answer, or cannot be read.
        MissingExtraError: the driver of PostgreSQL is not installed.
    """
    from contextlib import closing

    from batchrun.repository import schema
    from batchrun.repository.contents import measure
    from batchrun.repository.database import Database

    with closing(Database(url)) as database:
        found = schema.find_version(database) if database.exists() else None
        contents = measure(database) if found == schema.EXPECTED_VERSION else None
        return RepositoryState(database.shown, found, schema.EXPECTED_VERSION, contents)


def open_repository(url: str) -> SqlJobRepository:
    """Opens the repository at a URL, `sqlite:///FILE` or `postgresql://…`.

    Its tables are made where there are none, which is safe by any number of processes at once; older ones are upgraded
    in SQLite.

    Raises:
        RepositoryUnreachableError: the database does not answer, or cannot be read or written.
        RepositoryVersionError: the tables are newer than this batchrun, or are to be upgraded by `upgrade`.
        MissingExtraError: the driver of PostgreSQL is not installed.
    """
    from batchrun.repository.database import Database
    from batchrun.repository.sql import SqlJobRepository

    return SqlJobRepository(Database(url))


def upgrade(url: str) -> None:
    """Brings the tables of a repository to the version that this batchrun needs, or makes them.

    Raises:
        RepositoryUnreachableError: the database does not answer, or cannot be read or written.
        RepositoryVersionError: the tables are newer than this batchrun.
        MissingExtraError: the driver of PostgreSQL is not installed.
    """
    from contextlib import closing

    from batchrun.repository import schema
    from batchrun.repository.database import Database

    with closing(Database(url)) as database:
        schema.migrate(database)
