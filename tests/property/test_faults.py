"""Every combination of read, process and write failures for a few items, against a model (SEMANTICS section 5)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrun.domain.definition import ChunkDefinition, CompletionDefinition, StepDefinition
from batchrun.domain.status import BatchStatus
from batchrun.domain.tolerance import ErrorRules, OnWriteError, SkipDefinition, ToleranceDefinition
from batchrun.errors import ParseError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.chunk import Chunk, Item
from batchrun.testing.memory import MemoryItemWriter
from tests.property.test_restart import DiesAt
from tests.unit.engine.bench import Bench, component

Fails = dict[int, str]
"""Which items fail: `read`, `process`, `write`, or `drop` for one that a processor filters."""

ALL_SIZES = os.environ.get("BATCHRUN_COMBINATIONS") == "all"
ALL = ErrorRules(["ParseError", "ProcessError", "WriteError"])


class Breaking:
    """A processor of items that breaks on some and drops others."""

    def __init__(self, fails: Fails) -> None:
        self.fails = fails
        self.calls: list[int] = []

    def process(self, item: Item) -> Item | None:
        self.calls.append(item["n"])
        how = self.fails.get(item["n"])
        if how == "process":
            raise ValueError(f"{item['n']} cannot be processed")
        return None if how == "drop" else {**item, "bad": how == "write"}


class BreakingChunks(Breaking):
    """The same on whole chunks."""

    def process_chunk(self, chunk: Chunk) -> Chunk:
        made = [(place, self.process(item)) for place, item in enumerate(chunk.rows)]
        kept = [(place, item) for place, item in made if item is not None]
        return chunk.with_rows([item for _, item in kept], [place for place, _ in kept])


class WithoutStore(MemoryItemWriter):
    """A writer whose target has no transactions: what it took stays."""

    def connect(self) -> CheckpointStore | None:  # type: ignore[override]
        return None

    def write(self, prepared: Any) -> int:
        written = super().write(prepared)
        self.store.target.rows.extend(self.store.pending)
        self.store.pending = []
        return written


@dataclass(frozen=True)
class Expected:
    written: list[int]
    skips: tuple[int, int, int]
    filtered: int
    commits: int
    failed: bool = False


def model(items: Sequence[int], fails: Fails, chunk: int, limit: int) -> Expected:
    """Goes through the items one by one, a chunk at a time."""
    written: list[int] = []
    total = {"read": 0, "process": 0, "write": 0, "drop": 0}
    commits = 0
    left = list(items)
    while left:
        taken: list[int] = []
        while left and sum(fails.get(item) != "read" for item in taken) < chunk:
            taken.append(left.pop(0))
        now = {how: sum(fails.get(item) == how for item in taken) for how in total}
        skipped = sum(total[how] + now[how] for how in ("read", "process", "write"))
        if skipped > limit:
            return Expected(written, _skips(total), total["drop"], commits, failed=True)
        written += [item for item in taken if item not in fails]
        total = {how: total[how] + now[how] for how in total}
        commits += 1
    return Expected(written, _skips(total), total["drop"], commits)


def _skips(total: dict[str, int]) -> tuple[int, int, int]:
    return total["read"], total["process"], total["write"]


def step_of(
    chunk: int,
    limit: int | None,
    how: OnWriteError = OnWriteError.BISECT,
    ahead: int = 2,
    time: timedelta | None = None,
) -> StepDefinition:
    tolerance = ToleranceDefinition(skip=SkipDefinition(ALL, limit), on_write_error=how)
    return StepDefinition(
        "load",
        ChunkDefinition(
            component("reader"), component("writer"), (), CompletionDefinition(chunk, time), ahead, tolerance
        ),
    )


def bench_of(items: Sequence[int], fails: Fails, *, by_chunk: bool = False, has_store: bool = True) -> Bench:
    bench = Bench()
    source: list[Any] = [
        ParseError("unreadable", origin=f"list:{item}") if fails.get(item) == "read" else {"n": item} for item in items
    ]
    bench.items(source)
    kind = BreakingChunks if by_chunk else Breaking
    bench.components.processors = {"load": [kind(fails)]}
    if not has_store:
        bench.components.writers = {"load": lambda: WithoutStore(bench.target)}
    return bench


def check(
    bench: Bench, expected: Expected, chunk: int, limit: int, time: timedelta | None = None, ahead: int = 2
) -> None:
    execution = bench.run([step_of(chunk, limit, time=time, ahead=ahead)])
    (step,) = execution.steps
    counts = step.counts
    assert [row["n"] for row in bench.target.rows] == expected.written
    assert (counts.read_skip, counts.process_skip, counts.write_skip) == expected.skips
    assert (counts.write, counts.filter, counts.commit) == (len(expected.written), expected.filtered, expected.commits)
    assert (execution.status is BatchStatus.FAILED) is expected.failed
    assert len(bench.components.rejects["load"]) == sum(expected.skips)
    if not expected.failed:
        wanted = "COMPLETED WITH SKIPS" if sum(expected.skips) else "COMPLETED"
        assert step.exit_status.code == wanted


def combinations(count: int) -> Iterator[Fails]:
    for hows in itertools.product((None, "read", "process", "write"), repeat=count):
        yield {place + 1: how for place, how in enumerate(hows) if how is not None}


@pytest.mark.parametrize("chunk", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_combination_of_failures_is_skipped_as_the_model_says(count: int, chunk: int) -> None:
    items = range(1, count + 1)
    for fails in combinations(count):
        check(bench_of(items, fails), model(items, fails, chunk, count), chunk, count)


@pytest.mark.parametrize("count", [5, 6])
def test_every_combination_for_up_to_six_items_is_too(count: int) -> None:
    items = range(1, count + 1)
    sizes = (1, 2, 4)
    for place, fails in enumerate(combinations(count)):
        # All of them with each size take half a minute: `make combinations`.
        for chunk in sizes if ALL_SIZES or count < 6 else (sizes[place % len(sizes)],):
            check(bench_of(items, fails), model(items, fails, chunk, count), chunk, count, ahead=0)


@pytest.mark.parametrize("by_chunk", [False, True])
@settings(max_examples=200, deadline=None)
@given(
    fails=st.dictionaries(st.integers(1, 12), st.sampled_from(["read", "process", "write", "drop"])),
    count=st.integers(0, 12),
    chunk=st.integers(1, 5),
)
def test_a_chunk_read_in_portions_is_as_one_read_at_once(fails: Fails, count: int, chunk: int, by_chunk: bool) -> None:
    items = range(1, count + 1)
    bench = bench_of(items, fails, by_chunk=by_chunk)
    check(bench, model(items, fails, chunk, count), chunk, count, time=timedelta(days=1))


@settings(max_examples=400, deadline=None)
@given(
    fails=st.dictionaries(st.integers(1, 12), st.sampled_from(["read", "process", "write", "drop"])),
    count=st.integers(0, 12),
    chunk=st.integers(1, 6),
    limit=st.integers(1, 12),
    by_chunk=st.booleans(),
)
def test_limits_filters_and_whole_chunks_too(fails: Fails, count: int, chunk: int, limit: int, by_chunk: bool) -> None:
    items = range(1, count + 1)
    fails = {item: how for item, how in fails.items() if item <= count}
    check(bench_of(items, fails, by_chunk=by_chunk), model(items, fails, chunk, limit), chunk, limit)


@settings(max_examples=400, deadline=None)
@given(
    fails=st.dictionaries(st.integers(1, 9), st.sampled_from(["read", "process", "write", "drop"])),
    chunk=st.integers(1, 5),
    ahead=st.integers(0, 2),
    has_store=st.booleans(),
    crashes=st.sets(st.integers(1, 40), max_size=5),
)
def test_every_good_item_is_written_once_and_every_bad_one_rejected_once_whatever_crashes(
    fails: Fails, chunk: int, ahead: int, has_store: bool, crashes: set[int]
) -> None:
    items = range(1, 10)
    bench = bench_of(items, fails, has_store=has_store)
    # Without transactions a crash between write and commit writes again, so there it comes between commits only.
    dies = DiesAt(crashes)
    bench.repository.point = dies
    if has_store:
        bench.target.point = dies
    bench.run_until_done([step_of(chunk, None, ahead=ahead)])
    written = [row["n"] for row in bench.target.rows]
    assert written == [item for item in items if item not in fails]
    rejected = sorted(reject.error.origin or "" for reject in bench.components.rejects["load"])  # type: ignore[attr-defined]
    assert len(rejected) == sum(how != "drop" for how in fails.values())
    steps = (step for execution in bench.repository.find_executions() for step in execution.steps)
    (completed,) = (step for step in steps if step.status is BatchStatus.COMPLETED)
    assert completed.exit_status.code == ("COMPLETED WITH SKIPS" if rejected else "COMPLETED")


def test_skips_of_several_phases_in_one_chunk() -> None:
    bench = bench_of(range(1, 8), {2: "read", 3: "read", 4: "write", 5: "write"})
    (step,) = bench.run([step_of(3, 4)]).steps
    assert (step.counts.read_skip, step.counts.process_skip, step.counts.write_skip) == (2, 0, 2)
    assert [row["n"] for row in bench.target.rows] == [1, 6, 7]


def test_beyond_the_limit_nothing_of_the_chunk_is_written_and_a_restart_writes_each_once() -> None:
    fails: Fails = {2: "write", 4: "write"}
    bench = bench_of(range(1, 6), fails)
    execution = bench.run([step_of(5, 1)])
    assert (execution.status, bench.target.rows) == (BatchStatus.FAILED, [])
    assert "skip limit of 1" in execution.exit_status.description
    assert bench.components.rejects["load"] == []
    fails.clear()
    bench.run([step_of(5, 1)])
    assert [row["n"] for row in bench.target.rows] == [1, 2, 3, 4, 5]
