"""SEMANTICS section 6: the points, their order, and what a failing listener fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from batchrun.domain.definition import ChunkDefinition, CompletionDefinition, StepDefinition
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.domain.tolerance import (
    BackoffDefinition,
    ErrorRules,
    RetryDefinition,
    SkipDefinition,
    ToleranceDefinition,
)
from batchrun.errors import ListenerError, TaskletError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.listener import Listener, Progress
from batchrun.spi.source import HeardListener
from batchrun.testing.memory import ListItemReader, MemoryItemWriter
from tests.unit.engine.bench import Bench, chunk_step, component, flow, numbered, parallel_step, tasklet_step

POINTS = [name for name in vars(Listener) if name.startswith(("before_", "after_", "on_"))]
"""All points, as the contract declares them."""


def listening(name: str, **points: Callable[..., Any]) -> Listener:
    """Returns a listener of that name that hears the given points only."""

    class Named(Listener):
        def __str__(self) -> str:
            return name

    listener = Named()
    for point, function in points.items():
        setattr(listener, point, function)
    return listener


def telling(name: str, heard: list[str], *points: str) -> Listener:
    """Returns a listener that notes `name.point` at the given points, or at all."""
    return listening(
        name, **{point: lambda *_, point=point: heard.append(f"{name}.{point}") for point in points or POINTS}
    )


def failing(name: str, *points: str) -> Listener:
    """Returns a listener that fails at each of the points."""

    def fail(*_: object) -> None:
        raise ValueError("no")

    return listening(name, **dict.fromkeys(points, fail))


def described(ended: JobExecution | StepExecution) -> tuple[str, str, str]:
    return ended.status.name, ended.exit_status.code, ended.exit_status.description


class Dropping:
    """A processor of whole chunks that keeps the even numbers, and says which it kept."""

    def process_chunk(self, chunk: Chunk) -> Chunk:
        import polars as pl

        kept = [place for place, item in enumerate(chunk.rows) if item["n"] % 2 == 0]
        return chunk.with_frame(chunk.frame.filter(pl.col("n") % 2 == 0), kept)


def test_before_is_called_in_order_of_registration_and_after_in_reverse(bench: Bench) -> None:
    heard: list[str] = []
    bench.items(numbered(1))
    bench.components.listeners = {"load": [HeardListener(telling("step", heard))]}
    bench.run([chunk_step()], listeners=[telling("first", heard), telling("second", heard)])
    assert heard == [
        f"{name}.{point}"
        for point in (
            "before_job",
            "before_step",
            "after_chunk",
            "before_read",
            "after_read",
            "before_process",
            "after_process",
            "before_read",
            "before_chunk",
            "before_write",
            "after_write",
            "after_chunk",
            "after_step",
            "after_job",
        )
        for name in _in_order(point)
    ]


def _in_order(point: str) -> list[str]:
    names = ["first", "second"] if point.endswith("_job") else ["first", "second", "step"]
    return names if point.startswith("before_") else names[::-1]


def test_the_listeners_of_the_job_come_before_those_of_the_step(bench: Bench) -> None:
    heard: list[str] = []
    bench.tasklet("a", lambda _: None)
    bench.components.listeners = {
        "": [HeardListener(telling("job", heard, "before_step", "after_step"))],
        "a": [HeardListener(telling("step", heard, "before_step", "after_step"))],
    }
    bench.run([tasklet_step("a")])
    assert heard == ["job.before_step", "step.before_step", "step.after_step", "job.after_step"]


def test_a_step_is_started_before_its_listeners_hear_and_saved_after_them(bench: Bench) -> None:
    saved: list[tuple[str, str]] = []

    def look(_execution: JobExecution, step: StepExecution) -> None:
        [kept] = bench.repository.find_execution(step.job_execution_id).steps
        saved.append((kept.status.name, kept.exit_status.code))

    bench.tasklet("a", lambda _: None)
    execution = bench.run([tasklet_step("a")], listeners=[listening("looking", before_step=look, after_step=look)])
    assert saved == [("STARTED", "EXECUTING"), ("STARTED", "EXECUTING")]
    assert [step.status.name for step in bench.repository.find_execution(execution.id).steps] == ["COMPLETED"]


def test_a_job_is_started_before_its_listeners_hear_and_saved_after_them(bench: Bench) -> None:
    saved: list[tuple[str, str, list[str]]] = []

    def look(execution: JobExecution) -> None:
        kept = bench.repository.find_execution(execution.id)
        saved.append((kept.status.name, execution.status.name, [step.status.name for step in kept.steps]))

    bench.tasklet("a", lambda _: None)
    execution = bench.run([tasklet_step("a")], listeners=[listening("looking", before_job=look, after_job=look)])
    assert saved == [("STARTED", "STARTED", []), ("STARTED", "COMPLETED", ["COMPLETED"])]
    assert bench.repository.find_execution(execution.id).status.name == "COMPLETED"


@pytest.mark.parametrize("point", ["before_job", "after_job"])
def test_an_exception_at_a_point_of_the_job_fails_the_job(bench: Bench, point: str) -> None:
    bench.tasklet("a", lambda _: None)
    execution = bench.run([tasklet_step("a")], listeners=[failing("strict", point)])
    assert described(execution) == ("FAILED", "FAILED", f"listener 'strict' failed at {point}: ValueError: no")
    assert [step.status.name for step in execution.steps] == ([] if point == "before_job" else ["COMPLETED"])
    assert bench.repository.find_execution(execution.id).status is BatchStatus.FAILED


@pytest.mark.parametrize("point", ["before_step", "after_step"])
def test_an_exception_at_a_point_of_the_step_fails_the_step(bench: Bench, point: str) -> None:
    ran: list[object] = []
    bench.tasklet("a", ran.append)  # type: ignore[arg-type]
    execution = bench.run([tasklet_step("a")], listeners=[failing("strict", point)])
    assert described(execution.steps[0]) == ("FAILED", "FAILED", f"listener 'strict' failed at {point}: ValueError: no")
    assert len(ran) == (0 if point == "before_step" else 1)


@pytest.mark.parametrize(
    ("point", "committed"),
    [("before_chunk", 0), ("after_chunk", 2), ("before_read", 0), ("before_write", 0), ("after_write", 0)],
)
def test_an_exception_at_a_point_of_the_chunk_fails_the_step(bench: Bench, point: str, committed: int) -> None:
    def fail(*arguments: Any) -> None:
        if len(arguments) < 3 or arguments[2] is not None:  # the reader's opening is no chunk
            raise ValueError("no")

    bench.items(numbered(2))
    execution = bench.run([chunk_step()], listeners=[listening("strict", **{point: fail})])
    assert execution.steps[0].status is BatchStatus.FAILED
    assert f"listener 'strict' failed at {point}: ValueError: no" in execution.steps[0].exit_status.description
    assert len(bench.target.rows) == committed


def test_an_exception_in_the_chunk_s_transaction_rolls_it_back_and_names_its_origin(bench: Bench) -> None:
    bench.items(numbered(2))
    execution = bench.run([chunk_step()], listeners=[failing("strict", "after_write")])
    assert execution.steps[0].exit_status.description == (
        "list:0-1: listener 'strict' failed at after_write: ValueError: no"
    )
    assert (execution.steps[0].counts.rollback, bench.target.rows) == (1, [])


@pytest.mark.parametrize("point", ["after_read", "before_process", "after_process", "on_filter"])
def test_an_exception_at_a_point_of_an_item_is_an_error_of_that_item(bench: Bench, point: str) -> None:
    def fail(_execution: JobExecution, _step: StepExecution, item: Item, _result: Item | None = None) -> None:
        if item["n"] in (5, 6):
            raise ValueError("no")

    bench.items(numbered(6))
    bench.components.processors = {"load": [Dropping()]}
    execution = bench.run([chunk_step(items=4)], listeners=[listening("strict", **{point: fail})])
    place = 5 if point == "after_process" else 4  # 5 is dropped
    assert execution.steps[0].exit_status.description == (
        f"list:{place}: listener 'strict' failed at {point}: ValueError: no"
    )
    assert [row["n"] for row in bench.target.rows] == [2, 4]


@pytest.mark.parametrize(
    "point", ["before_job", "before_step", "before_chunk", "after_read", "after_step", "after_job"]
)
def test_a_lenient_listener_is_only_warned_of(bench: Bench, point: str, caplog: pytest.LogCaptureFixture) -> None:
    bench.items(numbered(1))
    bench.components.listeners = {"": [HeardListener(failing("lenient", point), is_lenient=True)]}
    execution = bench.run([chunk_step()])
    assert execution.status is BatchStatus.COMPLETED
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [f"listener 'lenient' failed at {point}: ValueError: no"]


def test_a_before_that_fails_keeps_the_later_ones_from_being_called_and_after_is_called_all_the_same(
    bench: Bench,
) -> None:
    heard: list[str] = []
    points = ("before_step", "after_step")
    bench.tasklet("a", lambda _: None)
    listeners = [telling("a", heard, *points), failing("b", "before_step"), telling("c", heard, *points)]
    bench.run([tasklet_step("a")], listeners=listeners)
    assert heard == ["a.before_step", "c.after_step", "a.after_step"]


def test_listeners_behind_one_that_fails_after_the_step_are_called_and_see_the_failure(bench: Bench) -> None:
    seen: list[tuple[str, str]] = []

    def see(execution: JobExecution, step: StepExecution | None = None) -> None:
        ended = step or execution
        seen.append((ended.status.name, ended.exit_status.description))

    bench.tasklet("a", lambda _: None)
    listeners = [listening("seeing", after_step=see, after_job=see), failing("strict", "after_step", "after_job")]
    bench.run([tasklet_step("a")], listeners=listeners)
    at_step = "listener 'strict' failed at after_step: ValueError: no"
    at_job = f"step 'a': {at_step}; listener 'strict' failed at after_job: ValueError: no"
    assert seen == [("FAILED", at_step), ("FAILED", at_job)]


def test_a_listener_that_fails_after_a_failed_step_does_not_hide_why_it_failed(bench: Bench) -> None:
    def break_(_: object) -> None:
        raise TaskletError("no disk")

    bench.tasklet("a", break_)
    execution = bench.run([tasklet_step("a")], listeners=[failing("strict", "after_step")])
    assert execution.steps[0].exit_status.description == (
        "no disk; listener 'strict' failed at after_step: ValueError: no"
    )


def test_a_listener_that_fails_at_an_error_does_not_hide_it(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.items([{"n": 1, "bad": True}])
    execution = bench.run([chunk_step()], listeners=[failing("strict", "on_write_error", "on_chunk_error")])
    assert "the target refuses" in execution.steps[0].exit_status.description
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "listener 'strict' failed at on_write_error: ValueError: no",
        "listener 'strict' failed at on_chunk_error: ValueError: no",
    ]


@pytest.mark.parametrize("raised", [SystemExit(0), GeneratorExit(0)], ids=repr)
def test_what_is_no_exception_but_raised_by_a_listener_is_an_error_of_it(bench: Bench, raised: BaseException) -> None:
    def leave(*_: object) -> None:
        raise raised

    bench.tasklet("a", lambda _: None)
    execution = bench.run([tasklet_step("a")], listeners=[listening("leaving", before_job=leave)])
    assert described(execution) == (
        "FAILED",
        "FAILED",
        f"listener 'leaving' failed at before_job: {type(raised).__name__}: 0",
    )


def test_after_step_may_return_an_exit_status_that_is_merged_by_and(bench: Bench) -> None:
    bench.tasklet("a", lambda _: None)
    listeners = [
        listening("first", after_step=lambda *_: ExitStatus("COMPLETED WITH REMARKS", "two remarks")),
        listening("second", after_step=lambda *_: None),
    ]
    execution = bench.run([tasklet_step("a")], listeners=listeners)
    assert described(execution.steps[0]) == ("COMPLETED", "COMPLETED WITH REMARKS", "two remarks")


def test_after_step_sees_what_the_listener_before_it_said_of_the_exit(bench: Bench) -> None:
    seen: list[str] = []
    bench.tasklet("a", lambda _: None)
    listeners = [
        listening("outer", after_step=lambda _, step: seen.append(step.exit_status.code)),
        listening("inner", after_step=lambda *_: ExitStatus("NOOP")),
    ]
    bench.run([tasklet_step("a")], listeners=listeners)
    assert seen == ["NOOP"]


def test_after_step_that_returns_something_else_fails_the_step(bench: Bench) -> None:
    bench.tasklet("a", lambda _: None)
    execution = bench.run([tasklet_step("a")], listeners=[listening("odd", after_step=lambda *_: 5)])
    assert execution.steps[0].exit_status.description == (
        "listener 'odd' failed at after_step: TypeError: it returned 5, where an ExitStatus or None is expected"
    )


def test_what_another_point_returns_means_nothing(bench: Bench) -> None:
    bench.items(numbered(1))
    points: dict[str, Callable[..., Any]] = {point: lambda *_: 5 for point in POINTS if point != "after_step"}
    assert bench.run([chunk_step()], listeners=[listening("odd", **points)]).status is BatchStatus.COMPLETED


@pytest.mark.parametrize("read_ahead", [0, 2])
def test_listeners_are_called_the_same_with_and_without_reading_ahead(bench: Bench, read_ahead: int) -> None:
    heard: list[str] = []
    bench.items(numbered(3))
    bench.run([chunk_step(read_ahead=read_ahead)], listeners=[telling("it", heard)])
    assert sorted(heard) == sorted(
        f"it.{point}"
        for point, count in {
            "before_job": 1,
            "before_step": 1,
            "before_read": 3,
            "after_read": 3,
            "before_process": 3,
            "after_process": 3,
            "before_chunk": 2,
            "before_write": 2,
            "after_write": 2,
            "after_chunk": 3,
            "after_step": 1,
            "after_job": 1,
        }.items()
        for _ in range(count)
    )


def test_listeners_hear_of_steps_in_parallel_branches(bench: Bench) -> None:
    heard: list[str] = []
    for name in ("a", "b"):
        bench.tasklet(name, lambda _: None)
    note = listening("it", after_step=lambda _, step: heard.append(step.step_name))
    bench.run([parallel_step("both", flow(tasklet_step("a")), flow(tasklet_step("b")))], listeners=[note])
    assert (sorted(heard[:2]), heard[2:]) == (["a", "b"], ["both"])


def test_an_exception_in_a_parallel_branch_fails_the_step_in_it_alone(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.tasklet(name, lambda _: None)
    bench.components.listeners = {"a": [HeardListener(failing("strict", "after_step"))]}
    execution = bench.run([parallel_step("both", flow(tasklet_step("a")), flow(tasklet_step("b")))])
    assert {step.step_name: step.status.name for step in execution.steps} == {
        "both": "FAILED",
        "a": "FAILED",
        "b": "COMPLETED",
    }


def test_on_filter_tells_of_items_that_a_processor_of_whole_chunks_dropped(bench: Bench) -> None:
    dropped: list[int] = []
    kept: list[tuple[int, int]] = []
    bench.items(numbered(5))
    bench.components.processors = {"load": [Dropping()]}
    bench.run(
        [chunk_step(items=2)],
        listeners=[
            listening(
                "it",
                on_filter=lambda _execution, _step, item: dropped.append(item["n"]),
                after_process=lambda _execution, _step, item, result: kept.append((item["n"], result["n"])),
            )
        ],
    )
    assert (dropped, kept) == ([1, 3, 5], [(2, 2), (4, 4)])


class FrameReader(ListItemReader):
    """Reads a frame, as the readers of files do."""

    def read(self, limit: int) -> Chunk | None:
        chunk = super().read(limit)
        return None if chunk is None else Chunk(frame=chunk.frame, origins=chunk._origins, position=chunk.position)


class FrameWriter(MemoryItemWriter):
    """Writes a frame; notes whether rows were made of its chunks."""

    made: list[bool]

    def prepare(self, chunk: Chunk) -> list[Item]:
        self.made.append(chunk.has_rows)
        return chunk.frame.to_dicts()


@pytest.mark.parametrize(
    ("point", "makes_rows"),
    [
        ("before_chunk", False),
        ("after_chunk", False),
        ("before_read", False),
        ("after_write", False),
        ("on_skip", False),
        ("after_read", True),
        ("before_process", True),
        ("after_process", True),
        ("on_filter", True),
    ],
)
def test_no_row_is_made_where_no_listener_hears_a_point_of_items(bench: Bench, point: str, makes_rows: bool) -> None:
    made: list[bool] = []
    FrameWriter.made = made
    bench.components.readers = {"load": lambda: FrameReader(numbered(4))}
    bench.components.writers = {"load": lambda: FrameWriter(bench.target)}
    bench.run([chunk_step()], listeners=[telling("it", [], point)])
    assert made == [makes_rows, makes_rows]


def test_progress_tells_how_far_the_reader_is(bench: Bench) -> None:
    seen: list[tuple[int | None, Progress]] = []
    bench.items(numbered(3))
    note = listening("it", after_chunk=lambda _e, _s, chunk, progress: seen.append((chunk and len(chunk), progress)))
    bench.run([chunk_step()], listeners=[note])
    assert [length for length, _ in seen] == [None, 2, 1]
    assert {progress.total for _, progress in seen} == {3}


def test_a_listener_error_keeps_its_cause(bench: Bench) -> None:
    error = ListenerError.at("after_job", failing("strict"), TaskletError("no disk"))
    assert str(error) == "listener 'strict' failed at after_job: no disk"


def tolerant() -> list[StepDefinition]:
    """Returns a step that skips any error and tries it again."""
    anything = ErrorRules(["Exception"])
    tolerance = ToleranceDefinition(
        skip=SkipDefinition(anything, None), retry=RetryDefinition(anything, 3, backoff=BackoffDefinition(timedelta(0)))
    )
    work = ChunkDefinition(component("reader"), component("writer"), (), CompletionDefinition(5), 2, tolerance)
    return [StepDefinition("load", work)]


@pytest.mark.parametrize("point", ["after_read", "before_process", "after_process", "before_write", "after_write"])
def test_what_a_listener_raises_is_neither_skipped_nor_tried_again(bench: Bench, point: str) -> None:
    calls: list[object] = []

    def fail(*_: object) -> None:
        calls.append(point)
        raise ValueError("no")

    bench.items(numbered(1))
    [step] = bench.run(tolerant(), listeners=[listening("strict", **{point: fail})]).steps
    assert (step.status, step.counts.skip, len(calls)) == (BatchStatus.FAILED, 0, 1)


def test_an_item_that_could_not_be_processed_is_skipped_and_not_filtered(bench: Bench) -> None:
    heard: list[tuple[str, int]] = []

    class Refusing:
        def process(self, item: Item) -> Item | None:
            if item["n"] == 2:
                raise ValueError("no")
            return None if item["n"] == 3 else item

    bench.items(numbered(4))
    bench.components.processors = {"load": [Refusing()]}
    hearing = listening(
        "it",
        after_process=lambda _execution, _step, item, _result: heard.append(("made", item["n"])),
        on_filter=lambda _execution, _step, item: heard.append(("filtered", item["n"])),
        on_skip=lambda _execution, _step, phase, item, _error: heard.append((f"skipped in {phase}", item["n"])),
    )
    [step] = bench.run(tolerant(), listeners=[hearing]).steps
    assert heard == [("made", 1), ("filtered", 3), ("made", 4), ("skipped in process", 2)]
    assert (step.counts.filter, step.counts.skip) == (1, 1)
