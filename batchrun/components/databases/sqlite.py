"""Sessions on SQLite files, over either copy of it: transactions, tables, bulk writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode
from urllib.parse import quote as quote_path

from batchrun.components.databases import sqlite_storage as storage
from batchrun.components.databases.session import IntegrityError, RefusedError, TableName, TableShape, names, quote
from batchrun.components.databases.sqlite_copies import OpenFile
from batchrun.components.databases.sqlite_query import SqliteQueryRows
from batchrun.components.databases.statement import Statement
from batchrun.errors import DatabaseError, did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from batchrun.spi.scope import Database

BUSY_MILLISECONDS = 30_000
_FOREIGN_KEYS = "foreign_keys"
_OPENING = ("mode", "cache", "immutable", "nolock", "psow", "vfs")
_SWITCHES = {"on": True, "1": True, "true": True, "yes": True, "off": False, "0": False, "false": False, "no": False}
_CONSTRAINT = "constraint failed"
_CHANGING = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_CHECKPOINT_TABLE = """
CREATE TABLE IF NOT EXISTS batchrun_checkpoint (
    repository_id TEXT NOT NULL,
    instance_id INTEGER NOT NULL,
    step_name TEXT NOT NULL,
    "partition" TEXT NOT NULL,
    token INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    checkpoint TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (repository_id, instance_id, step_name, "partition")
) WITHOUT ROWID
"""


class SqliteDriver(Protocol):
    """What the two copies of SQLite have in common; `?1`, `?2` … stand for the values."""

    error: type[Exception]

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement and returns the number of rows it changed."""
        ...

    def many(self, sql: str, frame: pl.DataFrame) -> None:
        """Runs a statement once for each row of the frame."""
        ...

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        ...

    def frame(self, sql: str, values: Sequence[Any], expected: int) -> pl.DataFrame:
        """Returns a result of at most `expected` rows; a column of nothing but nulls is of type Null."""
        ...

    def interrupt(self) -> bool:
        """Ends the running statement, from any thread; returns False where the driver cannot."""
        ...

    def message(self, error: Exception) -> str:
        """Returns SQLite's own words."""
        ...

    def close(self) -> None:
        """Closes the connection."""
        ...


def connect_sqlite(database: Database, *, create: bool, interruptible: bool) -> SqliteSession:
    """Opens a SQLite file, by ADBC unless it holds the repository or its statements are to be interruptible.

    Raises:
        DatabaseError: the file is not there and `create` is false, or cannot be opened.
    """
    path, _, query = database.url.partition(":///")[2].partition("?")
    if path in ("", ":memory:"):
        raise DatabaseError(
            database.name,
            "a SQLite database in memory is gone with its connection, so it can be neither written nor restarted",
            hint="name a file, as in sqlite:///data.db",
        )
    if not create and not Path(path).exists():
        raise DatabaseError(database.name, f"there is no file {path}", hint="check the path in `databases`")
    if not Path(path).parent.is_dir():
        raise DatabaseError(database.name, f"there is no folder {Path(path).parent}", hint="make it, then restart")
    if Path(path).is_dir():
        raise DatabaseError(database.name, f"{path} is a folder", hint="name a file, as in sqlite:///data.db")
    opening, enforces = _settings(database, query)
    uri = f"file:{quote_path(path)}?{opening or ('mode=rwc' if create else 'mode=rw')}"
    driver = _driver(database.holds_repository or interruptible)
    return SqliteSession(database.name, path, driver, uri, foreign_keys=enforces)


