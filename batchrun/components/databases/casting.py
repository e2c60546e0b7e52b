"""Casts columns of a query to the column types that a job file declares for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from batchrun.components.databases.session import RefusedError, near
from batchrun.spi.columns import ColumnType

if TYPE_CHECKING:
    import polars as pl

_TEMPORAL_FORMATS = {"datetime": "%Y-%m-%d %H:%M:%S%.f", "timestamp": "%Y-%m-%d %H:%M:%S%.f%#z"}


def check_declared(types: Mapping[str, str], columns: list[str]) -> None:
    """Checks that the query has the columns whose types are declared.

    Raises:
        RefusedError: it lacks one.
    """
    for name in types:
        if name not in columns:
            raise RefusedError(f"the query has no column {name!r}", hint=near(name, columns))


def cast(frame: pl.DataFrame, types: Mapping[str, str]) -> pl.DataFrame:
    """Returns the frame with the declared columns cast.

    Raises:
        RefusedError: a value is not of its column's type; names it.
    """
    changed = [_cast(frame[name], ColumnType.parse(text), text) for name, text in types.items()]
    return frame.with_columns(changed) if changed else frame


def _cast(series: pl.Series, to: ColumnType, text: str) -> pl.Series:
    import polars as pl

    try:
        result = _text_cast(series, to) if series.dtype == pl.String else series.cast(to.dtype, strict=False)
    except pl.exceptions.PolarsError as error:
        raise RefusedError(f"column {series.name!r} cannot be {text}: {error}") from error
    failed = result.is_null() & series.is_not_null()
    if failed.any():
        index = failed.arg_true()[0]
        raise RefusedError(f"column {series.name!r}: the value {series[index]!r} is no {text}", index)
    return result


def _text_cast(series: pl.Series, to: ColumnType) -> pl.Series:
    import polars as pl

    if to.name == "date":
        return series.str.to_date(to.format or "%Y-%m-%d", strict=False)
    if to.name == "datetime":
        return _as_iso(series, to).str.to_datetime(
            to.format or _TEMPORAL_FORMATS["datetime"], time_unit="us", strict=False
        )
    if to.name == "timestamp":
        return _as_iso(series, to).str.to_datetime(
            to.format or _TEMPORAL_FORMATS["timestamp"], time_unit="us", time_zone="UTC", strict=False
        )
    if to.name == "time":
        return series.str.to_time("%H:%M:%S%.f", strict=False)
    if to.name == "boolean":
        lower = series.str.to_lowercase()
        truths = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}
        return lower.replace_strict(truths, default=None, return_dtype=pl.Boolean)
    return series.cast(to.dtype, strict=False)


def _as_iso(series: pl.Series, to: ColumnType) -> pl.Series:
    """Returns ISO text with a space before the time, and a zone as +00:00 where only +00 or Z stands."""
    if to.format is not None:
        return series
    spaced = series.str.replace(r"^(\d{4,}-\d\d-\d\d)[Tt]", "${1} ")
    if to.name == "datetime":
        return spaced.str.replace(r"^(\S+)$", "${1} 00:00:00")
    return spaced.str.replace(r"[Zz]$", "+00:00").str.replace(r"([+-]\d\d)$", "${1}:00")
