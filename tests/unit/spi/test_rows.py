"""Rows made of a frame, and a frame made of rows again: every value and type as polars would make it, in less time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.errors import ProcessError
from batchrun.spi.chunk import Chunk
from batchrun.spi.rows import MANY, GivenValues
from tests.unit.spi.test_chunk import chunk_of

MOMENT = datetime(2024, 2, 29, 1, 2, 3, 4)
COLUMNS = {
    "integer": pl.Series([1, None, 3]),
    "small": pl.Series([1, None, 3], dtype=pl.Int16),
    "float": pl.Series([1.5, None, float("inf")]),
    "single": pl.Series([1.5, None, 0.1], dtype=pl.Float32),
    "string": pl.Series(["a", None, ""]),
    "boolean": pl.Series([True, None, False]),
    "date": pl.Series([date(2024, 2, 29), None, date(1, 1, 1)]),
    "time": pl.Series([time(1, 2, 3, 4), None, time(0)]),
    "datetime": pl.Series([MOMENT, None, MOMENT]),
    "nanoseconds": pl.Series([MOMENT, None, MOMENT], dtype=pl.Datetime("ns")),
    "timestamp": pl.Series([MOMENT, None, MOMENT]).dt.replace_time_zone("UTC"),
    "zoned": pl.Series([MOMENT, None, MOMENT]).dt.replace_time_zone("Europe/Berlin"),
    "duration": pl.Series([timedelta(microseconds=1), None, timedelta(days=2)]),
    "binary": pl.Series([b"\0", None, b""]),
    "decimal": pl.Series([Decimal("1.10"), None, Decimal("-2.00")], dtype=pl.Decimal(12, 2)),
    "whole": pl.Series([Decimal(1), None, Decimal(-7)], dtype=pl.Decimal(38, 0)),
    "category": pl.Series(["a", None, "b"], dtype=pl.Categorical),
    "list": pl.Series([[1, 2], None, []]),
    "struct": pl.Series([{"a": Decimal("1.5")}, None, {"a": None}]),
    "null": pl.Series([None, None, None]),
}
OFTEN = [1, MANY]
"""How often a column is repeated: many items are made in another way than few."""


def made_of(values: Sequence[Any]) -> pl.Series:
    return chunk_of([{"x": value} for value in values]).frame["x"]


def alike(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return list(map(repr, one)) == list(map(repr, other))


@pytest.mark.parametrize("often", OFTEN)
@pytest.mark.parametrize("kind", COLUMNS)
def test_items_hold_what_polars_makes_of_a_column(kind: str, often: int) -> None:
    frame = pl.concat([COLUMNS[kind]] * often).to_frame("x")
    assert alike(chunk_of(frame=frame).rows, frame.to_dicts())


@given(st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=3, max_value=10**30), min_size=1))
def test_decimals_that_are_all_different_are_exact(values: list[Decimal | None]) -> None:
    column = pl.Series("x", values, dtype=pl.Decimal(38, 3))
    distinct = pl.concat([column, pl.Series("x", range(200)).cast(pl.Decimal(38, 3))]).unique(maintain_order=True)
    assert alike([item["x"] for item in GivenValues(distinct.to_frame()).items()], distinct.to_list())


def test_items_without_columns_are_as_many_as_before() -> None:
    assert chunk_of(frame=pl.DataFrame(height=3)).rows == [{}, {}, {}]


@pytest.mark.parametrize("often", OFTEN)
def test_own_rows_may_be_changed(often: int) -> None:
    rows = [{"a": 1}] * often
    for chunk in (chunk_of(frame=pl.DataFrame(rows)), chunk_of([dict(row) for row in rows])):
        for item in chunk.own_rows():
            item["a"] = 2
        assert chunk.rows == rows
        assert chunk.frame["a"].to_list() == [1] * often


@pytest.mark.parametrize("often", OFTEN)
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_that_nobody_changed_is_of_the_type_that_its_values_would_make(kind: str, often: int) -> None:
    frame = pl.concat([COLUMNS[kind]] * often).to_frame("x")
    anew = frame.to_dicts()
    for chunk in (chunk_of(frame=frame), chunk_of(frame=frame).with_rows(chunk_of(frame=frame).rows)):
        back = chunk.with_rows(list(chunk.own_rows())).frame
        expected = Chunk(rows=anew, schema=frame.schema, position={}, origins=chunk._origins).frame
        assert back.schema == expected.schema
        assert alike(back.to_dicts(), anew)


def test_what_was_changed_in_any_item_is_made_anew() -> None:
    more = MANY - 2
    chunk = chunk_of(
        frame=pl.DataFrame({"a": [1000, 2000] + [0] * more, "b": ["x", "y"] + ["z"] * more, "c": [[1]] * MANY})
    )
    items = list(chunk.own_rows())
    items[1]["a"] = 2001
    items[1]["c"].append(3)
    del items[0]["b"]
    items[0]["d"] = 1.5
    made = chunk.with_rows(items).frame
    assert made.columns == ["a", "c", "d", "b"]
    assert made.head(2).rows() == [(1000, [1], 1.5, None), (2001, [1, 3], None, "y")]
    assert made.tail(more).to_dicts() == [{"a": 0, "c": [1], "d": None, "b": "z"}] * more
    assert chunk.frame["a"].to_list() == [1000, 2000] + [0] * more


def test_a_value_of_another_type_that_equals_the_old_one_is_the_new_one() -> None:
    chunk = chunk_of(frame=pl.DataFrame({"a": [1, 2] * MANY}))
    assert chunk.with_rows([{"a": float(item["a"])} for item in chunk.rows]).frame.schema == {"a": pl.Float64}


@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=300, max_size=300), st.integers(0, 299)), max_size=3))
def test_items_that_are_dropped_and_swapped_on_the_way_are_those_that_come_out(
    rounds: list[tuple[list[bool], int]],
) -> None:
    numbers = pl.Series("n", range(300))
    chunk = chunk_of(frame=pl.DataFrame([numbers, (numbers % 7).cast(pl.Decimal(9, 2)).alias("d")]))
    for mask, swapped in rounds:
        items = list(chunk.own_rows())
        kept = [place for place in range(len(items)) if mask[place]]
        if swapped < len(items):
            items[0], items[swapped] = items[swapped], items[0]
        chunk = chunk.with_rows([items[place] for place in kept], kept)
    items = list(chunk.rows)
    assert chunk.frame.to_dicts() == items
    assert chunk.frame.schema == {"n": pl.Int64, "d": pl.Decimal(9, 2)}
    part = chunk.slice(1, 5)
    assert part.frame.to_dicts() == items[1:6]


def test_only_a_column_whose_values_are_the_very_ones_is_used_again() -> None:
    values = GivenValues(pl.DataFrame({"a": ["x", "y", "z"], "b": [[1], [2], [3]]}))
    items = list(values.items())
    a, b = ([item[name] for item in items] for name in ("a", "b"))
    found = values.column("a", a, None), values.column("a", a[::-1], [2, 1, 0])
    assert [None if each is None else each.to_list() for each in found] == [["x", "y", "z"], ["z", "y", "x"]]
    others = ("a", [*a[:2], "other"], None), ("a", a[:2], None), ("a", a, [0, 0, 2]), ("b", b, None), ("c", a, None)
    assert [values.column(*each) for each in others] == [None] * 5


def test_parts_of_items_that_are_no_frame_yet_are_theirs() -> None:
    chunk = chunk_of(frame=pl.DataFrame({"n": range(MANY)}))
    made = chunk.with_rows(list(chunk.own_rows())[3:], range(3, MANY))
    assert made.slice(2, 2).frame["n"].to_list() == [5, 6]
    assert made.with_rows(made.rows[:1]).frame["n"].to_list() == [3]


FEW_DIGITS = st.integers(-(10**18), 10**18)


@given(st.lists(st.none() | FEW_DIGITS | st.builds(lambda n, e: Decimal(n).scaleb(e), FEW_DIGITS, st.integers(-18, 1))))
def test_decimals_make_the_column_that_polars_makes_of_them(values: list[Decimal | int | None]) -> None:
    expected = pl.Series("x", [None if value is None else Decimal(value) for value in [*values, Decimal(0)]])
    made = made_of([*values, Decimal(0)])
    assert made.dtype == expected.dtype
    assert alike(made.to_list(), expected.to_list())


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "sNaN"])
def test_a_decimal_that_is_no_number_is_an_error_of_its_item(value: str) -> None:
    with pytest.raises(ProcessError, match=f"^column 'x': {value} is no decimal") as failed:
        made_of([Decimal(1), Decimal(value)])
    assert failed.value.place == 1


@pytest.mark.parametrize("value", ["1E+99", "1E-99", "1E+99999999999", "0E-99999999999"])
def test_a_decimal_of_too_many_digits_is_an_error_of_its_item(value: str) -> None:
    with pytest.raises(ProcessError, match=r"^column 'x': .* has more than 38 digits: round it$") as failed:
        made_of([Decimal(value)])
    assert failed.value.place == 0


def test_zero_has_no_digits_whatever_its_exponent() -> None:
    assert made_of([Decimal("0E+99999"), 1]).to_list() == [0, 1]


@pytest.mark.parametrize("values", [["1" * 37 + ".5", "1.55"], ["1E-40"]])
def test_decimals_of_too_many_digits_together_are_an_error_of_the_chunk(values: list[str]) -> None:
    with pytest.raises(ProcessError, match=r"^f: column 'x' has decimals of more than 38 digits, with the \d+ behind"):
        made_of(list(map(Decimal, values)))
