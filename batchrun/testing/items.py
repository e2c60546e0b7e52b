"""The contracts of item readers and writers as suites of tests, for built-ins and plugins alike.

A test module takes one over by a subclass whose fixture gives what is tested:

    class TestMyReader(ItemReaderContract):
        @pytest.fixture
        def new_reader(self) -> NewReader: ...
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from batchrun.domain.execution import JsonObject
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.item import ItemReader, ItemWriter

LIMITS = (1, 2, 3, 7, 1000)

NewReader = Callable[[], ItemReader]
"""Makes a reader of one and the same source, as a new process would."""


@dataclass(slots=True)
class Reading:
    """What a reader gave from a position to its end.

    Attributes:
        items: in order.
        errors: texts of the errors, in order.
        stops: after each chunk the position, and how many items and errors had come.
    """

    items: list[Item]
    errors: list[str]
    stops: list[tuple[JsonObject, int, int]]


def read_all(reader: ItemReader, limit: int, position: JsonObject | None = None) -> Reading:
    """Reads to the end by chunks of `limit`, and sees that each chunk is as the contract says."""
    reading = Reading([], [], [])
    with closing(reader):
        extent = reader.open(position)
        progress = 0
        while (chunk := reader.read(limit)) is not None:
            assert 0 < len(chunk) <= limit or (len(chunk) == 0 and chunk.errors), "1 to limit items, or errors only"
            assert chunk.progress >= progress, "progress never goes back"
            progress = chunk.progress
            reading.items += chunk.rows
            reading.errors += map(str, chunk.errors)
            position = json.loads(json.dumps(chunk.position))
            assert position is not None
            reading.stops.append((position, len(reading.items), len(reading.errors)))
        assert extent.total is None or progress <= extent.total, "progress ends within the extent"
        assert reader.read(limit) is None, "the end stays the end"
    return reading


class ItemReaderContract:
    """What every ItemReader keeps; the source holds at least two items."""

    def test_the_source_has_items(self, new_reader: NewReader) -> None:
        assert len(read_all(new_reader(), 1000).items) > 1

    @pytest.mark.parametrize("limit", LIMITS)
    def test_items_do_not_depend_on_the_chunks(self, new_reader: NewReader, limit: int) -> None:
        whole, parts = read_all(new_reader(), 1000), read_all(new_reader(), limit)
        assert (parts.items, parts.errors) == (whole.items, whole.errors)

    @pytest.mark.parametrize("limit", LIMITS)
    @pytest.mark.parametrize("next_limit", [1, 5])
    def test_reopening_at_a_chunk_gives_the_rest(self, new_reader: NewReader, limit: int, next_limit: int) -> None:
        whole = read_all(new_reader(), limit)
        for position, items, errors in whole.stops:
            rest = read_all(new_reader(), next_limit, position)
            assert rest.items == whole.items[items:]
            assert rest.errors == whole.errors[errors:]

    def test_origins_name_every_item(self, new_reader: NewReader) -> None:
        reader = new_reader()
        with closing(reader):
            reader.open(None)
            while (chunk := reader.read(3)) is not None:
                assert all(chunk.origin(place) for place in range(len(chunk)))
                assert chunk.span


class WriterTarget(Protocol):
    """A target without transactions, under test."""

    def writer(self) -> ItemWriter:
        """Returns a writer to the target, as a new process would make it."""
        ...

    def content(self) -> Any:
        """Returns what is published, or None where nothing is."""
        ...

    def clear(self) -> None:
        """Removes what is published."""
        ...


class _Unknown:
    def of(self, index: int) -> str:
        return f"item {index}"

    def span(self) -> str:
        return "items"


def chunk_of(rows: Sequence[Item]) -> Chunk:
    """Returns a chunk of these items, with origins that say nothing."""
    return Chunk(rows=[dict(row) for row in rows], position={}, origins=_Unknown())


def write_chunks(writer: ItemWriter, chunks: Sequence[Sequence[Item]]) -> list[JsonObject | None]:
    """Prepares and writes chunks in order, and returns the state after each."""
    states = []
    for rows in chunks:
        assert writer.write(writer.prepare(chunk_of(rows))) == len(rows)
        states.append(writer.state())
    return states


class ItemWriterContract:
    """What every ItemWriter keeps that has no CheckpointStore: its state is its length, or the like.

    A test may set `rows` to items that suit the target.
    """

    rows: Sequence[Item] = (
        {"id": 1, "name": "a"},
        {"id": 2, "name": "é,\n\"'"},
        {"id": None, "name": ""},
        {"id": 4, "name": None},
        {"id": 5, "name": " "},
    )

    @property
    def chunks(self) -> list[Sequence[Item]]:
        """The items by one, two, and the rest."""
        return [self.rows[:1], self.rows[1:3], self.rows[3:]]

    @pytest.fixture
    def expected(self, target: WriterTarget) -> Any:
        """The content after an uninterrupted run."""
        writer = target.writer()
        with closing(writer):
            assert writer.connect() is None
            writer.open(None)
            write_chunks(writer, self.chunks)
            writer.finish()
        content = target.content()
        target.clear()
        return content

    def test_nothing_is_published_before_the_end(self, target: WriterTarget) -> None:
        writer = target.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            write_chunks(writer, self.chunks)
            assert target.content() is None
            writer.finish()
            assert target.content() is not None

    @pytest.mark.parametrize("committed", [1, 2, 3])
    @pytest.mark.parametrize("lost", [0, 1, 2])
    def test_a_crash_after_a_commit_changes_nothing(
        self, target: WriterTarget, expected: Any, committed: int, lost: int
    ) -> None:
        writer = target.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            state = json.loads(json.dumps(write_chunks(writer, self.chunks[:committed])[-1]))
            for rows in self.chunks[committed : committed + lost]:
                writer.write(writer.prepare(chunk_of(rows)))
        again = target.writer()
        with closing(again):
            again.connect()
            again.open(state)
            write_chunks(again, self.chunks[committed:])
            again.finish()
        assert target.content() == expected

    def test_a_crash_before_the_first_commit_changes_nothing(self, target: WriterTarget, expected: Any) -> None:
        writer = target.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            writer.write(writer.prepare(chunk_of(self.rows)))
        again = target.writer()
        with closing(again):
            again.connect()
            again.open(None)
            write_chunks(again, self.chunks)
            again.finish()
        assert target.content() == expected

    @pytest.mark.parametrize("published", [False, True])
    def test_finish_comes_again_without_open(self, target: WriterTarget, expected: Any, published: bool) -> None:
        writer = target.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            write_chunks(writer, self.chunks)
            if published:
                writer.finish()
        again = target.writer()
        with closing(again):
            again.connect()
            again.finish()
        assert target.content() == expected

    def test_a_run_without_items_is_published(self, target: WriterTarget) -> None:
        writer = target.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            writer.finish()
        assert target.content() is not None

    def test_preparing_a_chunk_twice_gives_the_same(self, target: WriterTarget) -> None:
        writer = target.writer()
        assert writer.prepare(chunk_of(self.rows)) == writer.prepare(chunk_of(self.rows))
