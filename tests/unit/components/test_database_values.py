"""How values go into databases and keys into positions."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.components.databases import keys, sqlite_storage
from batchrun.components.databases.casting import cast
from batchrun.components.databases.connection import masked
from batchrun.components.databases.postgres_copy import CopyPart
from batchrun.components.databases.postgres_copy import encode as encode_copy
from batchrun.components.databases.session import RefusedError, TableName, TableShape

KEY_VALUES = (
    st.integers()
    | st.text()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC) | st.none())
    | st.times()
    | st.uuids()
    | st.binary()
)


@given(st.lists(KEY_VALUES))
def test_keys_survive_json_exactly(key: list[Any]) -> None:
    back = keys.from_json(json.loads(json.dumps(keys.to_json(key))))
    assert back == key
    assert [type(value) for value in back] == [type(value) for value in key]


def test_keys_of_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="a key cannot hold list"):
        keys.to_json([[1]])


def stored(values: list[Any], dtype: pl.DataType | type[pl.DataType], declared: str = "") -> list[Any]:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    return sqlite_storage.encode(frame, TableShape({"x": declared}))["x"].to_list()


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (pl.Date, [date(2026, 7, 31), None], ["2026-07-31", None]),
        (pl.Time, [time(8, 30), time(8, 30, 0, 500)], ["08:30:00", "08:30:00.000500"]),
        (
            pl.Datetime("us"),
            [datetime(2026, 7, 31, 8), datetime(2026, 7, 31, 8, 0, 0, 1)],
            ["2026-07-31 08:00:00", "2026-07-31 08:00:00.000001"],
        ),
        (
            pl.Datetime("us", "Asia/Seoul"),
            [datetime(2026, 7, 31, 8, tzinfo=timezone(timedelta(hours=9)))],
            ["2026-07-30 23:00:00+00:00"],
        ),
        (pl.Boolean, [True, False, None], [1, 0, None]),
        (pl.Decimal(12, 2), [Decimal("1.10"), Decimal("3.00"), None], [1.1, 3.0, None]),
        (pl.Decimal(18, 0), [Decimal(10**17 + 1)], [10**17 + 1]),
        (pl.Binary, [b"\0", None], [b"\0", None]),
        (pl.Categorical, ["a"], ["a"]),
        (pl.Null, [None], [None]),
    ],
)
def test_sqlite_keeps_values_as_documented(dtype: Any, values: list[Any], expected: list[Any]) -> None:
    assert stored(values, dtype) == expected


def test_decimal_of_a_text_column_is_kept_digit_for_digit() -> None:
    assert stored([Decimal("12345678901234567.80")], pl.Decimal(38, 2), "TEXT") == ["12345678901234567.80"]


@pytest.mark.parametrize(
    ("dtype", "values", "message"),
    [
        (pl.Decimal(38, 2), [Decimal(1), Decimal("12345678901234567.89")], "12345678901234567.89 has more than the 15"),
        (pl.Float64, [1.0, float("nan")], "which has no NaN"),
        (pl.UInt64, [1, 2**63], "too large for an integer"),
    ],
)
def test_value_that_sqlite_cannot_keep_is_refused_with_its_place(dtype: Any, values: list[Any], message: str) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        stored(values, dtype)
    assert refused.value.index == 1


def test_lists_are_refused_by_both() -> None:
    frame = pl.DataFrame({"x": [[1]]})
    for encode in (sqlite_storage.encode, encode_copy):
        with pytest.raises(RefusedError, match="cast it to string first"):
            encode(frame, None)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_decimal_of_15_digits_comes_back_from_sqlites_number(number: Decimal) -> None:
    (value,) = stored([number], pl.Decimal(15, 2))
    assert Decimal(f"{value:.15g}") == number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1),
        (Decimal("1.50"), 1.5),
        (Decimal(2), 2),
        (date(2026, 7, 31), "2026-07-31"),
        (datetime(2026, 7, 31, 8), "2026-07-31 08:00:00"),
        (datetime(2026, 7, 31, 8, tzinfo=timezone(timedelta(hours=9))), "2026-07-30 23:00:00+00:00"),
        (time(8, 30), "08:30:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (None, None),
        (b"x", b"x"),
    ],
)
def test_parameter_compares_with_what_is_stored(value: Any, expected: Any) -> None:
    assert sqlite_storage.value(value) == expected


@pytest.mark.parametrize(
    ("declared", "affinity"),
    [("INTEGER", "INTEGER"), ("varchar(9)", "TEXT"), ("DECIMAL(12,2)", "NUMERIC"), ("double", "REAL"), ("", "BLOB")],
)
def test_affinity_follows_sqlites_rules(declared: str, affinity: str) -> None:
    assert sqlite_storage.affinity(declared) == affinity


@pytest.mark.parametrize(
    ("texts", "to", "expected"),
    [
        (["2026-07-31", None], "date", [date(2026, 7, 31), None]),
        (["31.07.2026"], "date(%d.%m.%Y)", [date(2026, 7, 31)]),
        (
            ["2026-07-31 08:00:00.5", "2026-07-31T08:00:00", "2026-07-31"],
            "datetime",
            [datetime(2026, 7, 31, 8, 0, 0, 500000), datetime(2026, 7, 31, 8), datetime(2026, 7, 31)],
        ),
        (
            ["2026-07-31 08:00:00+00", "2026-07-31T17:00:00+09:00", "2026-07-31 08:00:00Z"],
            "timestamp",
            [datetime(2026, 7, 31, 8, tzinfo=UTC)] * 3,
        ),
        (["08:30:00", "08:30:00.000500"], "time", [time(8, 30), time(8, 30, 0, 500)]),
        (["t", "FALSE", "1"], "boolean", [True, False, True]),
        (["1.10", "-3"], "decimal(12,2)", [Decimal("1.10"), Decimal("-3.00")]),
        (["12"], "integer", [12]),
        (["\\x00ff"], "binary", [b"\x00\xff"]),  # as PostgreSQL sends a bytea
    ],
)
def test_text_is_cast_to_declared_types(texts: list[str], to: str, expected: list[Any]) -> None:
    assert cast(pl.DataFrame({"x": texts}), {"x": to})["x"].to_list() == expected


def test_text_that_is_none_of_its_type_is_refused_with_its_place() -> None:
    with pytest.raises(RefusedError, match=r"column 'x': the value 'b' is no integer") as refused:
        cast(pl.DataFrame({"x": ["1", None, "b"]}), {"x": "integer"})
    assert refused.value.index == 2


@pytest.mark.parametrize(
    ("value", "to"),
    [("1.105", "decimal(12,2)"), (1.7, "integer"), ("2026-07-31 08:00:00.1234567", "datetime"), ("zz", "binary")],
)
def test_declared_type_never_rounds_what_the_database_holds(value: Any, to: str) -> None:
    with pytest.raises(RefusedError, match=r"column 'x': the value .* is no "):
        cast(pl.DataFrame({"x": [value]}), {"x": to})


def test_copy_tells_null_and_empty_apart_and_finds_the_item_of_a_line() -> None:
    data = encode_copy(pl.DataFrame({"a": [1, 2, 3, 4], "s": ["", None, "x\ny", "\\N"]}), None)
    assert data.text == b"1\t\n2\t\\N\n3\tx\\ny\n4\t\\\\N\n"
    assert [data.index_of(line) for line in (0, 1, 4, 5)] == [None, 0, 3, None]


def test_parts_of_a_copy_and_numbered_items_are_its_lines() -> None:
    data = encode_copy(pl.DataFrame({"s": ["", "a\nb", None, "\t"]}), None)
    assert CopyPart(data, 1, 2).cut().text == b"a\\nb\n\\N\n"
    assert data.numbered().text == b"0\t\n1\ta\\nb\n2\t\\N\n3\t\\t\n"


def test_one_text_column_never_makes_the_line_that_ends_a_copy() -> None:
    assert encode_copy(pl.DataFrame({"s": ["\\.", None]}), None).text == b"\\\\.\n\\N\n"


def test_bytes_and_categories_go_as_text() -> None:
    frame = pl.DataFrame({"b": [b"\x00\xff", None], "c": pl.Series(["a\\b", None], dtype=pl.Categorical)})
    assert encode_copy(frame, None).text == b"\\\\x00ff\ta\\\\b\n\\N\t\\N\n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("trades", '"trades"'), ("s.trades", '"s"."trades"'), ('s."a.b"', '"s"."a.b"'), ('"a""b"', '"a""b"')],
)
def test_table_names_are_quoted(text: str, quoted: str) -> None:
    assert TableName.parse(text).quoted == quoted


@pytest.mark.parametrize("text", ["", "a.b.c", ".a", "a.", 'a"b'])
def test_names_of_no_table_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no table's name"):
        TableName.parse(text)


def test_passwords_are_masked() -> None:
    assert masked("mysql://me:s3cret@host/db?password=s3cret") == "mysql://me:***@host/db?password=***"
