"""Sessions on PostgreSQL by psycopg 3: COPY for items, staging table and ON CONFLICT for upserts."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.connection import masked
from batchrun.components.databases.postgres_copy import CopyData, CopyPart, declared_type, encode
from batchrun.components.databases.postgres_items import passed_on
from batchrun.components.databases.postgres_kinds import checks
from batchrun.components.databases.postgres_parts import PostgresParts
from batchrun.components.databases.postgres_query import PostgresQueryRows
from batchrun.components.databases.session import RefusedError, TableName, TableShape, names, quote
from batchrun.components.databases.statement import Statement
from batchrun.errors import DatabaseError, MissingExtraError

if TYPE_CHECKING:
    import polars as pl
    import psycopg

    from batchrun.spi.scope import Database
    from batchrun.spi.text import ItemText

_DEFAULTS: dict[str, str | int] = {"connect_timeout": 10, "application_name": "batchrun"}
_ENCODING = "utf8"
"""Of all that goes over the connection, whatever the URL says: rows go as bytes that nobody encodes anew."""

_CHECKPOINT_TABLE = """
CREATE TABLE IF NOT EXISTS batchrun_checkpoint (
    repository_id text NOT NULL,
    instance_id bigint NOT NULL,
    step_name text NOT NULL,
    partition text NOT NULL,
    token bigint NOT NULL,
    sequence bigint NOT NULL,
    checkpoint text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (repository_id, instance_id, step_name, partition)
)
"""
_CANCEL_SECONDS = 5.0
_CREATING = zlib.crc32(b"batchrun_checkpoint")
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_UNIQUE = """
SELECT array_agg(a.attname::text)
FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
WHERE i.indrelid = to_regclass(:table) AND i.indisunique AND i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid
"""
_TABLES = """
SELECT CASE WHEN pg_table_is_visible(c.oid) THEN relname ELSE nspname || '.' || relname END
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema')
    AND nspname NOT LIKE 'pg_t%' AND relname <> 'batchrun_checkpoint' ORDER BY 1 LIMIT 1000
"""
_LINE = re.compile(r"COPY .*, line (\d+)(?:, column ([^:]+))?")
_DATABASE_FAILS = ("08", "25", "28", "3D", "40", "53", "55P03", "57", "58", "F0", "XX")
_HINTS = {
    "28P01": "check user and password in `databases`",
    "53100": "free some space on the server, then restart",
    "55P03": "another session holds a lock: let it finish, then restart",
}
_NOT_BINARY = ("08P01", "22P03")
"""Codes that say of the binary form that it is not one of the column's type."""

_CHANGED = "the type of a column has changed since the step looked at it"
_RESTART = "nothing of this chunk is written; a restart goes by the new type"
_NO_STAGE = "an upsert needs a temporary table; the user needs the right to make one: GRANT TEMPORARY ON DATABASE"


