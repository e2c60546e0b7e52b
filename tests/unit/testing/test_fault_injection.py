"""What fails on purpose does so where it was told to, and as often: in Python and in job files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from batchrun import Job, Step
from batchrun.domain.tolerance import BackoffDefinition, ErrorRules, RetryDefinition
from batchrun.errors import DatabaseError, DefinitionError, ParseError, WriteError
from batchrun.testing import JobBench
from batchrun.testing.clock import ManualClock
from batchrun.testing.faults import FailingItemProcessor, FailingItemReader, FailingItemWriter, Faults
from batchrun.testing.memory import ListItemReader, MemoryItemWriter, MemoryTarget
from tests.unit.engine.bench import Bench
from tests.unit.engine.test_faults import load

ITEMS: list[dict[str, Any]] = [{"id": number} for number in range(1, 8)]
JOB = """\
name: failing
steps:
  - name: load
    chunk: 3
    reader:
      type: "batchrun.testing.faults:FailingReader"
      column: id
      values: [2, 3]
      reader: {type: csv, path: in.csv, columns: {id: integer}}
    writer:
      type: "batchrun.testing.faults:FailingWriter"
      column: id
      values: [4, 5]
      error: ERROR
      writer: {type: csv, path: out.csv}
    skip: {errors: [ParseError, WriteError], limit: 4}
    retry: {errors: [DatabaseError], limit: 2, backoff: {initial: 1ms}}
"""


def run(reader: Any, processor: Any, writer: Any, target: MemoryTarget) -> Any:
    step = Step(
        "load",
        chunk=3,
        reader=reader(ListItemReader(ITEMS)),
        processors=[processor],
        writer=lambda: writer(MemoryItemWriter(target)),
        skip={"errors": ["ParseError", "ValueError", "WriteError"], "limit": 10},
    )
    with JobBench() as bench:
        return bench.run(Job("failing", steps=[step]))


def test_items_fail_where_they_are_read_processed_and_written() -> None:
    target = MemoryTarget()
    execution = run(
        lambda inner: FailingItemReader(inner, Faults("id", [2, 3], error=ParseError)),
        FailingItemProcessor(Faults("id", [6])),
        lambda inner: FailingItemWriter(inner, Faults("id", [4, 5], error=WriteError)),
        target,
    )
    counts = execution.step("load").counts
    assert (counts.read_skip, counts.process_skip, counts.write_skip) == (2, 1, 2)
    assert target.rows == [{"id": 1}, {"id": 7}]


def test_a_fault_strikes_as_often_as_it_is_to() -> None:
    faults = Faults("id", [3, "x"], times=2, error=lambda message: DatabaseError("db", message))
    assert [faults.of({"id": each}) is None for each in (1, 3, 3, 3, "x", None)] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert "injected fault at id 3" in str(Faults("id", [3]).of({"id": 3}))


def test_a_job_file_names_them_and_what_they_wrap() -> None:
    with JobBench() as bench:
        bench.write("in.csv", "id\n1\n2\n3\n4\n5\n6\n7\n")
        bench.write("failing.yaml", JOB.replace("ERROR", "WriteError"))
        execution = bench.run(bench.path("failing.yaml"))
        counts = execution.step("load").counts
        assert (counts.read_skip, counts.process_skip, counts.write_skip) == (2, 0, 2)
        assert bench.read("out.csv").split() == ["id", "1", "6", "7"]


def test_a_restart_in_the_same_process_goes_on_counting() -> None:
    with JobBench() as bench:
        bench.write("in.csv", "id\n1\n4\n")
        bench.write("failing.yaml", JOB.replace("ERROR", "OutputError\n      times: 1"))
        failed = bench.run(bench.path("failing.yaml"))
        assert failed.status.name == "FAILED"
        assert bench.restart(failed.id).status.name == "COMPLETED"
        assert bench.read("out.csv").split() == ["id", "1", "4"]


def test_an_error_that_there_is_not_is_an_error_of_the_file() -> None:
    with JobBench() as bench:
        bench.write("failing.yaml", JOB.replace("ERROR", "int"))
        with pytest.raises(DefinitionError, match="there is no error 'int' to fail with"):
            bench.run(bench.path("failing.yaml"))


def test_a_clock_moves_when_it_is_moved_or_slept_on() -> None:
    clock = ManualClock()
    clock.pass_(2.5)
    clock.sleep(1)
    assert (clock(), clock.slept) == (3.5, [1])
    with pytest.raises(ValueError, match="cannot pass"):
        clock.pass_(-1)


@pytest.mark.parametrize(("timeout", "attempts"), [(0.0, 1), (1.0, 2), (2.5, 4)])
def test_a_retry_timeout_is_measured_by_the_clock_of_the_run(timeout: float, attempts: int) -> None:
    clock, bench = ManualClock(), Bench()
    bench.clock, bench.sleep = clock, clock.sleep
    bench.items(ITEMS)
    tried: list[float] = []

    class Refusing(MemoryItemWriter):
        def write(self, prepared: Any) -> int:
            tried.append(clock())
            raise OSError("not now")

    writer: Callable[[], MemoryItemWriter] = lambda: Refusing(bench.target)  # noqa: E731
    bench.components.writers = {"load": writer}
    backoff = BackoffDefinition(timedelta(seconds=1))
    retry = RetryDefinition(ErrorRules(["OSError"]), 10, timedelta(seconds=timeout), backoff)
    assert bench.run(load(retry=retry)).status.name == "FAILED"
    assert len(tried) == attempts
    assert tried == pytest.approx(range(attempts))
