"""A snapshot: all that a run has left in its workplace, in a form that can be compared with another's."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from batchrun.copies.scratch_schema import connected, numbered_columns, table_names
from batchrun.copies.workplace import Workplace, files_of

CHECKPOINTS = "batchrun_checkpoint"
Row = tuple[str | None, ...]


@dataclass(slots=True)
class TableContent:
    """The rows of a table, each as often as it is there, as texts of its compared columns."""

    columns: tuple[str, ...]
    rows: Counter[Row]


@dataclass(slots=True)
class Snapshot:
    """What a run has left.

    Attributes:
        tables: by `database.table`.
        files: hash of each file, by its path in the project.
        checkpoints: rows of `batchrun_checkpoint`, by database.
        empty: names of databases in which no table was found.
    """

    tables: dict[str, TableContent] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    checkpoints: dict[str, int] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ignored:
    """What is not to be compared: a database, `TABLE`, `TABLE.COLUMN`, or a pattern of files."""

    patterns: Collection[str] = ()

    def has(self, name: str) -> bool:
        """Tells whether a database, a table, a column or a file is left out."""
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.patterns)


def snapshot(workplace: Workplace, ignored: Ignored) -> Snapshot:
    """Returns what a workplace holds now; nothing may run in it meanwhile."""
    taken = Snapshot()
    databases = {each["url"]: each for each in workplace.noted("databases")}
    rejects = {each["table"].rpartition(".")[2].strip('"') for each in workplace.noted("reject tables")}
    for fact in databases.values():
        if ignored.has(fact["name"]):
            continue
        opened = _of_postgres(fact["url"]) if "schema" in fact else _of_sqlite(Path(fact["path"]))
        is_empty = True
        for table, columns, rows in opened:
            is_empty = False
            if table == CHECKPOINTS:
                taken.checkpoints[fact["name"]] = sum(1 for _ in rows)
            elif table not in rejects and not ignored.has(table):
                taken.tables[f"{fact['name']}.{table}"] = _content(workplace, ignored, table, columns, rows)
        if is_empty:
            taken.empty.append(fact["name"])
    not_compared = _not_compared(workplace)
    for file in files_of(workplace):
        name = str(file.relative_to(workplace.project))
        if file not in not_compared and not ignored.has(name):
            taken.files[name] = _hash(workplace, file)
    return taken


def _content(
    workplace: Workplace, ignored: Ignored, table: str, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]
) -> TableContent:
    kept = [place for place, column in enumerate(columns) if not ignored.has(f"{table}.{column}")]
    texts = (tuple(_text(workplace, row[place]) for place in kept) for row in rows)
    return TableContent(tuple(columns[place] for place in kept), Counter(texts))


def _text(workplace: Workplace, value: Any) -> str | None:
    return None if value is None else workplace.plain(str(value))


def _of_sqlite(path: Path) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    """Yields each table with its columns and rows."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        for (table,) in connection.execute(names).fetchall():
            quoted = '"' + table.replace('"', '""') + '"'
            rows = connection.execute(f"SELECT * FROM {quoted}")
            yield table, tuple(each[0] for each in rows.description), rows


def _of_postgres(url: str) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    """Yields each table with its columns, but for those that the database numbers, and its rows as texts."""
    from psycopg import sql

    with connected(url) as connection:
        for table in table_names(connection):
            found = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table)))
            numbered = numbered_columns(connection, table)
            columns = tuple(each.name for each in found.description or () if each.name not in numbered)
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(each)) for each in columns)
            rows = connection.execute(sql.SQL("SELECT {} FROM {}").format(texts, sql.Identifier(table)))
            yield table, columns, iter(rows)


def _not_compared(workplace: Workplace) -> set[Path]:
    """Returns the files that are compared in another way: databases, and the files of rejects."""
    databases = [each["path"] for each in workplace.noted("databases") if "path" in each]
    files = {Path(f"{path}{suffix}") for path in databases for suffix in ("", "-wal", "-shm", "-journal")}
    return files | {Path(each["path"]) for each in workplace.noted("reject files")}


def _hash(workplace: Workplace, file: Path) -> str:
    folder, digest = str(workplace.folder).encode(), sha256()
    with file.open("rb") as opened:
        for line in opened:  # by lines, so that no path of the workplace is cut in two
            digest.update(line.replace(folder, b""))
    return digest.hexdigest()
