"""Casts columns of a query to the column types that a job file declares for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from batchrun.components.conversion import Column, convert
from batchrun.components.databases.session import RefusedError, near
from batchrun.spi.columns import ColumnType

if TYPE_CHECKING:
    import polars as pl


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
        result = _converted(series, Column(series.name, to, text))
    except pl.exceptions.PolarsError as error:
        raise RefusedError(f"column {series.name!r} cannot be {text}: {error}") from error
    failed = result.is_null() & series.is_not_null()
    if failed.any():
        index = failed.arg_true()[0]
        raise RefusedError(f"column {series.name!r}: the value {series[index]!r} is no {text}", index)
    return result


def _converted(series: pl.Series, column: Column) -> pl.Series:
    """Returns the values in the column's type; only a float becomes the nearest decimal, as SQLite keeps those."""
    if series.dtype.is_float() and column.kind.name == "decimal":
        return series.cast(column.kind.dtype, strict=False)
    return convert(series.to_frame(), [column])[series.name]
