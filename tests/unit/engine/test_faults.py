"""Retry, backoff and skip: how often, how long, and what the listeners hear (SEMANTICS section 5)."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from batchrun.domain.definition import ChunkDefinition, CompletionDefinition, StepDefinition
from batchrun.domain.execution import Checkpoint, JobExecution, StepExecution
from batchrun.domain.status import BatchStatus
from batchrun.domain.tolerance import (
    BackoffDefinition,
    ErrorRules,
    OnWriteError,
    Phase,
    RetryDefinition,
    SkipDefinition,
    ToleranceDefinition,
)
from batchrun.engine.policies import ExponentialBackoffPolicy
from batchrun.engine.preparing import PreparedChunk
from batchrun.errors import DatabaseError, ParseError, ProcessError, SkipLimitExceededError, WriteError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.listener import Listener
from batchrun.testing.memory import MemoryItemWriter, MemoryStore
from tests.unit.engine.bench import Bench, component, numbered

ANYTHING = ErrorRules(["Exception"])


def load(items: int = 5, ahead: int = 2, **tolerance: Any) -> list[StepDefinition]:
    work = ChunkDefinition(
        component("reader"),
        component("writer"),
        (),
        CompletionDefinition(items),
        ahead,
        ToleranceDefinition(**tolerance),
    )
    return [StepDefinition("load", work)]


def retry(limit: int = 3, *errors: str, **options: Any) -> RetryDefinition:
    backoff = options.pop("backoff", BackoffDefinition(timedelta(0)))
    return RetryDefinition(ErrorRules(errors or ["Exception"]), limit, backoff=backoff, **options)


class FailingWriter(MemoryItemWriter):
    """Raises what it is given, one for each write, until there is no more."""

    def __init__(self, bench: Bench, failures: list[Exception | None]) -> None:
        super().__init__(bench.target)
        self.failures = failures
        bench.components.writers = {"load": lambda: self}
        self.connects = 0

    def connect(self) -> Any:
        self.connects += 1
        return super().connect()

    def write(self, prepared: Any) -> int:
        written = super().write(prepared)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        return written


class Hearing(Listener):
    def __init__(self) -> None:
        self.retries: list[tuple[int, str]] = []
        self.skips: list[tuple[str, Item | None, str, int]] = []

    def on_retry(self, execution: JobExecution, step: StepExecution, attempt: int, error: Exception) -> None:
        self.retries.append((attempt, str(error)))

    def on_skip(
        self, execution: JobExecution, step: StepExecution, phase: Phase, item: Item | None, error: Exception
    ) -> None:
        self.skips.append((phase, item, str(error), step.counts.skip))


def values(bench: Bench) -> list[int]:
    return [row["n"] for row in bench.target.rows]


# --- retry -------------------------------------------------------------------------------------------


def test_a_chunk_is_written_again_up_to_the_limit_the_first_attempt_counting(bench: Bench) -> None:
    bench.items(numbered(3))
    hearing = Hearing()
    FailingWriter(bench, [OSError("busy"), OSError("busy")])
    (step,) = bench.run(load(retry=retry(3)), listeners=[hearing]).steps
    assert (step.status, values(bench), step.counts.rollback, step.counts.commit) == (
        BatchStatus.COMPLETED,
        [1, 2, 3],
        2,
        1,
    )
    assert hearing.retries == [(1, "list:0-2: OSError: busy"), (2, "list:0-2: OSError: busy")]


def test_one_attempt_too_few_fails_the_step_with_the_last_error(bench: Bench) -> None:
    bench.items(numbered(3))
    FailingWriter(bench, [OSError("busy")] * 3)
    execution = bench.run(load(retry=retry(3)))
    assert (execution.status, values(bench)) == (BatchStatus.FAILED, [])
    assert execution.exit_status.description == "step 'load': list:0-2: OSError: busy"


def test_what_is_not_meant_is_not_tried_again(bench: Bench) -> None:
    bench.items(numbered(3))
    writer = FailingWriter(bench, [KeyError("x")])
    assert bench.run(load(retry=retry(3, "OSError"))).status is BatchStatus.FAILED
    assert writer.failures == []


def test_attempts_are_counted_anew_for_each_chunk(bench: Bench) -> None:
    bench.items(numbered(4))
    FailingWriter(bench, [OSError(), None, OSError(), None])
    assert bench.run(load(items=2, retry=retry(2))).status is BatchStatus.COMPLETED
    assert values(bench) == [1, 2, 3, 4]


def test_the_wait_grows_from_attempt_to_attempt(bench: Bench) -> None:
    bench.items(numbered(1))
    slept: list[float] = []
    bench.sleep = slept.append
    backoff = BackoffDefinition(timedelta(seconds=1), 2.0, timedelta(seconds=3))
    FailingWriter(bench, [OSError()] * 4)
    bench.run(load(retry=retry(5, backoff=backoff)))
    assert sum(slept) == pytest.approx(1 + 2 + 3 + 3)
    assert max(slept) <= 0.1


def test_a_stop_ends_the_wait_and_a_restart_goes_on(bench: Bench) -> None:
    bench.items(numbered(1))
    bench.sleep = lambda _seconds: bench.stop.request()
    FailingWriter(bench, [OSError()])
    steps = load(retry=retry(backoff=BackoffDefinition(timedelta(hours=1))))
    first = bench.run(steps)
    assert (first.status, first.steps[0].status) == (BatchStatus.STOPPED, BatchStatus.STOPPED)
    assert bench.run(steps).status is BatchStatus.COMPLETED
    assert values(bench) == [1]


def test_no_attempt_begins_after_the_time_for_them(bench: Bench) -> None:
    bench.items(numbered(1))
    FailingWriter(bench, [OSError()])
    assert bench.run(load(retry=retry(9, timeout=timedelta(0)))).status is BatchStatus.FAILED


def test_after_the_attempts_a_bad_item_is_skipped_and_processors_are_not_called_again(bench: Bench) -> None:
    bench.items([{"n": n, "bad": n == 3} for n in range(1, 6)])
    processed: list[int] = []

    class Noting:
        def process(self, item: Item) -> Item:
            processed.append(item["n"])
            return item

    bench.components.processors = {"load": [Noting()]}
    hearing = Hearing()
    (step,) = bench.run(load(retry=retry(2), skip=SkipDefinition(ANYTHING, 1)), listeners=[hearing]).steps
    assert (values(bench), processed) == ([1, 2, 4, 5], [1, 2, 3, 4, 5])
    assert (step.counts.write_skip, step.counts.write, step.counts.read) == (1, 4, 5)
    ((phase, item, error, skips),) = hearing.skips
    assert (phase, item, skips) == ("write", {"n": 3, "bad": True}, 1)
    assert error.startswith("list:2: ValueError: the target refuses")
    assert len(hearing.retries) == 1


@pytest.mark.parametrize("ahead", [0, 2])
def test_an_item_is_processed_again_in_place(bench: Bench, ahead: int) -> None:
    bench.items(numbered(3))
    failures = iter([OSError("flaky"), None])
    hearing = Hearing()

    class Flaky:
        def process(self, item: Item) -> Item:
            item["seen"] = item.get("seen", 0) + 1
            if item["n"] == 2 and (failure := next(failures)) is not None:
                raise failure
            return item

    bench.components.processors = {"load": [Flaky()]}
    assert bench.run(load(ahead=ahead, retry=retry(2)), listeners=[hearing]).status is BatchStatus.COMPLETED
    assert bench.target.rows == [{"n": n, "seen": 1} for n in (1, 2, 3)]
    assert hearing.retries == [(1, "list:1: OSError: flaky")]


# --- a target or source that fails as a whole ------------------------------------------------------------


def test_a_lost_target_is_reached_again_behind_the_last_commit(bench: Bench) -> None:
    bench.items(numbered(6))
    writer = FailingWriter(bench, [None, DatabaseError("main", "connection lost"), None])
    (step,) = bench.run(load(items=2, retry=retry(2, "DatabaseError"))).steps
    assert (step.status, values(bench), writer.connects) == (BatchStatus.COMPLETED, [1, 2, 3, 4, 5, 6], 2)
    assert (step.counts.read, step.counts.write, step.counts.commit) == (6, 6, 3)


def test_a_commit_whose_reply_was_lost_is_not_made_again(bench: Bench) -> None:
    bench.items(numbered(6))

    class LosesReply(MemoryStore):
        lost = False

        def commit(self, checkpoint: Checkpoint) -> None:
            super().commit(checkpoint)
            if checkpoint.sequence == 2 and not LosesReply.lost:
                LosesReply.lost = True
                raise DatabaseError("main", "connection lost")

    def writer() -> MemoryItemWriter:
        made = MemoryItemWriter(bench.target)
        made.store = LosesReply(bench.target)
        return made

    bench.components.writers = {"load": writer}
    (step,) = bench.run(load(items=2, retry=retry(2, "DatabaseError"))).steps
    assert (step.status, values(bench)) == (BatchStatus.COMPLETED, [1, 2, 3, 4, 5, 6])
    assert (step.counts.read, step.counts.write, step.counts.commit) == (6, 6, 3)


def test_a_target_that_fails_as_a_whole_is_no_items_fault(bench: Bench) -> None:
    bench.items(numbered(2))
    FailingWriter(bench, [DatabaseError("main", "connection lost")])
    execution = bench.run(load(skip=SkipDefinition(ANYTHING, 10)))
    assert (execution.status, values(bench)) == (BatchStatus.FAILED, [])


def test_a_source_that_fails_as_a_whole_is_opened_again(bench: Bench) -> None:
    bench.items(numbered(4))
    make = bench.components.readers["load"]
    opened: list[object] = []

    def reader() -> Any:
        made = make()
        opened.append(made)
        read = made.read

        def failing(limit: int) -> Any:
            if len(opened) == 1 and made.at == 2:
                raise DatabaseError("main", "connection lost")
            return read(limit)

        return _With(made, read=failing)

    bench.components.readers = {"load": reader}
    (step,) = bench.run(load(items=2, retry=retry(2, "DatabaseError"))).steps
    assert (step.status, values(bench), len(opened)) == (BatchStatus.COMPLETED, [1, 2, 3, 4], 2)


class _With:
    """An object with some methods of its own."""

    def __init__(self, wrapped: object, **methods: Callable[..., Any]) -> None:
        self._wrapped, self._methods = wrapped, methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._wrapped, name)


# --- skip --------------------------------------------------------------------------------------------


def test_the_skip_listener_is_called_when_the_chunk_has_committed_and_not_before(bench: Bench) -> None:
    bench.items([{"n": 1}, ParseError("bad", origin="f:2", raw="x,y"), {"n": 3}])
    hearing = Hearing()
    seen: list[int] = []

    class Seeing(Hearing):
        def on_skip(self, *arguments: Any) -> None:
            seen.append(len(bench.target.rows))

    bench.run(load(skip=SkipDefinition(ANYTHING, 1)), listeners=[hearing, Seeing()])
    assert hearing.skips == [("read", None, "f:2: bad", 1)]
    assert seen == [2]


def test_rejects_of_a_commit_that_failed_are_kept_once(bench: Bench) -> None:
    bench.items([ParseError("bad"), {"n": 1}])

    class Refusing(MemoryStore):
        refusals = 2

        def commit(self, checkpoint: Checkpoint) -> None:
            if Refusing.refusals:
                Refusing.refusals -= 1
                raise WriteError("a constraint is checked at the commit")
            super().commit(checkpoint)

    def writer() -> MemoryItemWriter:
        made = MemoryItemWriter(bench.target)
        made.store = Refusing(bench.target)
        return made

    bench.components.writers = {"load": writer}
    (step,) = bench.run(load(skip=SkipDefinition(ErrorRules(["ParseError"]), 5), retry=retry(3))).steps
    assert (step.status, values(bench), len(bench.components.rejects["load"])) == (BatchStatus.COMPLETED, [1], 1)


@pytest.mark.parametrize(("how", "expected"), [(OnWriteError.SKIP_CHUNK, [4]), (OnWriteError.BISECT, [1, 3, 4])])
def test_what_becomes_of_a_chunk_that_is_refused(bench: Bench, how: OnWriteError, expected: list[int]) -> None:
    bench.items([{"n": n, "bad": n == 2} for n in range(1, 5)])
    (step,) = bench.run(load(items=3, skip=SkipDefinition(ANYTHING, 3), on_write_error=how)).steps
    assert (values(bench), step.exit_status.code) == (expected, "COMPLETED WITH SKIPS")
    assert step.counts.write_skip == 4 - len(expected)


@pytest.mark.parametrize("how", [OnWriteError.SKIP_CHUNK, OnWriteError.BISECT])
def test_a_chunk_with_tolerated_errors_is_not_held_when_it_is_done(bench: Bench, how: OnWriteError) -> None:
    bench.items([{"n": n, "bad": n % 3 == 0} for n in range(60)])
    held: list[int] = []

    class Breaking:
        def process(self, item: Item) -> Item:
            if item["n"] % 5 == 0:
                raise ValueError("bad")
            return item

    class Counting(Listener):
        def before_chunk(self, execution: JobExecution, step: StepExecution, chunk: Chunk) -> None:
            held.append(sum(isinstance(each, PreparedChunk) for each in gc.get_objects()))

    bench.components.processors = {"load": [Breaking()]}
    gc.collect()
    gc.disable()
    try:
        (step,) = bench.run(
            load(ahead=0, retry=retry(2), skip=SkipDefinition(ANYTHING, 60), on_write_error=how), listeners=[Counting()]
        ).steps
    finally:
        gc.enable()
    assert step.counts.process_skip == 12
    assert (len(held), max(held)) == (12, 1)


def test_a_write_error_may_fail_the_step_although_others_are_skipped(bench: Bench) -> None:
    bench.items([ParseError("bad"), {"n": 1, "bad": True}])
    execution = bench.run(load(skip=SkipDefinition(ANYTHING, 9), on_write_error=OnWriteError.FAIL))
    assert execution.status is BatchStatus.FAILED


def test_an_error_that_may_not_be_skipped_fails_the_step_without_another_write(bench: Bench) -> None:
    bench.items([{"n": n, "bad": n == 2} for n in range(1, 4)])
    (step,) = bench.run(load(skip=SkipDefinition(ErrorRules(["ParseError"]), 9))).steps
    assert (step.status, values(bench), step.counts.rollback) == (BatchStatus.FAILED, [], 1)


def test_a_share_of_the_items_read_is_a_limit_too(bench: Bench) -> None:
    def run(bad: int) -> BatchStatus:
        fresh = Bench()
        fresh.items([ParseError("bad")] * bad + numbered(20 - bad))
        return fresh.run(load(items=20, skip=SkipDefinition(ANYTHING, None, Fraction(10, 100)))).status

    assert (run(2), run(3)) == (BatchStatus.COMPLETED, BatchStatus.FAILED)


def test_each_kind_of_error_may_have_a_limit_of_its_own(bench: Bench) -> None:
    bench.items([ParseError("bad"), ParseError("bad"), {"n": 1, "bad": True}, {"n": 2}])
    skip = SkipDefinition(ANYTHING, None, limits={"ParseError": 2, "WriteError": 0})
    execution = bench.run(load(skip=skip))
    assert "skip limit of 0 for WriteError" in execution.exit_status.description


def test_what_a_rolled_back_chunk_did_to_the_context_is_undone(bench: Bench) -> None:
    bench.items(numbered(1))

    class Counting(Listener):
        def before_write(self, execution: JobExecution, step: StepExecution, chunk: object) -> None:
            step.context["writes"] = step.context.get("writes", 0) + 1

    FailingWriter(bench, [OSError()])
    (step,) = bench.run(load(retry=retry(2)), listeners=[Counting()]).steps
    assert step.context == {"writes": 1}


# --- which errors ------------------------------------------------------------------------------------


class OddError(ValueError):
    pass


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("errors", "without", "error", "meant"),
    [
        (["ValueError"], [], OddError(), True),
        (["OddError"], [], ValueError(), False),
        (["ValueError"], ["OddError"], OddError(), False),
        (["OddError"], ["ValueError"], OddError(), True),
        (["ParseError"], ["ItemError"], ParseError("x"), True),
        (["builtins.ValueError"], [], OddError(), True),
        (["batchrun.errors.WriteError"], [], WriteError("x"), True),
        (["ValueError"], [], caused(WriteError("x"), OddError()), True),
        (["WriteError"], ["OddError"], caused(WriteError("x"), OddError()), False),
        (["KeyError"], [], caused(WriteError("x"), OddError()), False),
        ([], [], ValueError(), False),
    ],
)
def test_errors_are_meant_by_the_nearest_class_along_the_chain_of_causes(
    errors: list[str], without: list[str], error: Exception, meant: bool
) -> None:
    assert ErrorRules(errors, without).mean(error) is meant


@pytest.mark.parametrize(
    ("attempt", "chance", "seconds"), [(1, 1.0, 0.2), (2, 1.0, 0.4), (3, 1.0, 0.8), (3, 0.0, 0.4), (5_000, 1.0, 10.0)]
)
def test_backoff_doubles_up_to_its_most_and_jitter_takes_up_to_half_of_it(
    attempt: int, chance: float, seconds: float
) -> None:
    backoff = BackoffDefinition(timedelta(milliseconds=200), 2.0, timedelta(seconds=10), jitter=True)
    delay = ExponentialBackoffPolicy(backoff, lambda: chance).delay(OSError(), attempt)
    assert delay.total_seconds() == pytest.approx(seconds)


def test_what_a_server_says_of_when_to_come_back_is_waited_for() -> None:
    error = ProcessError("too many requests")
    error.retry_after = timedelta(minutes=2)  # type: ignore[attr-defined]
    assert ExponentialBackoffPolicy(BackoffDefinition()).delay(error, 1) == timedelta(minutes=2)


def test_the_error_of_a_skip_limit_names_the_last_error() -> None:
    error = SkipLimitExceededError("3", ParseError("bad", origin="f:9"))
    assert str(error) == "more items failed than the skip limit of 3 allows; the last one: f:9: bad"
