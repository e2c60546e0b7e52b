"""Sessions on any other database by SQLAlchemy: multi-row inserts, and upserts where its dialect has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.alchemy_query import AlchemyQueryRows
from batchrun.components.databases.alchemy_types import column_type
from batchrun.components.databases.connection import masked
from batchrun.components.databases.session import RefusedError, TableName, TableShape
from batchrun.components.databases.statement import Statement
from batchrun.errors import DatabaseError, first_line

if TYPE_CHECKING:
    import polars as pl
    import sqlalchemy as sa

    from batchrun.spi.scope import Database

_ROWS_AT_ONCE = 1000
_MYSQL = ("mysql", "mariadb")


def connect_alchemy(database: Database) -> AlchemySession:
    """Connects to a database that SQLAlchemy knows.

    Raises:
        DatabaseError: its driver is not installed, or it cannot be reached.
    """
    import sqlalchemy as sa

    try:
        engine = sa.create_engine(database.url, poolclass=sa.NullPool)
        return AlchemySession(database.name, engine)
    except ModuleNotFoundError as error:
        raise DatabaseError(
            database.name,
            f"{masked(database.url)} needs the Python package {error.name!r}",
            hint=f"pip install {error.name}",
        ) from error
    except sa.exc.ArgumentError as error:
        raise DatabaseError(
            database.name, masked(first_line(error)), hint="a URL is written as dialect://user:password@host/database"
        ) from error
    except sa.exc.SQLAlchemyError as error:
        raise DatabaseError(database.name, _words(error)) from error


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Items as dictionaries, with the types that their values are bound by."""

    schema: pl.Schema
    rows: list[dict[str, Any]]


