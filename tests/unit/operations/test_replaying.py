"""What a replay reads: items as they were, texts by the reader's present rules, behind what is done already."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from batchrun.domain.tolerance import Phase
from batchrun.errors import ItemError, ParseError
from batchrun.operations.replaying import RejectReader
from batchrun.spi.chunk import Item
from batchrun.spi.item import RawItem
from batchrun.spi.rejects import RejectRecord
from batchrun.testing.memory import ListItemReader


class TextReader(ListItemReader):
    """Reads the numbers that texts are."""

    def read_raw(self, raws: Sequence[RawItem]) -> list[Item | ItemError]:
        return [
            {"n": int(raw.text)} if raw.text.isdigit() else ParseError("no number", origin=raw.origin, raw=raw.text)
            for raw in raws
        ]


def record(number: int, *, raw: str | None = None, item: dict[str, Any] | None = None) -> RejectRecord:
    phase = Phase.READ if item is None else Phase.WRITE
    now = datetime.now(UTC)
    return RejectRecord(number, "j", "s", 1, 1, 1, phase, f"a.csv:{number}", "E", "bad", raw, item, now)


RECORDS = [record(1, item={"n": 1}), record(2, raw="2"), record(3, raw="x"), record(4, item={"n": 4})]


def reader_of(own: ListItemReader) -> RejectReader:
    def records() -> Iterator[RejectRecord]:
        return iter(RECORDS)

    return RejectReader(records, own, logging.getLogger("batchrun.job.j.s"))


def test_items_and_texts_come_in_the_order_of_the_rejects() -> None:
    reader = reader_of(TextReader([]))
    assert reader.open(None).total == 4
    chunk = reader.read(10)
    assert chunk is not None
    assert chunk.rows == [{"n": 1}, {"n": 2}, {"n": 4}]
    assert [chunk.origin(place) for place in range(3)] == ["a.csv:1", "a.csv:2", "a.csv:4"]
    assert [(error.origin, error.raw) for error in chunk.errors] == [("a.csv:3", "x")]
    assert chunk.span == "a.csv:1 to a.csv:4"
    assert reader.read(10) is None


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_restart_goes_on_behind_what_is_done(limit: int) -> None:
    first = reader_of(TextReader([]))
    first.open(None)
    chunk = first.read(limit)
    assert chunk is not None
    found = list(chunk.rows)
    second = reader_of(TextReader([]))
    second.open(chunk.position)
    while (rest := second.read(limit)) is not None:
        found += rest.rows
    assert found == [{"n": 1}, {"n": 2}, {"n": 4}]


def test_texts_that_the_reader_cannot_read_are_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    reader = reader_of(ListItemReader([]))
    with caplog.at_level(logging.WARNING, "batchrun"):
        assert reader.open(None).total == 2
    chunk = reader.read(10)
    assert chunk is not None
    assert (chunk.rows, chunk.errors) == ([{"n": 1}, {"n": 4}], ())
    assert "2 rejects cannot be replayed: ListItemReader does not read items from their texts" in caplog.text
    reader.close()
