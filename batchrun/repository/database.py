"""Connections to the repository's database, and one kind of error for whatever goes wrong there."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql.dml import Update

from batchrun.errors import MissingExtraError, RepositoryUnreachableError

# Without a handler, a connection that Ctrl-C keeps from closing would be told on stderr as a traceback.
logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())

BUSY_TIMEOUT_SECONDS = 30
_CONNECT_TIMEOUT_SECONDS = 10
_LONGEST_REASON = 300
_READING = "batchrun_reading"


class Database:
    """Two ways to write: durably in a transaction, or one statement that a power cut may lose.

    Connections come from pools, so any thread may call anything. Nothing is opened before the first use.

    Attributes:
        shown: the URL with its password masked.
    """

    def __init__(self, url: str) -> None:
        self._url = _normalised(url)
        self.shown = self._url.render_as_string(hide_password=True)
        self._written: tuple[int, int] | None = None
        with self.errors():
            self._durable, self._quick = self._engines()

    @property
    def is_sqlite(self) -> bool:
        """Tells SQLite from PostgreSQL."""
        return self._url.get_backend_name() == "sqlite"

    def exists(self) -> bool:
        """Tells whether there is a database to look into; reading a SQLite file that is not there would make it."""
        return not self.is_sqlite or Path(str(self._url.database)).exists()

    def files(self) -> list[Path]:
        """Returns the files of SQLite that there are: the database's, its journal's and the journal's index."""
        found = [Path(f"{self._url.database}{suffix}") for suffix in ("", "-wal", "-shm")] if self.is_sqlite else []
        return [file for file in found if file.exists()]

    def _engines(self) -> tuple[Engine, Engine]:
        if self.is_sqlite:
            return _sqlite_engines(self._url)
        try:
            return _postgresql_engines(self._url)
        except ImportError as error:
            raise MissingExtraError("a PostgreSQL repository", "postgres") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Opens a transaction that may write; when it has ended, no power cut can undo it."""
        self._refuse_another_file()
        with self.errors():
            self._make_folder()
            with self._durable.begin() as connection:
                yield connection
            self._written = self._written or self._file()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Opens a transaction that sees one moment of the database and blocks nobody."""
        with self.errors():
            self._make_folder()
            with self._durable.connect().execution_options(**self._snapshot()) as connection, connection.begin():
                yield connection

    def _snapshot(self) -> dict[str, Any]:
        return {_READING: True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}

    def write_quickly(self, statement: Update, parameters: Mapping[str, Any]) -> int:
        """Executes one statement as a transaction of its own and returns the number of rows it changed.

        It must not matter if it is done twice: where the connection turns out to be lost, it is tried on a new one.
        """
        self._refuse_another_file()
        with self.errors():
            try:
                return self._execute_quickly(statement, parameters)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            return self._execute_quickly(statement, parameters)

    def _execute_quickly(self, statement: Update, parameters: Mapping[str, Any]) -> int:
        with self._quick.connect() as connection:
            return connection.execute(statement, parameters).rowcount

    def _refuse_another_file(self) -> None:
        """Refuses to write where SQLite would write to a file that has no name any more, and goes with this process."""
        if self._written and self._written != self._file():
            raise RepositoryUnreachableError(self.shown, "its file has been removed or replaced since it was opened")

    def _file(self) -> tuple[int, int] | None:
        """Returns what tells SQLite's file from another of its name, or None."""
        if not self.is_sqlite:
            return None
        try:
            found = os.stat(str(self._url.database))
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def pragma(self, setting: str) -> None:
        """Sets what SQLite sets outside transactions only."""
        with self.errors():
            self._make_folder()
            with self._quick.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA {setting}")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns whatever the database refuses into RepositoryUnreachableError, with a reason of one line."""
        try:
            yield
        except Exception as error:
            reason = self._reason(error)
            if reason is None:
                raise
            raise RepositoryUnreachableError(self.shown, reason) from error

    def _reason(self, error: Exception) -> str | None:
        if isinstance(error, OSError):
            return f"{error.strerror}: {error.filename}" if error.filename else str(error)
        if not isinstance(error, SQLAlchemyError | sqlite3.Error) and not self._is_of_driver(error):
            return None
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason = " ".join(str(cause).split()) or type(cause).__name__
        if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_CANTOPEN and self._is_in_a_closed_folder():
            reason += ": its folder cannot be written, which SQLite needs to read it, too"
        if self._url.password:
            reason = reason.replace(str(self._url.password), "***")
        return reason[:_LONGEST_REASON]

    def _is_in_a_closed_folder(self) -> bool:
        folder = Path(self._url.database or "").parent
        return folder.is_dir() and not os.access(folder, os.W_OK)

    def _is_of_driver(self, error: Exception) -> bool:
        """Tells whether a driver raised it in a connect event, where SQLAlchemy wraps nothing."""
        return type(error).__module__.partition(".")[0] == "psycopg"

    def _make_folder(self) -> None:
        if self.is_sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Closes all connections."""
        with self.errors():
            self._durable.dispose()
            self._quick.dispose()


def _normalised(url: str) -> URL:
    masked = re.sub(r"(://[^/:@]*):[^/]*@", r"\1:***@", url)
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        raise RepositoryUnreachableError(masked, "this is no URL of a database") from error
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise RepositoryUnreachableError(masked, "a repository is on sqlite:///FILE or postgresql://HOST/DATABASE")
    if parsed.database in (None, "", ":memory:"):
        raise RepositoryUnreachableError(masked, "a repository in SQLite needs a file: sqlite:///FILE")
    return parsed.set(drivername="sqlite")


def _sqlite_engines(url: URL) -> tuple[Engine, Engine]:
    durable, quick = (
        create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}) for _ in range(2)
    )
    _set_up_sqlite(durable, "FULL")
    _set_up_sqlite(quick, "NORMAL")  # in WAL mode: keeps the order of commits, syncs none of them

    @event.listens_for(durable, "begin")
    def begin(connection: Connection) -> None:
        # Immediate: a transaction that reads first and writes then is refused at once if another one wrote between.
        reads = connection.get_execution_options().get(_READING)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return durable, quick


def _set_up_sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")


def _postgresql_engines(url: URL) -> tuple[Engine, Engine]:
    arguments = {"connect_timeout": _CONNECT_TIMEOUT_SECONDS, "application_name": "batchrun"}
    given = {name: value for name, value in arguments.items() if name not in url.query}
    durable = create_engine(url, connect_args=given, pool_pre_ping=True)
    quick = create_engine(url, connect_args=given, isolation_level="AUTOCOMMIT")

    @event.listens_for(quick, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.execute("SET synchronous_commit = off")  # keeps the order of commits, waits for none of them

    return durable, quick
