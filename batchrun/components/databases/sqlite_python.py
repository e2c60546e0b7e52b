"""SQLite by Python's `sqlite3`: for a file that holds the job repository too, which the same copy of SQLite opens."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.sqlite_storage import column_of

if TYPE_CHECKING:
    import polars as pl


class PythonDriver:
    """One connection; each statement commits by itself unless BEGIN was run.

    Attributes:
        error: the class of the driver's exceptions.
    """

    def __init__(self, uri: str) -> None:
        self.error: type[Exception] = sqlite3.Error
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement and returns the number of rows it changed."""
        cursor = self._connection.execute(sql, values)
        try:
            return max(cursor.rowcount, 0)
        finally:
            cursor.close()

    def many(self, sql: str, frame: pl.DataFrame) -> None:
        """Runs a statement once for each row of the frame."""
        self._connection.executemany(sql, frame.rows()).close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        return self._connection.execute(sql, values).fetchall()

    def frame(self, sql: str, values: Sequence[Any], expected: int) -> pl.DataFrame:
        """Returns a result of any size; a column of nothing but nulls is of type Null."""
        import polars as pl

        del expected
        cursor = self._connection.execute(sql, values)
        names = _distinct([column[0] for column in cursor.description])
        rows = cursor.fetchall()
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        typed = {name: column_of(values) for name, values in zip(names, columns, strict=True)}
        return pl.DataFrame([pl.Series(name, values, dtype=dtype) for name, (values, dtype) in typed.items()])

    def interrupt(self) -> bool:
        """Ends the running statement, from any thread."""
        self._connection.interrupt()
        return True

    def message(self, error: Exception) -> str:
        """Returns SQLite's own words."""
        return str(error)

    def close(self) -> None:
        """Closes the connection, which undoes what is not committed."""
        self._connection.close()


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise sqlite3.ProgrammingError(f"ambiguous: the query gives two columns the name {twice!r}")
    return names