def _settings(database: Database, query: str) -> tuple[str, bool]:
    """Returns the part of a URL's query that SQLite itself opens a file with, and whether foreign keys are enforced."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    enforced = given.pop(_FOREIGN_KEYS, "off").lower()
    if unknown := [name for name in given if name not in _OPENING]:
        known = [*_OPENING, _FOREIGN_KEYS]
        raise DatabaseError(
            database.name,
            f"its URL says {unknown[0]}, which SQLite does not know",
            hint=did_you_mean(unknown[0], known) or f"there are {', '.join(known)}",
        )
    if enforced not in _SWITCHES:
        raise DatabaseError(database.name, f"its URL says {_FOREIGN_KEYS}={enforced}", hint="it is on or off")
    return urlencode(given), _SWITCHES[enforced]


def _driver(by_python: bool) -> Callable[[str], SqliteDriver]:
    if by_python:
        from batchrun.components.databases.sqlite_python import PythonDriver

        return PythonDriver
    from batchrun.components.databases.sqlite_adbc import AdbcDriver

    return AdbcDriver


class SqliteSession:
    """A session on a SQLite file."""

    def __init__(
        self, database: str, path: str, driver: Callable[[str], SqliteDriver], uri: str, *, foreign_keys: bool = False
    ) -> None:
        self.database = database
        self._path = path
        self._depth = 0
        self._is_open = False
        self._changes: int | None = None
        self._row_by_row: dict[TableName, bool] = {}
        try:
            self._file = OpenFile(path, uri, driver)
        except Exception as error:
            reason = "unable to open the file"
            raise DatabaseError(database, f"{path}: {reason}", hint=storage.hint(reason)) from error
        self._driver: SqliteDriver = self._file.driver
        try:
            self._set_up(foreign_keys)
        except BaseException:
            self.close()
            raise

    def _set_up(self, foreign_keys: bool) -> None:
        with self._told():
            self._driver.run(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            self._driver.rows(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            # A chunk's pages stay in memory until its commit; the setting ends with the connection.
            self._driver.run("PRAGMA cache_size = -65536")
            self._driver.rows("SELECT count(*) FROM sqlite_master")

    @contextmanager
    def _told(self, *, of_rows: bool = False) -> Iterator[None]:
        """Turns the driver's exceptions into refusals of items or errors of the database."""
        try:
            yield
        except self._driver.error as error:
            text = self._driver.message(error)
            is_known = storage.is_refusal(text)
            if is_known or (of_rows and not storage.is_failure(text)):
                breaks_rule = _CONSTRAINT in text or type(error).__name__ == "IntegrityError" or not is_known
                raise (IntegrityError if breaks_rule else RefusedError)(text) from error
            raise DatabaseError(self.database, f"{self._path}: {text}", hint=storage.hint(text)) from error

    def quote(self, name: str) -> str:
        """Returns a name in this database's quotes."""
        return quote(name)

    def begin(self) -> None:
        """Begins a transaction as a writer at once: one that begins as a reader can fail with a deadlock later."""
        with self._told():
            self._driver.run("BEGIN IMMEDIATE")
        self._is_open, self._depth = True, 0

    def commit(self) -> None:
        """Commits the transaction."""
        with self._told():
            self._driver.run("COMMIT")
        self._is_open = False

    def commit_if(self, sql: str, parameters: Mapping[str, Any]) -> bool:
        """Runs a last statement and commits if it changed exactly one row; rolls back otherwise."""
        if self.execute(sql, parameters) != 1:
            self.rollback()
            return False
        self.commit()
        return True

    def rollback(self) -> None:
        """Rolls back; SQLite may have done so by itself, as on a full disk."""
        if self._is_open:
            self._is_open = False
            with suppress(self._driver.error):
                self._driver.run("ROLLBACK")

    def savepoint(self) -> None:
        """Sets a savepoint inside the last one."""
        self._depth += 1
        with self._told():
            self._driver.run(f"SAVEPOINT batchrun_{self._depth}")

    def release(self) -> None:
        """Forgets the last savepoint and keeps what was done since."""
        with self._told():
            self._driver.run(f"RELEASE batchrun_{self._depth}")
        self._depth -= 1

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint, and forgets it."""
        with self._told():
            self._driver.run(f"ROLLBACK TO batchrun_{self._depth}")
        self.release()

    def cancel(self) -> bool:
        """Interrupts the running statement, where this copy of SQLite can."""
        return self._driver.interrupt()

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Runs a statement and returns how many rows it changed."""
        self._changes = None
        text, values = bound(sql, parameters or {})
        word = Statement.parse(sql).first_word
        before = self._total_changes() if word == "WITH" else 0
        with self._told():
            changed = self._driver.run(text, values)
        # A driver counts the rows of a SELECT too, and a WITH may be either.
        if word == "WITH":
            return self._total_changes() - before
        return changed if word in _CHANGING else 0

    def fetch(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        text, values = bound(sql, parameters or {})
        with self._told():
            return self._driver.rows(text, values)

    def fetch_frame(self, sql: str, parameters: Mapping[str, Any], limit: int) -> pl.DataFrame:
        """Returns at most `limit` rows as SQLite types them; a column of nothing but nulls is of type Null."""
        text, values = bound(sql, parameters)
        with self._told():
            return self._driver.frame(text, values, limit)

    def query(self, sql: str, parameters: Mapping[str, Any], types: Mapping[str, str]) -> SqliteQueryRows:
        """Returns the rows of a query of any size."""
        return SqliteQueryRows(self, sql, parameters, types)

    def describe(self, table: TableName) -> TableShape | None:
        """Returns what the table looks like, or None where there is none."""
        prefix = f"{quote(table.schema)}." if table.schema else ""
        columns = self.fetch(f"PRAGMA {prefix}table_info({quote(table.name)})")
        if not columns:
            return None
        primary = frozenset(name for _, name, _, _, _, place in columns if place)
        indexes = self.fetch(f"PRAGMA {prefix}index_list({quote(table.name)})")
        unique = [
            frozenset(column for _, _, column in self.fetch(f"PRAGMA {prefix}index_info({quote(name)})"))
            for _, name, is_unique, _, is_partial in indexes
            if is_unique and not is_partial
        ]
        declared = {name: kind or "" for _, name, kind, _, _, _ in columns}
        return TableShape(declared, tuple(key for key in (primary, *unique) if key), folds_case=True)

    def tables(self) -> list[str]:
        """Returns the names of the tables and views there are."""
        found = self.fetch(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
            "AND name <> 'batchrun_checkpoint' ORDER BY name"
        )
        return [name for (name,) in found]

    def create_table(self, table: TableName, columns: pl.Schema, key: Sequence[str]) -> None:
        """Creates a table for items with these columns."""
        lines = [
            f"{quote(name)} {storage.declared_type(dtype)}{' NOT NULL' if name in key else ''}"
            for name, dtype in columns.items()
        ]
        if key:
            lines.append(f"PRIMARY KEY ({names(key)})")
        self.execute(f"CREATE TABLE {table.quoted} ({', '.join(lines)})")

    def create_checkpoint_table(self) -> None:
        """Creates the checkpoint table where it is missing; who comes second waits and finds it."""
        if not self.fetch("SELECT 1 FROM sqlite_master WHERE name = 'batchrun_checkpoint'"):
            self.execute(_CHECKPOINT_TABLE)

    def empty_table(self, table: TableName) -> None:
        """Deletes all rows, inside the transaction."""
        self.execute(f"DELETE FROM {table.quoted}")

    def can_upsert(self) -> bool:
        """Tells that SQLite knows an upsert."""
        return True

    def encode(self, frame: pl.DataFrame, shape: TableShape | None) -> pl.DataFrame:
        """Returns the frame in types that SQLite has."""
        return storage.encode(frame, shape)

    def insert(self, table: TableName, encoded: pl.DataFrame) -> None:
        """Inserts encoded items."""
        self._write(table, _insert(table, encoded.columns), encoded)

    def upsert(self, table: TableName, encoded: pl.DataFrame, key: Sequence[str]) -> None:
        """Inserts encoded items, or sets the other columns of the rows that have their key."""
        others = [name for name in encoded.columns if name not in key]
        assigned = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in others)
        action = f"UPDATE SET {assigned}" if assigned else "NOTHING"
        self._write(table, f"{_insert(table, encoded.columns)} ON CONFLICT ({names(key)}) DO {action}", encoded)

    def part(self, encoded: pl.DataFrame, start: int, length: int) -> pl.DataFrame:
        """Returns some of the encoded items."""
        return encoded.slice(start, length)

    def _write(self, table: TableName, sql: str, encoded: pl.DataFrame) -> None:
        before = self._total_changes() if self._changes is None else self._changes
        self._changes = None
        try:
            with self._told(of_rows=True):
                self._driver.many(sql, encoded)
        except RefusedError as error:
            # A statement for each row: those before the refused one have made their change, and it stays.
            self._changes = self._total_changes()
            index = self._changes - before
            if not self._changes_row_by_row(table, sql) or index >= encoded.height:
                raise
            raise RefusedError(error.reason, index, decided=index + 1) from error

    def _changes_row_by_row(self, table: TableName, sql: str) -> bool:
        """Tells whether each row that is written counts as one change: triggers and conflict clauses spoil that."""
        if table not in self._row_by_row:
            prefix = f"{quote(table.schema)}." if table.schema else ""
            self._row_by_row[table] = self.fetch(
                f"SELECT min(type = 'table' AND sql NOT LIKE '%ON CONFLICT%' AND sql NOT LIKE 'CREATE VIRTUAL%') "
                f"FROM {prefix}sqlite_master WHERE tbl_name = :name COLLATE NOCASE AND type <> 'index'",
                {"name": table.name},
            ) == [(1,)]
        return self._row_by_row[table] and not sql.endswith("DO NOTHING")

    def _total_changes(self) -> int:
        with self._told():
            changes: int = self._driver.rows("SELECT total_changes()")[0][0]
        return changes

    def close(self) -> None:
        """Closes the connection; what is not committed is undone."""
        self._file.close()


def bound(sql: str, parameters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Returns a statement with numbered marks, and the values as SQLite keeps them."""
    statement = Statement.parse(sql)
    place = {name: index for index, name in enumerate(statement.names, 1)}
    values = [storage.value(each) for each in statement.values(parameters)]
    return statement.render(lambda name: f"?{place[name]}"), values


def _insert(table: TableName, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table.quoted} ({names(columns)}) VALUES ({marks})"
