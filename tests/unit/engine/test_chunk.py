"""The chunk step: counts, order, commits, failures and restarts (SEMANTICS section 5)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pytest

from batchrun.domain.execution import JobExecution, JsonObject, StepExecution, StepTimes
from batchrun.domain.status import BatchStatus
from batchrun.errors import FencedError, ParseError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.listener import Listener, Progress
from batchrun.testing.memory import Crash, ListItemReader, MemoryItemWriter
from tests.unit.engine.bench import Bench, chunk_step, numbered


def written(bench: Bench) -> list[Any]:
    return [row["n"] for row in bench.target.rows]


@pytest.mark.parametrize("read_ahead", [0, 2])
@pytest.mark.parametrize(("count", "commits"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)])
def test_commit_count_does_not_count_an_empty_final_read(
    bench: Bench, count: int, commits: int, read_ahead: int
) -> None:
    bench.items(numbered(count))
    step = bench.run([chunk_step(items=2, read_ahead=read_ahead)]).steps[0]
    assert (step.status, step.exit_status.code) == (BatchStatus.COMPLETED, "COMPLETED")
    assert (step.counts.read, step.counts.write, step.counts.commit) == (count, count, commits)
    assert written(bench) == list(range(1, count + 1))


def test_no_checkpoint_stays_after_completion(bench: Bench) -> None:
    bench.items(numbered(3))
    bench.run([chunk_step()])
    assert bench.target.checkpoints == {}


@dataclass
class Dropping:
    """Filters even numbers."""

    def process(self, item: Item) -> Item | None:
        return None if item["n"] % 2 == 0 else item


def test_filtered_items_are_counted_and_not_written(bench: Bench) -> None:
    bench.items(numbered(5))
    bench.components.processors = {"load": [Dropping()]}
    step = bench.run([chunk_step(items=2)]).steps[0]
    assert (step.counts.read, step.counts.filter, step.counts.write) == (5, 2, 3)
    assert written(bench) == [1, 3, 5]


def test_the_writer_is_not_called_for_an_empty_chunk(bench: Bench) -> None:
    bench.items([{"n": 2}, {"n": 4}])
    bench.components.processors = {"load": [Dropping()]}
    step = bench.run([chunk_step(items=2)]).steps[0]
    assert (step.counts.write, step.counts.filter, step.counts.commit) == (0, 2, 1)


def test_a_write_failure_rolls_back_its_chunk_only(bench: Bench) -> None:
    bench.items([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4, "bad": True}])
    execution = bench.run([chunk_step(items=2)])
    step = execution.steps[0]
    assert execution.status is BatchStatus.FAILED
    assert written(bench) == [1, 2]
    assert (step.counts.read, step.counts.write, step.counts.commit, step.counts.rollback) == (2, 2, 1, 1)
    assert step.exit_status.description == "list:2-3: ValueError: the target refuses {'n': 4, 'bad': True}"
    assert execution.exit_status.description == f"step 'load': {step.exit_status.description}"


def test_a_read_error_fails_the_step_after_the_chunks_before_it(bench: Bench) -> None:
    bench.items([{"n": 1}, {"n": 2}, ParseError("is no number", origin="list:2", raw="x"), {"n": 3}])
    execution = bench.run([chunk_step(items=2)])
    assert written(bench) == [1, 2]
    assert execution.steps[0].exit_status.description == "list:2: is no number"


def test_an_item_keeps_its_origin_through_filters(bench: Bench) -> None:
    class FailingOnFive:
        def process(self, item: Item) -> Item | None:
            if item["n"] == 5:
                raise KeyError("price")
            return item

    bench.items(numbered(6))
    bench.components.processors = {"load": [Dropping(), FailingOnFive()]}
    step = bench.run([chunk_step(items=6)]).steps[0]
    assert step.exit_status.description == "list:4: KeyError: 'price'"


def test_a_restart_continues_behind_the_last_commit(bench: Bench) -> None:
    items: list[Any] = [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4, "bad": True}, {"n": 5}]
    bench.items(items)
    first = bench.run([chunk_step(items=2)])
    items[3] = {"n": 4}
    second = bench.run([chunk_step(items=2)])
    assert (first.status, second.status) == (BatchStatus.FAILED, BatchStatus.COMPLETED)
    assert second.restart_of == first.id
    assert written(bench) == [1, 2, 3, 4, 5]
    assert second.steps[0].counts.read == 3


def test_counts_are_brought_in_line_with_the_target(bench: Bench) -> None:
    bench.items(numbered(6))

    def die_after_second_commit(name: str) -> None:
        if name == "target.committed" and len(bench.target.rows) == 4:
            raise Crash

    bench.target.point = die_after_second_commit
    with pytest.raises(Crash):
        bench.run([chunk_step(items=2)])
    [dead] = bench.repository.find_executions()
    assert dead.steps[0].counts.write == 2, "the repository has not seen the second commit"
    bench.target.point = lambda name: None
    second = bench.run([chunk_step(items=2)])
    assert written(bench) == [1, 2, 3, 4, 5, 6]
    first = bench.repository.find_execution(dead.id)
    assert (first.status, first.steps[0].counts.write) == (BatchStatus.FAILED, 4)
    assert second.steps[0].counts.write == 2


def test_a_stale_checkpoint_of_an_earlier_run_is_not_taken(bench: Bench) -> None:
    """A crash between the repository's COMPLETED and the deletion in the target leaves a row behind."""
    bench.items(numbered(4))

    def die_before_forgetting(name: str) -> None:
        if name == "step.saved":
            raise Crash

    bench.repository.point = die_before_forgetting
    step = chunk_step(allow_start_if_complete=True)
    with pytest.raises(Crash):
        bench.run([step, chunk_step("second")])
    assert bench.target.checkpoints
    bench.repository.point = lambda name: None
    bench.items(numbered(1, start=9), "second")
    assert bench.run([step, chunk_step("second")]).status is BatchStatus.COMPLETED
    assert written(bench) == [1, 2, 3, 4, 1, 2, 3, 4, 9], "asked to start again although complete, it did"


