"""Column types and SQL expressions that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Double, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from batchrun.domain.status import BatchStatus

Id = BigInteger().with_variant(Integer(), "sqlite")
"""A number given by the database; SQLite counts up only a column that is exactly INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """A time, aware and in UTC in Python on every database; SQLite stores it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turns a time of any zone to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a time with its zone, got {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class StatusName(TypeDecorator[BatchStatus]):
    """A BatchStatus by its name, so that the tables can be read without this program."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: BatchStatus | None, dialect: Dialect) -> str | None:
        """Returns the name."""
        del dialect
        return None if value is None else value.name

    def process_result_value(self, value: str | None, dialect: Dialect) -> BatchStatus | None:
        """Returns the status of the name."""
        del dialect
        return None if value is None else BatchStatus[value]


class Json(TypeDecorator[Any]):
    """A JSON value as text.

    Not the databases' own JSON types: PostgreSQL's jsonb refuses a zero character and changes numbers.
    """

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Returns the text."""
        del dialect
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Returns the value."""
        del dialect
        return None if value is None else json.loads(value)


class Prose(TypeDecorator[str]):
    """Text for people that may quote bad data: what a database cannot store is written as an escape."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        r"""Writes a zero character as `\x00`, and half a surrogate pair as `\udcff`."""
        del dialect
        if value is None:
            return None
        return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


class epoch_now(FunctionElement[float]):  # noqa: N801 - named like the SQL function that it stands for
    """Seconds since 1970 by the database's clock, with fractions, at the moment of the statement."""

    type = Double()
    inherit_cache = True


@compiles(epoch_now, "sqlite")
def _epoch_of_sqlite(_element: epoch_now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch_now, "postgresql")
def _epoch_of_postgresql(_element: epoch_now, _compiler: SQLCompiler, **_options: Any) -> str:
    # Not now(): that is the transaction's begin, which may have waited long for a lock.
    return "extract(epoch FROM clock_timestamp())::double precision"
