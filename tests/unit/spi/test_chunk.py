"""The chunk: its faces, what rides along, and where an item came from (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.errors import ProcessError
from batchrun.spi.chunk import Chunk


class Places:
    """Origins that name the place."""

    def of(self, index: int) -> str:
        return f"f:{index}"

    def span(self) -> str:
        return "f"


def chunk_of(rows: list[dict[str, Any]] | None = None, frame: pl.DataFrame | None = None) -> Chunk:
    return Chunk(rows=rows, frame=frame, position={"at": 1}, origins=Places(), progress=5)


def test_each_face_is_made_of_the_other() -> None:
    rows = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    assert chunk_of(rows).frame.to_dicts() == rows
    assert chunk_of(frame=pl.DataFrame(rows)).rows == rows


def test_a_face_is_made_at_most_once() -> None:
    chunk = chunk_of(frame=pl.DataFrame({"a": [1]}))
    assert chunk.rows is chunk.rows
    assert chunk_of([{"a": 1}]).has_rows
    assert not chunk_of(frame=pl.DataFrame({"a": [1]})).has_rows


def test_a_chunk_is_made_of_one_face() -> None:
    with pytest.raises(ValueError, match="either"):
        chunk_of([], pl.DataFrame())
    with pytest.raises(ValueError, match="either"):
        chunk_of()


class Numbers:
    """Numbers as text; counts how often they are parsed."""

    form = "lines"
    columns: Mapping[str, str] = {"n": "number"}

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.parsed = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def data(self) -> bytes:
        return b"".join(b"%d\n" % number for number in self.numbers)

    @property
    def frame(self) -> pl.DataFrame:
        self.parsed += 1
        return pl.DataFrame({"n": self.numbers})

    def slice(self, start: int, length: int) -> Numbers:
        return Numbers(self.numbers[start : start + length])


def text_of(*numbers: int) -> tuple[Chunk, Numbers]:
    text = Numbers(list(numbers))
    return Chunk(text=text, position={"at": 1}, origins=Places()), text


def test_text_is_parsed_when_somebody_asks_and_once() -> None:
    chunk, text = text_of(3, 4, 5)
    part = chunk.slice(1, 2)
    assert (len(chunk), chunk.read_count, chunk.columns, chunk.has_rows) == (3, 3, ["n"], False)
    assert part.text is not None
    assert (part.text.data, len(part), part.origin(0)) == (b"4\n5\n", 2, "f:1")
    assert text.parsed == 0
    assert chunk.rows == [{"n": 3}, {"n": 4}, {"n": 5}]
    assert chunk.frame.height == 3
    assert text.parsed == 1
    assert chunk.slice(2, 9).rows == [{"n": 5}]
    assert text.parsed == 1


def test_other_items_have_no_text() -> None:
    chunk, _ = text_of(3, 4)
    assert chunk.with_frame(chunk.frame.head(1), [0]).text is None
    assert chunk.with_rows(chunk.rows).text is None
    assert Chunk.merged([chunk, chunk.slice(0, 1)]).text is None
    assert Chunk.merged([chunk, text_of(5)[0]]).rows == [{"n": 3}, {"n": 4}, {"n": 5}]


def test_nulls_keep_the_type_that_the_text_gave_them() -> None:
    chunk, _ = text_of(3)
    assert chunk.with_rows([{**row, "n": None} for row in chunk.rows]).frame.schema == {"n": pl.Int64}


typed = pl.DataFrame(
    {
        "i": [1],
        "d": [Decimal("1.50")],
        "s": ["x"],
        "day": [date(2024, 2, 29)],
        "at": [datetime(2024, 2, 29, 1)],
        "b": [True],
    },
    schema={
        "i": pl.Int64,
        "d": pl.Decimal(12, 2),
        "s": pl.String,
        "day": pl.Date,
        "at": pl.Datetime("us"),
        "b": pl.Boolean,
    },
)


def test_types_hold_over_rows_and_back() -> None:
    rows = chunk_of(frame=typed).rows
    back = chunk_of(frame=typed).with_rows(rows).frame
    assert back.schema == typed.schema
    assert back.equals(typed)


def test_columns_of_nothing_but_none_keep_the_type_they_had() -> None:
    rows = [dict.fromkeys(typed.columns)]
    assert chunk_of(frame=typed).with_rows(rows).frame.schema == typed.schema


def test_a_chunk_without_items_keeps_its_columns() -> None:
    assert chunk_of(frame=typed).with_rows([], []).frame.schema == typed.schema


def test_items_that_disagree_about_a_type_are_an_error_with_the_origin() -> None:
    with pytest.raises(ProcessError, match=r"^f: the items .* type of column 'a' \(int, str\)") as failed:
        _ = chunk_of([{"a": 1}, {"a": "x"}]).frame
    assert failed.value.origin == "f"


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 2.5, None], [1.0, 2.5, None]), ([1, Decimal("2.5"), None], [Decimal("1.0"), Decimal("2.5"), None])],
)
def test_numbers_of_several_kinds_become_numbers_of_the_wider_kind(values: list[Any], expected: list[Any]) -> None:
    assert chunk_of([{"a": value} for value in values]).frame["a"].to_list() == expected


def test_items_with_other_columns_get_nulls_in_them() -> None:
    assert chunk_of([{"a": 1}, {"b": "x"}]).frame.to_dicts() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_position_progress_and_read_count_ride_along() -> None:
    derived = chunk_of([{"a": 1}, {"a": 2}]).with_rows([{"a": 1}], [0]).with_frame(pl.DataFrame({"z": [1]}))
    assert (derived.position, derived.progress, derived.read_count, len(derived)) == ({"at": 1}, 5, 2, 1)


@given(st.lists(st.lists(st.booleans(), min_size=8, max_size=8), max_size=4))
def test_an_item_keeps_its_origin_through_any_filters(masks: list[list[bool]]) -> None:
    chunk = chunk_of([{"n": number} for number in range(8)])
    for mask in masks:
        kept = [place for place in range(len(chunk)) if mask[place]]
        chunk = chunk.with_rows([chunk.rows[place] for place in kept], kept)
    assert [chunk.origin(place) for place in range(len(chunk))] == [f"f:{row['n']}" for row in chunk.rows]


@given(st.integers(0, 9), st.integers(1, 9), st.booleans())
def test_a_slice_keeps_origins(start: int, length: int, by_frame: bool) -> None:
    rows = [{"n": number} for number in range(8)]
    part = (chunk_of(frame=pl.DataFrame(rows)) if by_frame else chunk_of(rows)).slice(start, length)
    assert part.rows == rows[start : start + length]
    assert [part.origin(place) for place in range(len(part))] == [f"f:{row['n']}" for row in part.rows]


def test_where_the_items_cannot_be_told_apart_the_chunk_is_the_origin() -> None:
    assert chunk_of([{"a": 1}, {"a": 2}]).with_rows([{"sum": 3}]).origin(0) == "f"
