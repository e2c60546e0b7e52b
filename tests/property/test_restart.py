"""Exactly once, whatever the crash: random jobs with random crash points against what an uninterrupted run writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from batchrun.domain.definition import StepDefinition
from batchrun.domain.status import BatchStatus
from batchrun.spi.chunk import Item
from batchrun.spi.tasklet import StepContribution
from batchrun.testing.memory import Crash
from tests.unit.engine.bench import Bench, chunk_step, numbered, tasklet_step


class DiesAt:
    """A point that dies at the given places of the count of all points passed, over all executions."""

    def __init__(self, places: set[int]) -> None:
        self.places = places
        self.passed = 0

    def __call__(self, name: str) -> None:
        self.passed += 1
        if self.passed in self.places:
            raise Crash(name)


class DropsThirds:
    """Filters multiples of three."""

    def process(self, item: Item) -> Item | None:
        return None if item["n"] % 3 == 0 else item


def _job(bench: Bench, sizes: list[tuple[int, int, int]]) -> tuple[list[StepDefinition], list[dict[str, Any]]]:
    """Makes a chunk step for each (items, chunk, read-ahead), each followed by a transactional tasklet."""
    steps, expected = [], []
    for place, (count, chunk, read_ahead) in enumerate(sizes):
        load, mark = f"load{place}", f"mark{place}"
        items = numbered(count, start=100 * place)
        bench.items(items, load)
        bench.components.processors = {**bench.components.processors, load: [DropsThirds()]}
        bench.components.tasklets = {**bench.components.tasklets, mark: _marking(bench, mark)}
        steps += [chunk_step(load, chunk, read_ahead), tasklet_step(mark)]
        expected += [item for item in items if item["n"] % 3] + [{"mark": mark}]
    return steps, expected


def _marking(bench: Bench, name: str) -> Callable[[], Any]:
    from batchrun.testing.memory import FunctionTasklet, MemoryStore

    class Marking(FunctionTasklet):
        def open(self) -> MemoryStore:
            self.store = MemoryStore(bench.target)
            return self.store

        def execute(self, contribution: StepContribution) -> None:
            self.store.pending.append({"mark": name})

        __slots__ = ("store",)

    return lambda: Marking(lambda contribution: None)


@settings(max_examples=300, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 7), st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=2),
    places=st.sets(st.integers(1, 60), max_size=6),
)
def test_every_item_is_written_once_whatever_crashes(sizes: list[tuple[int, int, int]], places: set[int]) -> None:
    bench = Bench()
    dies = DiesAt(places)
    bench.target.point = bench.repository.point = dies
    steps, expected = _job(bench, sizes)
    bench.run_until_done(steps)
    assert bench.target.rows == expected
    assert bench.target.checkpoints == {} or dies.passed >= min(places)
    executions = bench.repository.find_executions()
    assert executions[0].status is BatchStatus.COMPLETED
    loads = [step for each in executions for step in each.steps if step.step_name.startswith("load")]
    assert sum(step.counts.write for step in loads) == len([row for row in expected if "n" in row])
    assert sum(step.counts.read for step in loads) == sum(count for count, _, _ in sizes)
