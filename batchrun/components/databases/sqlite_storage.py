"""How values are kept in SQLite, the same by whichever copy of it they go in.

integer, float      as they are; SQLite has no NaN, so one is refused
decimal             a number where the column's affinity is numeric, so that sums and comparisons work: a whole number
                    up to 18 digits, else a double, which keeps 15 digits exactly; a value that would lose digits is
                    refused. Text, digit for digit, where the column is declared TEXT
boolean             0 and 1
date, time          ISO text: 2026-07-31, 08:30:00, with as many decimals of the second as there are
datetime            ISO text with a space: 2026-07-31 08:30:00
timestamp           the same in UTC with +00:00, which sorts and compares as text
string, binary      as they are
"""

from __future__ import annotations

import datetime
import decimal
import re
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.session import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from batchrun.components.databases.session import TableShape

_EXACT_DIGITS = 15
_INTEGER_DIGITS = 18


def declared_type(dtype: pl.DataType) -> str:
    """Returns the column type that a table made for items of this type declares."""
    import polars as pl

    if dtype.is_integer():
        return "INTEGER"
    if dtype.is_float():
        return "REAL"
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMP" if dtype.time_zone else "DATETIME"
    simple = {pl.Boolean: "BOOLEAN", pl.Date: "DATE", pl.Time: "TIME", pl.Binary: "BLOB"}
    return simple.get(dtype.base_type(), "TEXT")


def encode(frame: pl.DataFrame, shape: TableShape | None) -> pl.DataFrame:
    """Returns the frame in types that SQLite has: integers, doubles, text and bytes.

    Raises:
        RefusedError: a value cannot be kept exactly.
    """
    encoded = [_encoded(series, shape.declared(series.name) if shape else "") for series in frame]
    return frame.select(encoded) if encoded else frame


def _encoded(series: pl.Series, declared: str) -> pl.Series:
    import polars as pl

    dtype = series.dtype
    if isinstance(dtype, pl.Decimal):
        return _decimal(series, declared)
    if dtype.is_float():
        return _float(series)
    if isinstance(dtype, pl.Datetime):
        return _datetime(series)
    if dtype == pl.Time:
        return series.dt.to_string("%H:%M:%S%.f")
    if dtype in (pl.Date, pl.Null, pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    if dtype == pl.Boolean:
        return series.cast(pl.Int64)
    if dtype in (pl.UInt64, pl.Int128):
        return _cast(series, pl.Int64())
    if dtype.is_nested() or dtype in (pl.Duration, pl.Object):
        raise RefusedError(f"column {series.name!r} holds {dtype}, which a table cannot: cast it to string first")
    return series


def _cast(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    exact = series.cast(dtype, strict=False)
    _refuse_first(series, exact.is_null() & series.is_not_null(), "is too large for an integer of SQLite")
    return exact


def _float(series: pl.Series) -> pl.Series:
    _refuse_first(series, series.is_nan(), "cannot be kept by SQLite, which has no NaN: make it null or filter it")
    return series


def _datetime(series: pl.Series) -> pl.Series:
    time_zone = getattr(series.dtype, "time_zone", None)
    if time_zone is None:
        return series.dt.to_string("%Y-%m-%d %H:%M:%S%.f")
    return series.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%d %H:%M:%S%.f+00:00")


def _decimal(series: pl.Series, declared: str) -> pl.Series:
    """Returns a decimal column as text, whole numbers or doubles, whichever keeps it and lets SQL count with it."""
    import polars as pl

    dtype = series.dtype
    assert isinstance(dtype, pl.Decimal)
    if affinity(declared) == "TEXT":
        return series.cast(pl.String)
    if dtype.scale == 0 and (dtype.precision or 0) <= _INTEGER_DIGITS:
        return series.cast(pl.Int64)
    doubles = series.cast(pl.Float64)
    if (dtype.precision or 0) > _EXACT_DIGITS:
        back = doubles.cast(dtype, strict=False)
        lost = (back != series).fill_null(series.is_not_null())
        _refuse_first(
            series, lost, f"has more than the {_EXACT_DIGITS} digits that SQLite keeps: declare the column TEXT"
        )
    return doubles


def _refuse_first(series: pl.Series, refused: pl.Series, reason: str) -> None:
    if refused.any():
        index = refused.fill_null(False).arg_true()[0]
        raise RefusedError(f"column {series.name!r}: the value {series[index]} {reason}", index)


def affinity(declared: str) -> str:
    """Returns the affinity of a declared column type, by SQLite's own rules."""
    upper = declared.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not upper or "BLOB" in upper:
        return "BLOB"
    return "REAL" if any(word in upper for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def value(value: Any) -> int | float | str | bytes | None:
    """Returns a parameter's value as SQLite keeps it, so that it compares with what `encode` stored.

    Raises:
        RefusedError: SQLite cannot keep the value.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.datetime):
        return _datetime_text(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise RefusedError(f"the value {value} is too large for an integer of SQLite")
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)


def _datetime_text(value: datetime.datetime) -> str:
    in_utc = value if value.tzinfo is None else value.astimezone(datetime.UTC)
    return in_utc.isoformat(sep=" ")


_REFUSED = re.compile(
    r"constraint failed|datatype mismatch|cannot store .* in|no such (?:table|column|function)|has no column named"
    r"|syntax error|string or blob too big|wrong number|values for \d+ columns|cannot modify|incomplete input"
    r"|ON CONFLICT clause does not match|unrecognized token|ambiguous|already exists|already another",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"database (?:table |schema )?is locked|disk I/O error|database or disk is full|readonly database"
    r"|disk image is malformed|file is not a database|unable to open database|out of memory|interrupted"
    r"|locking protocol|database schema has changed|large file support|permission denied|not authorized"
    r"|API misuse|no such savepoint|no transaction is active",
    re.IGNORECASE,
)
_HINTS = (
    ("no such savepoint", "let triggers RAISE(ABORT, …), and constraints have no ON CONFLICT ROLLBACK"),
    ("disk is full", "free some space, then restart"),
    ("readonly", "make the file and its folder writable, then restart"),
    ("locked", "another program holds the file: let it finish, then restart"),
    ("not a database", "the file is something else"),
    ("unable to open", "check the path and the rights of the file and its folder"),
)


def is_refusal(text: str) -> bool:
    """Tells whether a message of SQLite is about the statement or its items, rather than the database as a whole."""
    return _REFUSED.search(text) is not None


def is_failure(text: str) -> bool:
    """Tells whether a message of SQLite about the rows of a statement is about the database as a whole.

    Any other is about a row: a trigger's RAISE has a text of its own, and so have functions in constraints.
    """
    return _FAILED.search(text) is not None


def hint(text: str) -> str | None:
    """Returns the way out of a message of SQLite, or None."""
    return next((way_out for word, way_out in _HINTS if word in text), None)


def column_of(values: Sequence[Any]) -> tuple[list[Any], pl.DataType]:
    """Returns values of one column that SQLite gave, made to be of one type, and that type."""
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return list(values), pl.Null()
    if kinds == {int}:
        return list(values), pl.Int64()
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values], pl.Float64()
    if bytes in kinds:
        return [value if value is None or isinstance(value, bytes) else str(value).encode() for value in values], (
            pl.Binary()
        )
    return [None if value is None else str(value) for value in values], pl.String()
