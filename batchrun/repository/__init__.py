"""The JobRepository on SQLAlchemy, for SQLite and PostgreSQL. Importing this opens nothing and loads no driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchrun.repository.sql import SqlJobRepository

__all__ = ["open_repository", "upgrade"]


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
