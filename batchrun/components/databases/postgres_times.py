"""Dates and times as COPY's text format has them: in any year that PostgreSQL has, and to the second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchrun.components.databases.postgres_kinds import bare
from batchrun.components.databases.session import RefusedError

if TYPE_CHECKING:
    import polars as pl

_ZONED = "timestamp with time zone"
_DAY = 86_400
_UNITS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST, _BEHIND = -2_440_588, 95_026_236
"""Days since 1970 of 24 November 4714 BC, and of 31 December 262142: PostgreSQL and polars have what is between."""

_PLAIN_FIRST, _PLAIN_BEHIND = -719_162, 2_932_897
"""Of 1 January 1, and of 1 January 10000: what lies between has a year of four digits."""


def check(frame: pl.DataFrame) -> None:
    """Looks for dates and times that have no text.

    Raises:
        RefusedError: there is one; tells the first.
    """
    import polars as pl

    for column in frame.select(pl.col(pl.Date, pl.Datetime)):
        if _is_within(column, _FIRST, _BEHIND):
            continue
        number = column.to_physical()
        size = _units_of_a_day(column.dtype)
        outside = (number < _FIRST * size) | (number >= _BEHIND * size)
        raise RefusedError(
            f"column {column.name!r} holds a time outside of the years from 4713 BC to 262142", outside.arg_true()[0]
        )


def texts(column: pl.Series, declared: str) -> pl.Expr | None:
    """Returns the text of a column of dates or times, or None where it is the one that it would have anyway.

    Args:
        column: what `check` has passed.
        declared: type of the table's column; empty if there is none yet.
    """
    import polars as pl

    moment, dtype = pl.col(column.name), column.dtype
    is_plain = _is_within(column, _PLAIN_FIRST + 1, _PLAIN_BEHIND - 1)
    if not isinstance(dtype, pl.Datetime):
        return None if is_plain else _of_far_years(moment, "")
    zone, changed = dtype.time_zone, moment.dt.cast_time_unit("us")
    if bare(declared) == _ZONED or (zone and not declared):
        # The text of an offset ends with its minutes, and those before about 1900 had seconds.
        changed = changed.dt.convert_time_zone("UTC") if zone else changed.dt.replace_time_zone("UTC")
        zone = "UTC"
    elif is_plain and dtype.time_unit != "ns":
        return None
    return changed if is_plain else _of_far_years(changed, "T%H:%M:%S%.6f%z" if zone else "T%H:%M:%S%.6f")


def _of_far_years(moment: pl.Expr, clock: str) -> pl.Expr:
    """Returns the text of what may have a year before 1, or one of five digits, before which polars has a sign."""
    import polars as pl

    year = moment.dt.year()
    before = year < 1
    shown = pl.when(before).then(1 - year).otherwise(year).cast(pl.String).str.zfill(4)
    return shown + moment.dt.to_string(f"-%m-%d{clock}") + pl.when(before).then(pl.lit(" BC")).otherwise(pl.lit(""))


def _units_of_a_day(dtype: pl.DataType) -> int:
    import polars as pl

    return _DAY * _UNITS[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1


def _is_within(column: pl.Series, first: int, behind: int) -> bool:
    """Tells whether all values lie between two days since 1970."""
    number, size = column.to_physical(), _units_of_a_day(column.dtype)
    least, most = number.min(), number.max()
    return least is None or (first * size <= least and most < behind * size)  # type: ignore[operator]
