"""The tables' version: made where there are none, upgraded where that is safe, else refused with the way out."""

from __future__ import annotations

import time
import uuid

from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from batchrun.errors import RepositoryUnreachableError, RepositoryVersionError
from batchrun.repository.database import BUSY_TIMEOUT_SECONDS, Database
from batchrun.repository.tables import metadata, repository, version

EXPECTED_VERSION = "0007"
"""The version of `tables`: the last migration's number, four digits."""

_ADVISORY_LOCK = 0x6261746368  # any number that is ours
_OF_ALL = select(version.c.version_num, select(repository.c.id).scalar_subquery().label("id"))


def ensure(database: Database) -> str:
    """Makes sure that the tables are of the expected version, and returns the repository's id.

    Alembic is not imported where nothing is to be upgraded: that alone would take a third of a second.

    Raises:
        RepositoryVersionError: the tables are newer, or older and not SQLite's.
    """
    found, repository_id = _read(database)
    if repository_id is not None and found == EXPECTED_VERSION:
        return repository_id
    if found not in (None, EXPECTED_VERSION):
        _refuse_newer(database, found)
        if not database.is_sqlite:
            raise RepositoryVersionError(database.shown, found, EXPECTED_VERSION, hint="batchrun db upgrade")
        return migrate(database)
    if database.is_sqlite:
        _switch_to_wal(database)
    with database.writing() as connection:
        lock(connection)
        _create(database, connection)
        return _repository_id(connection)


def find_version(database: Database) -> str | None:
    """Returns the version of the tables, or None where there are none."""
    with database.reading() as connection:
        return _version(connection)


def migrate(database: Database) -> str:
    """Brings the tables to the expected version by migrations, and returns the repository's id."""
    from alembic import command
    from alembic.config import Config

    if database.is_sqlite:
        _switch_to_wal(database)
    config = Config()
    config.set_main_option("script_location", "batchrun.repository:migrations")
    with database.writing() as connection:
        lock(connection)
        found = _version(connection)
        if found is not None:
            _refuse_newer(database, found)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _repository_id(connection)


def lock(connection: Connection) -> None:
    """Lets one process at a time change tables; SQLite's transaction does that already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))


def _read(database: Database) -> tuple[str | None, str | None]:
    """Returns version and id; None for what there is not, or was not yet when this began."""
    with database.reading() as connection:
        try:
            row = connection.execute(_OF_ALL).one_or_none()
        except (OperationalError, ProgrammingError):
            row = None
        if row is not None:
            return row.version_num, row.id
    with database.reading() as connection:
        return _version(connection), None


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(version.name):
        return None
    return connection.execute(select(version.c.version_num)).scalar_one_or_none()


def _refuse_newer(database: Database, found: str) -> None:
    if found > EXPECTED_VERSION:
        way_out = "upgrade batchrun: pip install --upgrade batchrun-cli"
        raise RepositoryVersionError(database.shown, found, EXPECTED_VERSION, hint=way_out)


def _create(database: Database, connection: Connection) -> None:
    if _version(connection) is not None:  # another process was first
        return
    present = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if present:
        way_out = "give the repository a database, or a PostgreSQL schema, of its own"
        found = f"unknown (table {present[0]!r} is there, but not made by batchrun)"
        raise RepositoryVersionError(database.shown, found, EXPECTED_VERSION, hint=way_out)
    metadata.create_all(connection, checkfirst=False)
    version.create(connection)
    connection.execute(insert(version).values(version_num=EXPECTED_VERSION))


def _repository_id(connection: Connection) -> str:
    stored: str | None = connection.execute(select(repository.c.id)).scalar_one_or_none()
    if stored is not None:
        return stored
    made = str(uuid.uuid4())
    connection.execute(insert(repository).values(id=made))
    return made


def _switch_to_wal(database: Database) -> None:
    """Switches for good; SQLite refuses it at once, without its busy timeout, while another process is at it."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            return database.pragma("journal_mode = WAL")
        except RepositoryUnreachableError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