def connect_postgres(database: Database) -> PostgresSession:
    """Connects to a PostgreSQL server.

    Raises:
        MissingExtraError: psycopg is not installed.
        DatabaseError: the server cannot be reached or refuses the user.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo
    except ImportError as error:
        raise MissingExtraError(f"PostgreSQL (database {database.name!r})", "postgres") from error
    url = "postgresql://" + database.url.partition("://")[2]
    try:
        given = conninfo_to_dict(url)
        missing = {name: each for name, each in _DEFAULTS.items() if name not in given}
        wanted = make_conninfo(url, **missing, client_encoding=_ENCODING)
        connection: psycopg.Connection[Any] = psycopg.connect(
            wanted, autocommit=True, cursor_factory=psycopg.ClientCursor
        )
    except psycopg.Error as error:
        hint = _HINTS.get(error.sqlstate or "", "check the URL in `databases`, and that the server runs")
        raise DatabaseError(database.name, masked(_one_line(str(error))), hint=hint) from error
    return PostgresSession(database.name, connection)


class PostgresSession:
    """A session on a PostgreSQL server. Statements go in one message each, with their values quoted by the driver.

    What is said of savepoints goes with the statement that follows.
    """

    def __init__(self, database: str, connection: psycopg.Connection[Any]) -> None:
        self.database = database
        self._connection = connection
        self._depth = 0
        self._due: list[str] = []
        self._stages: dict[str, bool] = {}
        self._parts = PostgresParts(self, _DATABASE_FAILS)
        self._checks_at_once = False
        self._counted_on: dict[str, Mapping[str, str]] = {}

    @contextmanager
    def _told(self, data: CopyData | None = None) -> Iterator[None]:
        """Turns the driver's exceptions into refusals of items or errors of the database."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            code = error.sqlstate
            if data is not None and data.binary and code in _NOT_BINARY:
                raise DatabaseError(
                    self.database, _reason(_CHANGED, error.diag.context, None), hint=_RESTART
                ) from error
            if code is None or code.startswith(_DATABASE_FAILS):
                reason = error.diag.message_primary or _one_line(str(error))
                raise DatabaseError(self.database, reason, hint=_HINTS.get(code or "")) from error
            raise _refusal(error, data) from error

    def quote(self, name: str) -> str:
        """Returns a name in this database's quotes."""
        return quote(name)

    def begin(self) -> None:
        """Begins a transaction.

        Behind a commit that was refused, constraints that are deferred are checked by each statement, until a commit
        is not: so the chunk can be narrowed down to the items that break them.
        """
        self.execute("BEGIN; SET CONSTRAINTS ALL IMMEDIATE" if self._checks_at_once else "BEGIN")
        self._depth = 0
        self._counted_on.clear()
        self._stages = dict.fromkeys(self._stages, False)
        self._parts.forget()

    def commit(self) -> None:
        """Commits the transaction."""
        self.execute("COMMIT")

    def commit_if(self, sql: str, parameters: Mapping[str, Any]) -> bool:
        """Runs a last statement and commits if it changed exactly one row; rolls back otherwise.

        Both go in one message: the division by the number of changed rows fails where that is 0, and then the server
        does not come to the COMMIT. With them goes a look at the tables that were sent the binary form, since that of
        another type would be read as something else; what is written keeps a table as it is until the commit.
        """
        import psycopg

        guarded = f"WITH changed AS ({sql} RETURNING 1) SELECT 1 / count(*) FROM changed; COMMIT"
        text, values = bound(guarded, parameters)
        assert values is not None, "the driver would take a percent sign as it is"
        try:
            with self._told():
                self._catch_up()
                self._connection.execute(checks(self._counted_on).replace("%", "%%") + text, values)
        except RefusedError as error:
            if isinstance(error.__cause__, psycopg.errors.DivisionByZero):
                self.rollback()
                return False
            if isinstance(error.__cause__, psycopg.errors.InvalidArgumentForPowerFunction) and self._counted_on:
                told = f"table {' or '.join(self._counted_on)}: {_CHANGED}"
                raise DatabaseError(self.database, told, hint=_RESTART) from error
            self._checks_at_once = True
            raise
        self._checks_at_once = False
        return True

    def rollback(self) -> None:
        """Rolls back; the server does so by itself where the connection is lost."""
        import psycopg

        self._stages.clear()
        self._due.clear()
        if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            with suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")

    def savepoint(self) -> None:
        """Sets a savepoint inside the last one."""
        self._depth += 1
        self._due.append(f"SAVEPOINT batchrun_{self._depth}")

    def release(self) -> None:
        """Forgets the last savepoint and keeps what was done since."""
        self._end_savepoint("RELEASE")

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint, and forgets it."""
        self._end_savepoint("ROLLBACK TO", "RELEASE")
        self._stages.clear()
        self._parts.forget()

    def _end_savepoint(self, *words: str) -> None:
        name = f"batchrun_{self._depth}"
        self._depth -= 1
        if self._due and self._due[-1] == f"SAVEPOINT {name}":
            self._due.pop()  # nothing was done since that the server has not ended by itself
        else:
            self._due += [f"{word} {name}" for word in words]

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Runs a statement and returns how many rows it changed."""
        with self._told():
            cursor = self._run(sql, parameters or {})
            return max(cursor.rowcount, 0) if cursor.description is None else 0

    def execute_plain(self, sql: str) -> None:
        """Runs statements of batchrun's own, in which a colon or a percent sign means nothing."""
        with self._told():
            self._catch_up()
            self._connection.execute(sql)

    def fetch_plain(self, sql: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a query of batchrun's own that undoes by itself what it does not keep.

        So it needs no savepoint: one that is due is not sent.
        """
        with self._told():
            return self._connection.execute(sql).fetchall()

    def cancel(self) -> bool:
        """Asks the server to cancel the running statement, over a connection of its own."""
        import psycopg

        try:
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
        except psycopg.Error:
            return False
        return True

    def fetch(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        with self._told():
            return self._run(sql, parameters or {}).fetchall()

    def _run(self, sql: str, parameters: Mapping[str, Any]) -> psycopg.Cursor[Any]:
        text, values = bound(sql, parameters)
        self._catch_up()
        return self._connection.execute(text, values)

    def _catch_up(self) -> None:
        """Sends what is due of savepoints in one message: narrowing a chunk down sets and drops them all the time."""
        if self._due:
            text = "; ".join(self._due)
            self._due.clear()
            self._connection.execute(text)

    def query(self, sql: str, parameters: Mapping[str, Any], types: Mapping[str, str]) -> PostgresQueryRows:
        """Returns the rows of a query of any size."""
        return PostgresQueryRows(self, self._connection, sql, parameters, types)

    def refusal_told(
        self, code: str, message: str, detail: str | None, column: str | None, hint: str | None, *, index: int
    ) -> RefusedError:
        """Returns the refusal of an item, with the exception that the driver has for it."""
        error = RefusedError(_reason(message, detail, column), index, hint=hint or None)
        error.__cause__ = _class_of(code)(message)
        return error

    @contextmanager
    def told(self) -> Iterator[None]:
        """As all statements of the session do, tells the driver's exceptions as batchrun's."""
        with self._told():
            yield

    def describe(self, table: TableName) -> TableShape | None:
        """Returns what the table looks like, or None where there is none."""
        columns = self.fetch(_COLUMNS, {"table": table.quoted})
        if not columns:
            return None
        unique = self.fetch(_UNIQUE, {"table": table.quoted})
        return TableShape(dict(columns), tuple(frozenset(key) for (key,) in unique))

    def tables(self) -> list[str]:
        """Returns the names of the tables and views there are."""
        return [name for (name,) in self.fetch(_TABLES)]

    def create_table(self, table: TableName, columns: pl.Schema, key: Sequence[str]) -> None:
        """Creates a table for items with these columns."""
        lines = [f"{quote(name)} {declared_type(dtype)}" for name, dtype in columns.items()]
        if key:
            lines.append(f"PRIMARY KEY ({names(key)})")
        self.execute(f"CREATE TABLE {table.quoted} ({', '.join(lines)})")

    def create_checkpoint_table(self) -> None:
        """Creates the checkpoint table where it is missing; one process at a time, since IF NOT EXISTS can race."""
        if self.fetch("SELECT to_regclass('batchrun_checkpoint')") != [(None,)]:
            return
        self.begin()
        try:
            self.fetch(f"SELECT pg_advisory_xact_lock({_CREATING})")
            self.execute(_CHECKPOINT_TABLE)
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def empty_table(self, table: TableName) -> None:
        """Deletes all rows, by TRUNCATE where rights and foreign keys let it."""
        self.savepoint()
        try:
            self.execute(f"TRUNCATE {table.quoted}")
        except RefusedError:
            self.rollback_to_savepoint()
            self.execute(f"DELETE FROM {table.quoted}")
        else:
            self.release()

    def can_upsert(self) -> bool:
        """Tells that PostgreSQL knows an upsert."""
        return True

    def encode(self, frame: pl.DataFrame, shape: TableShape | None) -> CopyData:
        """Returns the frame as COPY takes it."""
        return encode(frame, shape)

    def encode_text(self, text: ItemText, shape: TableShape) -> CopyData | None:
        """Returns items as they were received from another PostgreSQL server."""
        return passed_on(text, shape)

    def part(self, encoded: CopyData, start: int, length: int) -> CopyPart:
        """Returns some of the encoded items."""
        return CopyPart(encoded, start, length)

    def insert(self, table: TableName, encoded: CopyData | CopyPart) -> None:
        """Copies encoded items into the table."""
        if isinstance(encoded, CopyPart):
            if self._parts.write(table, encoded, ""):
                return
            encoded = encoded.cut()
        self.copy(table.quoted, encoded.columns, encoded)

    def upsert(self, table: TableName, encoded: CopyData | CopyPart, key: Sequence[str]) -> None:
        """Copies encoded items into a temporary table, and from there inserts or updates."""
        columns = encoded.whole.columns if isinstance(encoded, CopyPart) else encoded.columns
        assigned = ", ".join(f"{quote(name)} = EXCLUDED.{quote(name)}" for name in columns if name not in key)
        action = f"ON CONFLICT ({names(key)}) DO {f'UPDATE SET {assigned}' if assigned else 'NOTHING'}"
        if isinstance(encoded, CopyPart):
            if self._parts.write(table, encoded, action):
                return
            encoded = encoded.cut()
        stage = self._stage(table, columns)
        self.copy(stage, columns, encoded)
        with self._told(encoded):
            self._connection.execute(
                f"INSERT INTO {table.quoted} ({names(columns)}) SELECT {names(columns)} FROM {stage} {action}"
            )
        self._stages[stage] = True

    def _stage(self, table: TableName, columns: Sequence[str]) -> str:
        """Returns an empty temporary table with these columns of the table; it lives as long as the connection."""
        stage = f"batchrun_stage_{zlib.crc32(repr((table, columns)).encode()):08x}"
        if stage not in self._stages:
            self.execute("SET LOCAL client_min_messages = warning")
            try:
                self.execute(
                    f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS "
                    f"SELECT {names(columns)} FROM {table.quoted} WITH NO DATA"
                )
            except RefusedError as error:
                raise DatabaseError(self.database, error.reason, hint=_NO_STAGE) from error
        elif self._stages[stage]:
            self.execute(f"DELETE FROM {stage}")
        return stage

    def copy(self, target: str, columns: Sequence[str], encoded: CopyData) -> None:
        """Copies encoded items into a table, whose name is quoted where it needs to be."""
        sql = f"COPY {target} ({names(columns)}) FROM STDIN (FORMAT {encoded.form})"
        with self._told(encoded):
            self._catch_up()
            with self._connection.cursor() as cursor, cursor.copy(sql) as copy:
                for piece in encoded.pieces:
                    copy.write(piece)
        if encoded.binary:
            self._counted_on[target] = encoded.kinds

    def close(self) -> None:
        """Closes the connection; what is not committed is undone."""
        self._connection.close()


def bound(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Returns a statement with the driver's marks, and the values it names, None where it names none."""
    statement = Statement.parse(sql)
    if not statement.names:
        return statement.render(str), None
    text = statement.render(lambda name: f"%({name})s", lambda text: text.replace("%", "%%"))
    return text, {name: parameters[name] for name in statement.names}


def _refusal(error: psycopg.Error, data: CopyData | None) -> RefusedError:
    """Returns what the server says; and which item, where COPY names its line."""
    diag = error.diag
    match = _LINE.search(diag.context or "")
    column = diag.column_name or (match[2] if match else None)
    index = data.index_of(int(match[1])) if match and data else None
    return RefusedError(
        _reason(diag.message_primary or str(error), diag.message_detail, column), index, hint=diag.message_hint
    )


def _class_of(code: str) -> type[psycopg.Error]:
    """Returns the driver's exception for an SQLSTATE; one that a trigger has made up goes by its class, or by none."""
    import psycopg

    for known in (code, f"{code[:2]}000"):
        with suppress(KeyError):
            return psycopg.errors.lookup(known)
    return psycopg.DatabaseError


def _reason(message: str, detail: str | None, column: str | None) -> str:
    """Returns message, detail and column in one line."""
    parts = [message, detail]
    if column and f'"{column}"' not in message:
        parts.append(f"column {column}")
    return "; ".join(_one_line(part) for part in parts if part)


def _one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