def test_an_owner_that_was_taken_over_commits_nothing(bench: Bench) -> None:
    bench.items(numbered(6))
    taken_over: list[JobExecution] = []

    class TakingOver(Listener):
        def after_chunk(
            self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
        ) -> None:
            if chunk is not None and not taken_over:
                taken_over.append(execution)
                successor = Bench(bench.target, bench.repository, bench.components)
                successor.run([chunk_step(items=2)])

    with pytest.raises(Exception, match="taken over by another process"):
        bench.run([chunk_step(items=2)], listeners=[TakingOver()])
    assert written(bench) == [1, 2, 3, 4, 5, 6]


def test_an_owner_suspended_before_it_took_over_commits_nothing_after_its_successor_completed(bench: Bench) -> None:
    """The successor has deleted the row in the target, so only the repository can tell."""
    bench.items(numbered(4))

    class Suspending(MemoryItemWriter):
        def connect(self) -> CheckpointStore | None:
            if not suspended:
                suspended.append(True)
                Bench(bench.target, bench.repository, bench.components).run([chunk_step(items=2)])
            return super().connect()

    suspended: list[bool] = []
    bench.components.writers = {"load": lambda: Suspending(bench.target)}
    with pytest.raises(FencedError):
        bench.run([chunk_step(items=2)])
    assert written(bench) == [1, 2, 3, 4]
    assert bench.target.checkpoints == {}


def test_a_stop_ends_after_the_commit_and_restarts_behind_it(bench: Bench) -> None:
    class Stopping(Listener):
        def after_chunk(
            self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
        ) -> None:
            if chunk is not None:
                bench.stop.request()

    bench.items(numbered(6))
    first = bench.run([chunk_step(items=2)], listeners=[Stopping()])
    assert (first.status, first.exit_status.code) == (BatchStatus.STOPPED, "STOPPED")
    assert written(bench) == [1, 2]
    assert bench.run([chunk_step(items=2)]).status is BatchStatus.COMPLETED
    assert written(bench) == [1, 2, 3, 4, 5, 6]


def test_read_ahead_zero_reads_only_when_the_last_chunk_is_written(bench: Bench) -> None:
    events: list[str] = []

    class Telling(ListItemReader):
        def read(self, limit: int) -> Chunk | None:
            events.append("read")
            return super().read(limit)

    class Watching(Listener):
        def after_chunk(
            self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
        ) -> None:
            if chunk is not None:
                events.append("written")

    bench.items([])
    bench.components.readers = {"load": lambda: Telling(numbered(4))}
    bench.run([chunk_step(items=2, read_ahead=0)], listeners=[Watching()])
    assert events == ["read", "written", "read", "written", "read"]


@pytest.mark.parametrize("read_ahead", [0, 2])
def test_each_phase_has_the_time_that_it_took(bench: Bench, read_ahead: int) -> None:
    passed = threading.local()

    def took(seconds: int) -> None:
        passed.seconds = getattr(passed, "seconds", 0) + seconds

    class Reader(ListItemReader):
        def read(self, limit: int) -> Chunk | None:
            took(1)
            return super().read(limit)

    class Writer(MemoryItemWriter):
        def prepare(self, chunk: Chunk) -> object:
            took(10)
            return super().prepare(chunk)

        def write(self, prepared: Any) -> int:
            took(100)
            return super().write(prepared)

        def state(self) -> JsonObject | None:
            took(1000)
            return super().state()

    bench.clock = lambda: getattr(passed, "seconds", 0)  # each thread has its own time
    bench.components.readers = {"load": lambda: Reader(numbered(4))}
    bench.components.writers = {"load": lambda: Writer(bench.target)}
    (step,) = bench.run([chunk_step(items=2, read_ahead=read_ahead)]).steps
    assert step.times == StepTimes(read=3, encode=20, write=200, commit=2000)


def test_a_failing_close_does_not_undo_what_is_committed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    class Clinging(ListItemReader):
        def close(self) -> None:
            raise OSError("cannot close")

    bench.items([])
    bench.components.readers = {"load": lambda: Clinging(numbered(2))}
    assert bench.run([chunk_step()]).status is BatchStatus.COMPLETED
    assert "cannot close" in caplog.text
