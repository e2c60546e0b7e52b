"""Column types: the notation of job files."""

from __future__ import annotations

import polars as pl
import pytest

from batchrun.spi.columns import COLUMN_TYPES, ColumnType, ColumnTypeError


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("string", pl.String()),
        (" integer ", pl.Int64()),
        ("float", pl.Float64()),
        ("decimal", pl.Decimal(38, 9)),
        ("decimal(12)", pl.Decimal(12, 0)),
        ("decimal(12, 2)", pl.Decimal(12, 2)),
        ("boolean", pl.Boolean()),
        ("date", pl.Date()),
        ("date(%d.%m.%Y)", pl.Date()),
        ("datetime", pl.Datetime("us")),
        ("timestamp", pl.Datetime("us", "UTC")),
        ("time", pl.Time()),
        ("binary", pl.Binary()),
    ],
)
def test_each_type_has_a_polars_type(text: str, dtype: pl.DataType) -> None:
    assert ColumnType.parse(text).dtype == dtype


def test_every_name_is_a_type() -> None:
    assert all(ColumnType.parse(name).dtype for name in COLUMN_TYPES)


def test_a_temporal_type_keeps_its_format() -> None:
    assert ColumnType.parse("date(%d.%m.%Y)").format == "%d.%m.%Y"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("intger", "unknown column type 'intger'", "did you mean 'integer'?"),
        ("Integer", "unknown column type 'Integer'", "did you mean 'integer'?"),
        ("xyzzy", "unknown column type 'xyzzy'", "one of string, integer"),
        ("", "unknown column type ''", "one of string, integer"),
        ("decimal(a)", "needs whole numbers", "decimal(12,2)"),
        ("decimal(39,2)", "out of range", "1 to 38 digits"),
        ("decimal(2,3)", "out of range", "1 to 38 digits"),
        ("decimal(0)", "out of range", "1 to 38 digits"),
        ("integer(4)", "takes no such arguments", "decimal(12,2)"),
        ("date(DMY)", "takes no such arguments", "date(%d.%m.%Y)"),
    ],
)
def test_what_is_no_type_says_so(text: str, message: str, hint: str) -> None:
    with pytest.raises(ColumnTypeError) as refused:
        ColumnType.parse(text)
    assert message in str(refused.value)
    assert hint in (refused.value.hint or "")
