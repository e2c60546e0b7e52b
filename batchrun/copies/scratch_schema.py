"""Scratch schemas of PostgreSQL: the tables of a URL's schema copied beside it, and dropped at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.session import quote
from batchrun.copies.scratch_sequences import ScratchSequences
from batchrun.errors import DatabaseError, MissingExtraError

if TYPE_CHECKING:
    import psycopg

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.oid"""
_COLUMNS = """
SELECT a.attname, a.attidentity <> '', a.attgenerated <> '', pg_get_serial_sequence(quote_ident(%(table)s), a.attname),
       coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = quote_ident(%(table)s)::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = quote_ident(%(table)s)::regclass"""
_REFERENCES = """
SELECT t.relname, o.relname FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class o ON o.oid = c.confrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE c.contype = 'f' AND n.nspname = current_schema()"""
_VIEWS = """
SELECT c.relname, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'v' ORDER BY c.oid"""
_BEGINNING_WITH = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %(prefix)s)"
_LEADS_OUT = """
SELECT 1 FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.ev_class = quote_ident(%(view)s)::regclass AND n.nspname <> ALL (%(schemas)s)
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')"""
_OTHER_SCHEMAS = """
SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%%' AND nspname NOT LIKE 'batchrun\\_copies\\_%%'
AND nspname <> 'information_schema'"""


def is_postgres(url: str) -> bool:
    """Tells whether a URL names a database of PostgreSQL."""
    return url.partition(":")[0].partition("+")[0].lower() in ("postgresql", "postgres")


def in_schema(url: str, schema: str) -> str:
    """Returns the URL with another schema in place of its own."""
    return _with_option(url, f"search_path={schema}")


def only_read(url: str) -> str:
    """Returns the URL with sessions that the server lets change nothing, not even by a function in a SELECT."""
    return _with_option(url, "default_transaction_read_only=on")


def _with_option(url: str, option: str) -> str:
    from sqlalchemy import make_url

    parsed = make_url(url)
    given = parsed.query.get("options", "")
    before = given if isinstance(given, str) else " ".join(given)
    options = f"{before} -c{option}".strip()
    address, mark, query = (
        parsed.update_query_dict({"options": options}).render_as_string(hide_password=False).partition("?")
    )
    return f"{address}{mark}{query.replace('+', '%20')}"  # libpq knows no + for a blank


