"""SQLite by its ADBC driver: frames go in and come out as Arrow, without a Python object per value.

The driver brings a copy of SQLite of its own, so a file that is open here must not be open by Python's `sqlite3` in
the same process (DESIGN section 4). The low-level interface is used on purpose: the DB-API one replaces the
process's SIGINT handler during each call and cancels the statement, and a stop is to end with the chunk's commit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.sqlite_storage import is_failure

if TYPE_CHECKING:
    import polars as pl

_PREFIX = re.compile(r"^[A-Z_]+: (?:\[SQLite\] )?(?:[Ff]ailed to [a-z ]+: )?|\nquery(?: was)?:.*", re.DOTALL)


class AdbcDriver:
    """One connection; each statement commits by itself unless BEGIN was run.

    Attributes:
        error: the class of the driver's exceptions.
    """

    def __init__(self, uri: str) -> None:
        import adbc_driver_manager
        import adbc_driver_sqlite

        self.error: type[Exception] = adbc_driver_manager.Error
        self._new_statement = adbc_driver_manager.AdbcStatement
        self._database = adbc_driver_sqlite.connect(uri)
        try:
            self._connection = adbc_driver_manager.AdbcConnection(self._database)
        except Exception:
            self._database.close()
            raise

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement and returns the number of rows it changed."""
        with self._new_statement(self._connection) as statement:
            statement.set_sql_query(sql)
            statement.prepare()
            if values:
                statement.bind_stream(_bound(values))
            changed: int = statement.execute_update()
        return max(changed, 0)

    def many(self, sql: str, frame: pl.DataFrame) -> None:
        """Runs a statement once for each row of the frame."""
        with self._new_statement(self._connection) as statement:
            statement.set_sql_query(sql)
            statement.prepare()
            statement.bind_stream(frame)
            try:
                statement.execute_update()
            except self.error as error:
                raise self._by_kind(error) from None

    def _by_kind(self, error: Exception) -> Exception:
        """Returns a refused row as IntegrityError, which of several rows the driver calls an InternalError."""
        import adbc_driver_manager

        if not isinstance(error, adbc_driver_manager.InternalError) or is_failure(self.message(error)):
            return error
        return adbc_driver_manager.IntegrityError(str(error), status_code=adbc_driver_manager.AdbcStatusCode.INTEGRITY)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        return self.frame(sql, values, 1024).rows()

    def frame(self, sql: str, values: Sequence[Any], expected: int) -> pl.DataFrame:
        """Returns a result of at most `expected` rows; a column of nothing but nulls is of type Null.

        The driver takes a column's type from the first batch and fails where a later batch has another, so all rows
        are to fit into one.
        """
        import polars as pl

        with self._new_statement(self._connection) as statement:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(expected + 1)})
            statement.set_sql_query(sql)
            statement.prepare()
            if values:
                statement.bind_stream(_bound(values))
            stream, _ = statement.execute_query()
            try:
                frame = pl.DataFrame(stream)
            except pl.exceptions.ComputeError as error:
                raise self._failed(str(error)) from error
        empty = [name for name in frame.columns if frame[name].null_count() == frame.height]
        return frame.with_columns(pl.col(name).cast(pl.Null) for name in empty) if empty else frame

    def _failed(self, text: str) -> Exception:
        import adbc_driver_manager

        return adbc_driver_manager.InternalError(text, status_code=adbc_driver_manager.AdbcStatusCode.INTERNAL)

    def interrupt(self) -> bool:
        """Tells that it cannot: the driver does not implement ADBC's cancel."""
        return False

    def message(self, error: Exception) -> str:
        """Returns SQLite's own words."""
        return _PREFIX.sub("", str(error)).removeprefix("got external error: [SQLite] ").strip()

    def close(self) -> None:
        """Closes the connection, which undoes what is not committed."""
        with suppress(self.error):
            self._connection.close()
        with suppress(self.error):
            self._database.close()


def _bound(values: Sequence[Any]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        [
            pl.Series(str(place), [value], dtype=pl.String if value is None else None)
            for place, value in enumerate(values)
        ]
    )
