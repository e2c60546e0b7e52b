"""Picks the session for a database's URL; loads no driver before it is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batchrun.components.databases.session import Session
from batchrun.errors import DatabaseError

if TYPE_CHECKING:
    from batchrun.spi.scope import Database

_USER_AND_PASSWORD = re.compile(r"://([^/@\s:]*):([^@\s]*)@")
_PASSWORD_ARGUMENT = re.compile(r"(password=)[^&\s]*", re.IGNORECASE)


def connect(database: Database, *, create: bool = False, interruptible: bool = False) -> Session:
    """Opens a session on a database of the job.

    Args:
        database: as the scope gives it.
        create: a SQLite file that is not there is made.
        interruptible: `cancel` matters more than bulk speed; a SQLite file is then opened by Python's sqlite3, unless
            another session of the process has it open by ADBC.

    Raises:
        DatabaseError: the database cannot be reached.
        MissingExtraError: its driver is not installed.
    """
    backend = database.url.partition(":")[0].partition("+")[0].lower()
    if backend == "sqlite":
        return _connect_sqlite(database, create=create, interruptible=interruptible)
    if backend in ("postgresql", "postgres"):
        from batchrun.components.databases.postgres import connect_postgres

        return connect_postgres(database)
    from batchrun.components.databases.alchemy import connect_alchemy

    return connect_alchemy(database)


def _connect_sqlite(database: Database, *, create: bool, interruptible: bool) -> Session:
    if not database.url.startswith("sqlite:///"):
        # Another spelling would pass by the check for the repository's file, and open it by two copies of SQLite.
        raise DatabaseError(
            database.name, f"{masked(database.url)} is no SQLite URL", hint="write it as sqlite:///path/of/file.db"
        )
    from batchrun.components.databases.sqlite import connect_sqlite

    return connect_sqlite(database, create=create, interruptible=interruptible)


def masked(text: str) -> str:
    """Returns a URL, or a text that holds one, with the password replaced by ***."""
    return _PASSWORD_ARGUMENT.sub(r"\1***", _USER_AND_PASSWORD.sub(r"://\1:***@", text))