class AlchemySession:
    """A session on one SQLAlchemy connection."""

    def __init__(self, database: str, engine: sa.Engine) -> None:
        self.database = database
        self._engine = engine
        self._connection = engine.connect()
        self._savepoints: list[sa.NestedTransaction] = []

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns the driver's exceptions into refusals of items or errors of the database."""
        import sqlalchemy as sa

        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError) as error:
            raise DatabaseError(self.database, _words(error)) from error
        except sa.exc.SQLAlchemyError as error:
            raise RefusedError(_words(error)) from error

    def quote(self, name: str) -> str:
        """Returns a name in this database's quotes."""
        return self._engine.dialect.identifier_preparer.quote_identifier(name)

    def begin(self) -> None:
        """Begins a transaction."""
        self._savepoints.clear()
        with self.told():
            self._connection.begin()

    def commit(self) -> None:
        """Commits the transaction."""
        with self.told():
            self._connection.commit()

    def commit_if(self, sql: str, parameters: Mapping[str, Any]) -> bool:
        """Runs a last statement and commits if it changed exactly one row; rolls back otherwise."""
        if self.execute(sql, parameters) != 1:
            self.rollback()
            return False
        self.commit()
        return True

    def rollback(self) -> None:
        """Rolls back; does nothing where no transaction is open."""
        import sqlalchemy as sa

        self._savepoints.clear()
        with suppress(sa.exc.SQLAlchemyError):
            self._connection.rollback()

    def savepoint(self) -> None:
        """Sets a savepoint inside the last one."""
        with self.told():
            self._savepoints.append(self._connection.begin_nested())

    def release(self) -> None:
        """Forgets the last savepoint and keeps what was done since."""
        with self.told():
            self._savepoints.pop().commit()

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint, and forgets it."""
        with self.told():
            self._savepoints.pop().rollback()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Commits what one statement outside a transaction did: SQLAlchemy begins one for it by itself."""
        was_open = self._connection.in_transaction()
        try:
            with self.told():
                yield
        finally:
            if not was_open:
                self._end_alone()

    def _end_alone(self) -> None:
        with self.told():
            self._connection.commit()

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Runs a statement and returns how many rows it changed."""
        with self._alone():
            result = self._connection.execute(*bound(sql, parameters or {}))
            changed = 0 if result.returns_rows else max(result.rowcount, 0)
            result.close()
            return changed

    def cancel(self) -> bool:
        """Cancels the running statement where the driver's connection has a `cancel`, as those of Oracle have."""
        cancel = getattr(self._connection.connection.driver_connection, "cancel", None)
        if cancel is None:
            return False
        cancel()
        return True

    def fetch(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        with self._alone():
            return [tuple(row) for row in self._connection.execute(*bound(sql, parameters or {}))]

    def query(self, sql: str, parameters: Mapping[str, Any], types: Mapping[str, str]) -> AlchemyQueryRows:
        """Returns the rows of a query of any size."""
        return AlchemyQueryRows(self, self._engine, sql, parameters, types)

    def describe(self, table: TableName) -> TableShape | None:
        """Returns what the table looks like, or None where there is none."""
        import sqlalchemy as sa

        with self._alone():
            inspector = sa.inspect(self._connection)
            if not inspector.has_table(table.name, schema=table.schema):
                return None
            columns = inspector.get_columns(table.name, schema=table.schema)
            primary = inspector.get_pk_constraint(table.name, schema=table.schema)["constrained_columns"]
            indexes = inspector.get_indexes(table.name, schema=table.schema)
            constraints = inspector.get_unique_constraints(table.name, schema=table.schema)
        unique: list[Sequence[str | None]] = [
            primary,
            *(index["column_names"] for index in indexes if index["unique"]),
            *(constraint["column_names"] for constraint in constraints),
        ]
        keys = tuple(frozenset(name for name in key if name) for key in unique if key and all(key))
        return TableShape({column["name"]: str(column["type"]) for column in columns}, keys, folds_case=True)

    def tables(self) -> list[str]:
        """Returns the names of the tables and views there are."""
        import sqlalchemy as sa

        with self._alone():
            inspector = sa.inspect(self._connection)
            return [name for name in inspector.get_table_names() + inspector.get_view_names() if "batchrun" not in name]

    def create_table(self, table: TableName, columns: pl.Schema, key: Sequence[str]) -> None:
        """Creates a table for items with these columns."""
        import sqlalchemy as sa

        made = [
            sa.Column(name, column_type(dtype, is_key=name in key), primary_key=name in key, autoincrement=False)
            for name, dtype in columns.items()
        ]
        with self._alone():
            sa.Table(table.name, sa.MetaData(), *made, schema=table.schema).create(self._connection)

    def create_checkpoint_table(self) -> None:
        """Creates the checkpoint table where it is missing; who comes second in a race finds it."""
        from batchrun.components.databases.alchemy_types import checkpoint_table

        table = TableName("batchrun_checkpoint")
        if self.describe(table) is not None:
            return
        try:
            with self._alone():
                checkpoint_table().create(self._connection)
        except (RefusedError, DatabaseError):
            self.rollback()
            if self.describe(table) is None:
                raise

    def empty_table(self, table: TableName) -> None:
        """Deletes all rows, inside the transaction."""
        self.execute(f"DELETE FROM {self._quoted(table)}")

    def _quoted(self, table: TableName) -> str:
        return ".".join(self.quote(part) for part in (table.schema, table.name) if part is not None)

    def can_upsert(self) -> bool:
        """Tells whether batchrun knows this dialect's upsert."""
        return self._engine.dialect.name in (*_MYSQL, "sqlite", "postgresql")

    def encode(self, frame: pl.DataFrame, shape: TableShape | None) -> EncodedRows:
        """Returns the items as dictionaries."""
        del shape
        return EncodedRows(frame.schema, frame.to_dicts())

    def part(self, encoded: EncodedRows, start: int, length: int) -> EncodedRows:
        """Returns some of the encoded items."""
        return EncodedRows(encoded.schema, encoded.rows[start : start + length])

    def insert(self, table: TableName, encoded: EncodedRows) -> None:
        """Inserts encoded items, many rows a statement where the driver can."""
        import sqlalchemy as sa

        self._write(sa.insert(self._bare(table, encoded)), encoded)

    def upsert(self, table: TableName, encoded: EncodedRows, key: Sequence[str]) -> None:
        """Inserts encoded items, or sets the other columns of the rows that have their key."""
        self._write(upsert_statement(self._engine.dialect.name, self._bare(table, encoded), key), encoded)

    def _bare(self, table: TableName, encoded: EncodedRows) -> sa.TableClause:
        import sqlalchemy as sa

        columns = [sa.column(name, column_type(dtype, is_key=False)) for name, dtype in encoded.schema.items()]
        return sa.table(table.name, *columns, schema=table.schema)

    def _write(self, statement: sa.Insert, encoded: EncodedRows) -> None:
        for start in range(0, len(encoded.rows), _ROWS_AT_ONCE):
            with self._alone():
                self._connection.execute(statement, encoded.rows[start : start + _ROWS_AT_ONCE])

    def close(self) -> None:
        """Closes the connection; what is not committed is undone."""
        self._connection.close()
        self._engine.dispose()


def upsert_statement(dialect: str, table: sa.TableClause, key: Sequence[str]) -> sa.Insert:
    """Returns the upsert in the words of a dialect that has one."""
    names = [column.name for column in table.columns]
    others = [name for name in names if name not in key]
    if dialect in _MYSQL:
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        into = mysql_insert(table)
        # Setting a key column to itself changes nothing, where there is nothing else to set.
        return into.on_duplicate_key_update({name: into.inserted[name] for name in others or key})
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    statement = insert(table)
    if not others:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in others}
    )


def bound(sql: str, parameters: Mapping[str, Any]) -> tuple[sa.TextClause, dict[str, Any]]:
    """Returns a statement as SQLAlchemy takes it, and the values it names."""
    import sqlalchemy as sa

    statement = Statement.parse(sql)
    text = statement.render(lambda name: f":{name}", lambda text: text.replace(":", "\\:"))
    return sa.text(text), {name: parameters[name] for name in statement.names}


def _words(error: Exception) -> str:
    """Returns the driver's own words, without SQLAlchemy's statement and link."""
    return masked(first_line(getattr(error, "orig", None) or error))