@contextmanager
def connected(url: str, name: str = "repository") -> Iterator[psycopg.Connection[Any]]:
    """Opens a connection, whose transaction is committed at the end.

    Raises:
        DatabaseError: the server cannot be reached, or refuses something.
        MissingExtraError: there is no driver.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtraError("a PostgreSQL database", "postgres") from error
    plain = f"postgresql:{url.partition(':')[2]}"  # as text: libpq and SQLAlchemy write blanks in different ways
    try:
        with psycopg.connect(plain, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise DatabaseError(
            name, f"its scratch schema: {reason}", hint="the user needs the right to create one"
        ) from error


def make_schema(url: str, schema: str) -> None:
    """Makes an empty schema."""
    with connected(url) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')


def drop_schema(url: str, schema: str) -> None:
    """Drops a schema with all that is in it; does nothing where there is none."""
    with connected(url) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def drop_schemas(url: str, prefix: str) -> None:
    """Drops the schemas whose names begin so."""
    with connected(url) as connection:
        connection.execute("SET client_min_messages = warning")
        for (schema,) in connection.execute(_BEGINNING_WITH, {"prefix": f"{prefix}_"}).fetchall():
            connection.execute(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")


@dataclass(frozen=True, slots=True)
class Extract:
    """What of a schema is copied.

    Attributes:
        has: tells whether a table is.
        rows: how many rows of a table are; None is all.
        is_bound: foreign keys and views are copied too.
        behind: the schema that has the tables which are missing here, or nothing.
    """

    has: Callable[[str], bool] = lambda _table: True
    rows: Callable[[str], int | None] = lambda _table: None
    is_bound: bool = True
    behind: str = ""


ALL = Extract()


def copy_schema(url: str, schema: str, name: str = "repository", extract: Extract = ALL) -> None:
    """Copies the tables and views of a URL's schema into a new one, if there is none yet, in one transaction.

    Numbers that the database gives go on where those of the original are. Triggers, functions and rights stay behind.
    """
    with connected(url, name) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (schema,))
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone():
            return
        connection.execute(f'CREATE SCHEMA "{schema}"')
        tables = [row[0] for row in connection.execute(_TABLES) if extract.has(row[0])]
        sequences = ScratchSequences(connection, schema)
        for table in tables:
            _copy_table(connection, schema, table, extract.rows(table))
            sequences.number(table, f"{quote(schema)}.{quote(table)}")
        if extract.is_bound:
            sequences.copy_all()
            _bind(connection, tables, [schema, *([extract.behind] if extract.behind else [])])


def _bind(connection: psycopg.Connection[Any], tables: Sequence[str], schemas: Sequence[str]) -> None:
    """Makes the foreign keys of copied tables, and the views; they refer to what the schemas have, in this order."""
    keys = [(table, *row) for table in tables for row in connection.execute(_FOREIGN_KEYS, {"table": table})]
    views = connection.execute(_VIEWS).fetchall()
    connection.execute(f"SET LOCAL search_path TO {', '.join(map(quote, schemas))}")
    for table, key, definition in keys:
        connection.execute(f"ALTER TABLE {quote(table)} ADD CONSTRAINT {quote(key)} {definition}")
    for view, definition in views:
        connection.execute(f"CREATE VIEW {quote(view)} AS {definition}")
        if connection.execute(_LEADS_OUT, {"view": view, "schemas": list(schemas)}).fetchone():
            # With an OFFSET nothing can be written through it, to tables that are no copies.
            connection.execute(
                f"CREATE OR REPLACE VIEW {quote(view)} AS "
                f"SELECT * FROM ({definition.rstrip().rstrip(';')}) AS outside OFFSET 0"
            )


def _copy_table(connection: psycopg.Connection[Any], schema: str, table: str, most: int | None) -> None:
    copy = f"{quote(schema)}.{quote(table)}"
    connection.execute(f"CREATE TABLE {copy} (LIKE {quote(table)} INCLUDING ALL)")
    columns = connection.execute(_COLUMNS, {"table": table}).fetchall()
    names = ", ".join(quote(name) for name, _, is_computed, *_ in columns if not is_computed)
    if names and most != 0:
        rows = f"SELECT {names} FROM {quote(table)}{'' if most is None else f' LIMIT {most}'}"
        connection.execute(f"INSERT INTO {copy} ({names}) OVERRIDING SYSTEM VALUE {rows}")
    for name, is_identity, _, sequence, _ in columns:
        if is_identity:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), last_value, is_called) FROM {sequence}", (copy, name)
            )


def numbered_columns(connection: psycopg.Connection[Any], table: str) -> set[str]:
    """Returns the columns that the database itself numbers: a rollback leaves gaps in them."""
    columns = connection.execute(_COLUMNS, {"table": table})
    return {name for name, is_identity, _, _, is_serial in columns if is_identity or is_serial}


def referenced_tables(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Returns each table of the connection's schema that has a foreign key, with the one that it refers to."""
    return [(table, other) for table, other in connection.execute(_REFERENCES)]


def table_names(connection: psycopg.Connection[Any]) -> list[str]:
    """Returns the tables of the connection's schema."""
    return [row[0] for row in connection.execute(_TABLES)]


def schema_names(url: str, name: str) -> list[str]:
    """Returns the schemas of a database that are no system's and no scratch."""
    with connected(url, name) as connection:
        return [row[0] for row in connection.execute(_OTHER_SCHEMAS.replace("%%", "%"))]
