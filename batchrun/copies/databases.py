"""Copies of a job's databases: each is given to the job in the place of the original, which is only read."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from batchrun.copies.scratch_schema import copy_schema, in_schema, is_postgres, schema_names
from batchrun.copies.workplace import Workplace
from batchrun.errors import UsageError
from batchrun.spi.scope import Database

SQLITE = "sqlite:///"
_ATTACH = re.compile(r"\battach\b", re.IGNORECASE)
_SEARCH_PATH = re.compile(r"\bsearch_path\b|\bset\s+((session|local)\s+)?schema\b", re.IGNORECASE)
_COPY_TO_FILE = re.compile(r"\bcopy\b[^;]*\bto\s+(program\b|e?')", re.IGNORECASE)
_making = Lock()


class OutsideError(UsageError):
    """A job would act on what is not a copy."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"the job is to run on copies only, and {what}", hint=hint)


def copied(database: Database, workplace: Workplace) -> Database:
    """Returns the copy of a database, made now where there is none yet.

    Raises:
        OutsideError: it is of a kind that cannot be copied.
        DatabaseError: the copy cannot be made.
    """
    with _making:
        if database.url.startswith(SQLITE):
            return _sqlite(database, workplace)
        if is_postgres(database.url):
            return _postgres(database, workplace)
    kind = database.url.partition(":")[0]
    raise OutsideError(
        f"database {database.name!r} is none that it can copy ({kind})", "SQLite and PostgreSQL can be copied"
    )


def _sqlite(database: Database, workplace: Workplace) -> Database:
    path, mark, query = database.url.removeprefix(SQLITE).partition("?")
    if path in ("", ":memory:"):
        return database
    here = workplace.mapped(Path(path))
    if not workplace.holds(here):
        original, here = here, workplace.folder / "databases" / f"{_short(str(here))}-{here.name}"
        if original.exists() and not here.exists():
            copy_sqlite(original, here)
        here.parent.mkdir(exist_ok=True)
    url = f"{SQLITE}{here}{mark}{query}"
    workplace.note("databases", {"name": database.name, "url": url, "path": str(here)})
    return replace(database, url=url)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies a SQLite file as it is in one moment, with what its journal holds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.new")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(made)) as new:
        old.backup(new)
    made.replace(target)


def _postgres(database: Database, workplace: Workplace) -> Database:
    schema = f"{workplace.schema}_{_short(database.url)}"
    url = in_schema(database.url, schema)
    fact = {"name": database.name, "url": url, "schema": schema, "original": database.url}
    if fact not in workplace.noted("databases"):
        workplace.note("databases", fact)
        for other in schema_names(database.url, database.name):
            workplace.note("schemas", {"name": other})
        copy_schema(database.url, schema, database.name)
    return replace(database, url=url)


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def refuse_other_places(options: Any, workplace: Workplace) -> None:
    """Refuses options that lead past the copies: to a schema or a server's file of PostgreSQL, or a file of SQLite.

    Raises:
        OutsideError: one does.
    """
    schemas = [each["name"] for each in workplace.noted("schemas")]
    names = "|".join(map(re.escape, schemas))
    named = re.compile(rf'(?<![\w."])"?({names})"?\s*\.\s*["\w]', re.IGNORECASE) if schemas else None
    for text in _texts(options):
        if named is not None and (found := named.search(text)):
            raise OutsideError(
                f"{text!r} names schema {found[1]!r} of the original",
                "name tables without their schema; the URL can say it",
            )
        if schemas and _SEARCH_PATH.search(text):
            raise OutsideError(
                f"{text!r} sets the schema, in which the originals may be",
                "say it in the URL, by ?options=-csearch_path%3Dschema",
            )
        if schemas and _COPY_TO_FILE.search(text):
            raise OutsideError(f"{text!r} writes to a file of the server", "COPY … TO a file has no copy to write to")
        if _ATTACH.search(text) and "database" in text.lower():
            raise OutsideError(f"{text!r} attaches another database", "declare it in `databases`")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    fields = getattr(value, "__struct_fields__", ())
    return [text for name in fields for text in _texts(getattr(value, name))]
