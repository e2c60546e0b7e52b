"""When a chunk is full: by number, by time, or as a policy says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from batchrun.domain.definition import CompletionDefinition
from batchrun.domain.status import BatchStatus
from batchrun.engine.policies import LimitedCompletionPolicy
from batchrun.errors import ParseError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.source import ChunkParts, StepStart
from batchrun.testing.memory import ListItemReader, ListOrigins, MemoryComponents
from tests.unit.engine.bench import Bench, chunk_step


def portions(policy: LimitedCompletionPolicy, seconds_an_item: float) -> list[int]:
    """Returns how a source that takes so long for each item is read into one chunk."""
    sizes: list[int] = []
    last: Chunk | None = None
    while limit := policy.more(sum(sizes), last, timedelta(seconds=sum(sizes) * seconds_an_item)):
        sizes.append(limit)
        last = chunk_of(1)
    return sizes


def items_of(*numbers: int) -> list[Item]:
    return [{"n": number} for number in numbers]


def chunk_of(*numbers: int, position: int = 1, **more: Any) -> Chunk:
    return Chunk(rows=items_of(*numbers), position={"items": position}, origins=ListOrigins(numbers), **more)


def test_by_number_alone_a_chunk_is_read_at_once() -> None:
    assert portions(LimitedCompletionPolicy(CompletionDefinition(100)), 9) == [100]


@pytest.mark.parametrize(
    ("seconds_an_item", "expected"),
    [
        (0, [1, 1, 2, 4, 8, 16, 32, 36]),
        (0.01, [1, 1, 2, 4, 8, 16, 32, 36]),
        (0.1, [1, 1, 2, 4, 8, 16, 18]),
        (1, [1, 1, 2, 1]),
        (3, [1]),
        (60, [1]),
    ],
)
def test_by_time_it_has_what_fits(seconds_an_item: float, expected: list[int]) -> None:
    policy = LimitedCompletionPolicy(CompletionDefinition(100, timedelta(seconds=5)))
    assert portions(policy, seconds_an_item) == expected


def test_by_time_a_chunk_of_bad_items_alone_ends_too() -> None:
    policy = LimitedCompletionPolicy(CompletionDefinition(100, timedelta(seconds=5)))
    nothing = Chunk(rows=[], position={}, origins=ListOrigins([]), errors=[ParseError("bad")])
    assert policy.more(0, nothing, timedelta(seconds=1)) == 1
    assert policy.more(0, nothing, timedelta(seconds=5)) == 0


class UpToAFullStop:
    """Closes a chunk behind each item whose number can be divided by three."""

    def more(self, count: int, last: Chunk | None, elapsed: timedelta) -> int:
        assert elapsed >= timedelta(0)
        return 0 if last is not None and len(last) and last.rows[-1]["n"] % 3 == 0 else 1


class Closing(MemoryComponents):
    def chunk_parts(self, start: StepStart) -> ChunkParts:
        return replace(super().chunk_parts(start), completion=UpToAFullStop())


def test_a_policy_closes_chunks_by_what_is_in_them() -> None:
    bench = Bench(components=Closing())
    bench.items(items_of(1, 2, 3, 4, 6, 7))
    execution = bench.run([chunk_step()])
    assert execution.status is BatchStatus.COMPLETED
    assert [row["n"] for row in bench.target.rows] == [1, 2, 3, 4, 6, 7]
    assert execution.steps[0].counts.commit == 3


class Nothing:
    def more(self, count: int, last: Chunk | None, elapsed: timedelta) -> int:
        return 0


def test_a_chunk_has_an_item_whatever_its_policy_says() -> None:
    class Never(MemoryComponents):
        def chunk_parts(self, start: StepStart) -> ChunkParts:
            return replace(super().chunk_parts(start), completion=Nothing())

    bench = Bench(components=Never())
    bench.items(items_of(1, 2))
    assert bench.run([chunk_step()]).steps[0].counts.commit == 2


def read(*limits: int) -> Iterator[Chunk]:
    reader = ListItemReader([{"n": 1}, {"n": 2}, ParseError("bad", origin="list:2"), {"n": 4}, {"n": 5}])
    for limit in limits:
        chunk = reader.read(limit)
        assert chunk is not None
        yield chunk


def test_merged_chunks_know_where_their_items_came_from() -> None:
    first, second = read(2, 2)
    merged = Chunk.merged([first, second])
    assert [row["n"] for row in merged.rows] == [1, 2, 4, 5]
    assert [merged.origin(place) for place in range(4)] == ["list:0", "list:1", "list:3", "list:4"]
    assert (merged.span, merged.position, merged.read_count, merged.progress) == ("list:0-4", {"items": 5}, 4, 5)
    assert [error.origin for error in merged.errors] == ["list:2"]


def test_merged_chunks_know_of_what_their_items_were_made() -> None:
    first, second = read(2, 2)
    merged = Chunk.merged([first.with_rows([{"n": 2}], [1]), second.with_rows([{"n": 5}, {"n": 4}], [1, 0])])
    assert [merged.source(place) for place in range(3)] == [1, 3, 2]
    assert [merged.origin(place) for place in range(3)] == ["list:1", "list:4", "list:3"]


def test_of_merged_chunks_one_without_places_makes_all_unknown() -> None:
    first, second = read(2, 2)
    merged = Chunk.merged([first, second.with_rows([{"n": 9}])])
    assert (merged.source(0), merged.origin(0)) == (None, "list:0-4")


def test_merged_frames_stay_a_frame() -> None:
    parts = [Chunk(frame=pl.DataFrame({"n": [n]}), position={}, origins=ListOrigins([n])) for n in (1, 2)]
    merged = Chunk.merged(parts)
    assert not merged.has_rows
    assert merged.frame["n"].to_list() == [1, 2]
    assert merged.source(1) == 1


def test_origins_of_two_files_are_both_told() -> None:
    class Of:
        def __init__(self, name: str) -> None:
            self.name = name

        def of(self, index: int) -> str:
            return f"{self.name}:{index + 2}"

        def span(self) -> str:
            return self.name

    parts = [Chunk(rows=[{"n": 1}], position={}, origins=Of(name)) for name in ("a.csv", "b.csv")]
    assert Chunk.merged(parts).span == "a.csv:2 to b.csv:2"
