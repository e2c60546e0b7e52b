"""Copies of a job's databases for a measurement: all tables with their indexes and constraints, few with rows.

What has rows and is only read is copied once, into a template that all runs share; what the job writes to is made anew
for each run.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Lock

from batchrun.components.databases.session import quote
from batchrun.copies.databases import SQLITE, OutsideError
from batchrun.copies.scratch_schema import (
    Extract,
    connected,
    copy_schema,
    in_schema,
    is_postgres,
    referenced_tables,
    schema_names,
    table_names,
)
from batchrun.copies.workplace import Workplace
from batchrun.spi.scope import Database
from batchrun.tune.needs import TableNeeds

UPSERTED_ROWS = 100_000
"""How many rows of a table whose rows are to be updated are copied at most."""

_OWN_TABLES = "batchrun_"
_SETTINGS = ("page_size", "encoding", "auto_vacuum", "journal_mode")
_PARTS = """
SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY CASE type WHEN 'table' THEN 0 ELSE 1 END, rowid"""
_making = Lock()


def can_copy(url: str) -> bool:
    """Tells whether a database is of a kind that can be copied."""
    return url.startswith(SQLITE) or is_postgres(url)


def shape_of(database: Database, workplace: Workplace, needs: TableNeeds) -> Database:
    """Returns the copy of a database, made now where there is none yet in the workplace.

    Raises:
        OutsideError: it is of a kind that cannot be copied.
        DatabaseError: the copy cannot be made.
    """
    with _making:
        if database.url.startswith(SQLITE):
            return _sqlite(database, workplace, needs)
        if is_postgres(database.url):
            return _postgres(database, workplace, needs)
    kind = database.url.partition(":")[0]
    raise OutsideError(
        f"database {database.name!r} is none that it can copy ({kind})", "SQLite and PostgreSQL can be copied"
    )


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def _rows(table: str, needs: TableNeeds, referenced: Collection[str]) -> int | None:
    """Returns how many rows of a table are copied; None is all."""
    if table.startswith(_OWN_TABLES):
        return 0
    if needs.has_rows(table) or (table in referenced and table.lower() not in needs.filled):
        return None
    return UPSERTED_ROWS if table.lower() in needs.upserted else 0


def _referenced(keys: Iterable[tuple[str, str]], needs: TableNeeds) -> set[str]:
    """Returns the tables that foreign keys of tables with rows refer to, over any number of keys."""
    keys, found = list(keys), set[str]()
    while True:
        more = {other for table, other in keys if table in found or needs.may_write(table) or needs.has_rows(table)}
        if more <= found:
            return found
        found |= more


def _postgres(database: Database, workplace: Workplace, needs: TableNeeds) -> Database:
    own, template = f"{workplace.schema}_{_short(database.url)}", f"{workplace.shared_schema}_{_short(database.url)}"
    with connected(database.url, database.name) as connection:
        tables, referenced = table_names(connection), _referenced(referenced_tables(connection), needs)
    rows = {table: _rows(table, needs, referenced) for table in tables}
    shared = {table for table in tables if rows[table] is None and not needs.may_write(table)}
    url = in_schema(database.url, f"{own},{template}" if shared else own)
    fact = {"name": database.name, "url": url, "schema": own, "original": database.url}
    if fact not in workplace.noted("databases"):
        workplace.note("databases", fact)
        for other in schema_names(database.url, database.name):
            workplace.note("schemas", {"name": other})
        workplace.note("rows", {"tables": sorted(each for each in tables if rows[each] is None)})
        if shared:
            workplace.note("shared", {"schema": template, "original": database.url})
            copy_schema(database.url, template, database.name, Extract(shared.__contains__, is_bound=False))
        extract = Extract(lambda table: table not in shared, rows.__getitem__, behind=template if shared else "")
        copy_schema(database.url, own, database.name, extract)
    return replace(database, url=url)


def _sqlite(database: Database, workplace: Workplace, needs: TableNeeds) -> Database:
    path, mark, query = database.url.removeprefix(SQLITE).partition("?")
    if path in ("", ":memory:"):
        return database
    original = Path(path)
    here = workplace.mapped(original)
    if not workplace.holds(here):
        here = workplace.folder / "databases" / f"{_short(str(original))}-{original.name}"
    url = f"{SQLITE}{here}{mark}{query}"
    fact = {"name": database.name, "url": url, "path": str(here)}
    if fact not in workplace.noted("databases"):
        workplace.note("databases", fact)
        here.unlink(missing_ok=True)
        here.parent.mkdir(parents=True, exist_ok=True)
        if original.exists():
            template = workplace.folder.parent / f"shape-{_short(str(original))}.db"
            if not template.exists():
                _make_template(original, template, needs)
            shutil.copyfile(template, here)
    return replace(database, url=url)


def _make_template(original: Path, template: Path, needs: TableNeeds) -> None:
    """Makes a SQLite file with the tables, indexes, views and triggers of another, and the rows that are needed."""
    made = template.with_suffix(".new")
    made.unlink(missing_ok=True)
    readable = _readable(original)
    with closing(sqlite3.connect(readable, uri=True)) as old:
        settings = {name: old.execute(f"PRAGMA {name}").fetchone()[0] for name in _SETTINGS}
        parts = old.execute(_PARTS).fetchall()
        tables = [name for kind, name, _ in parts if kind == "table"]
        keys = [(table, row[2]) for table in tables for row in old.execute(f"PRAGMA foreign_key_list({quote(table)})")]
    referenced = _referenced(keys, needs)
    with closing(sqlite3.connect(made.as_uri(), uri=True, isolation_level=None)) as connection:
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = '{value}'")
        connection.execute("ATTACH ? AS original", (readable,))
        connection.execute("BEGIN")
        for kind, name, sql in parts:
            with suppress(
                sqlite3.OperationalError
            ):  # tables behind a virtual one come with it, views name what is gone
                connection.execute(sql)
            if kind == "table":
                _copy_rows(connection, name, _rows(name, needs, referenced))
        connection.execute("COMMIT")
    made.replace(template)


def _readable(original: Path) -> str:
    """Returns the URI to read a SQLite file by so that it, and what lies beside it, stays as it is.

    Where it has a write-ahead log, a connection that may write would move its pages into the file; where it has none
    now, only such a connection removes at its end the empty one that reading has made.
    """
    mode = "ro" if original.with_name(f"{original.name}-wal").exists() else "rw"
    return f"{original.as_uri()}?mode={mode}"


def _copy_rows(connection: sqlite3.Connection, table: str, most: int | None) -> None:
    if most == 0:
        return
    columns = [quote(row[1]) for row in connection.execute(f"PRAGMA main.table_info({quote(table)})")]
    names = ", ".join(columns)
    limit = "" if most is None else f" LIMIT {most}"
    connection.execute(f"INSERT INTO main.{quote(table)} ({names}) SELECT {names} FROM original.{quote(table)}{limit}")
