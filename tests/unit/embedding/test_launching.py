"""Launching, restarting and looking back from Python."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import batchrun
from batchrun import BatchStatus, Job, JobExecution, Listener, Parameter, Step, StepExecution, Transition, deciders
from batchrun.errors import (
    DefinitionError,
    InstanceCompleteError,
    JobInCodeError,
    NoSuchExecutionError,
    RepositoryError,
    StillRunningError,
    UsageError,
)
from batchrun.spi import RepeatStatus
from batchrun.testing import JobBench, run_job
from batchrun.testing.memory import MemoryTarget
from batchrun.testing.memory_repository import MemoryJobRepository
from tests.unit.embedding.doubles import numbers


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[JobBench]:
    with JobBench(tmp_path) as bench:
        yield bench


def rows(target: MemoryTarget) -> list[int]:
    return [row["n"] for row in target.rows]


def test_a_job_built_in_code_runs_with_what_the_program_has(bench: JobBench) -> None:
    target = MemoryTarget()
    execution = bench.run(numbers(target, lambda item: {"n": item["n"] * 2}), day=date(2026, 7, 30))
    assert rows(target) == [0, 2, 4, 6, 8]
    assert (execution.completed, execution.failed, execution.parameters["day"]) == (True, False, date(2026, 7, 30))
    assert execution.step("copy").counts.commit == 3
    with pytest.raises(KeyError, match="no step 'load' in execution 1, which has copy"):
        execution.step("load")


def test_a_failed_execution_goes_on_behind_its_last_commit(bench: JobBench) -> None:
    target, seen = MemoryTarget(), []

    def fragile(item: dict[str, Any]) -> dict[str, Any]:
        seen.append(item["n"])
        if seen.count(3) == 1 and item["n"] == 3:
            raise ValueError("three")
        return item

    job = numbers(target, fragile)
    failed = bench.run(job)
    assert (failed.failed, rows(target)) == (True, [0, 1])
    assert "three" in failed.exit_status.description
    with pytest.raises(JobInCodeError):
        bench.restart(failed.id)
    assert bench.restart(job=job).completed
    assert rows(target) == [0, 1, 2, 3, 4]
    assert [each.id for each in bench.history()] == [2, 1]
    with pytest.raises(InstanceCompleteError):
        bench.run(job)


def test_parameters_are_given_by_keyword_and_by_name(bench: JobBench) -> None:
    job = Job(
        "x",
        parameters={"run.id": Parameter("integer"), "project": Parameter(), "length": Parameter("duration")},
        steps=[Step("a", tasklet=lambda: None)],
    )
    execution = bench.run(job, parameters={"run.id": 3, "project": "p"}, length=timedelta(minutes=1))
    assert execution.parameters.run_id == 3
    assert execution.parameters["length"] == timedelta(minutes=1)
    with pytest.raises(UsageError, match="parameter 'length' is given twice"):
        bench.run(job, parameters={"length": "1s"}, length="1s")
    with pytest.raises(DefinitionError, match=r"job 'x': unknown parameter 'lenght' \(did you mean 'length'\?\)"):
        bench.run(job, lenght="1s")


def test_listeners_of_the_caller_and_of_the_job_observe_the_run(bench: JobBench) -> None:
    told: list[str] = []

    class Watching(Listener):
        def __init__(self, name: str) -> None:
            self.name = name

        def after_step(self, execution: JobExecution, step: StepExecution) -> None:
            told.append(f"{self.name} {step.step_name}")

    job = Job("x", listeners=[Watching("job")], steps=[Step("a", tasklet=lambda: None, listeners=[Watching("step")])])
    bench.run(job, listeners=[Watching("caller")])
    assert told == ["step a", "job a", "caller a"]


def test_flows_decisions_branches_and_child_jobs_are_built_in_code_too(bench: JobBench) -> None:
    ran: list[str] = []
    lock = threading.Lock()

    def note(name: str) -> Any:
        def run() -> None:
            with lock:
                ran.append(name)

        return run

    child = Job("child", parameters={"n": Parameter("integer")}, steps=[Step("work", tasklet=note("child"))])
    job = Job(
        "x",
        steps=[
            Step("which", decision=lambda params: "BOTH"),
            Step("both", parallel=[["left"], Step("right", steps=[Step("inner", tasklet=note("inner"))])]),
            Step("left", tasklet=note("left")),
            Step("last", job={"name": child, "parameters": {"n": 3}}),
            Step("never", tasklet=note("never")),
        ],
        flow=[
            Transition("which", on="BOTH", to="both"),
            Transition("which", on="*", to="never"),
            Transition("both", to="last"),
            Transition("last", end="DONE"),
        ],
    )
    execution = bench.run(job)
    assert (execution.exit_status.code, sorted(ran)) == ("DONE", ["child", "inner", "left"])
    assert [each.job_name for each in bench.history()] == ["child", "x"]


def test_a_decider_by_name_and_its_mistakes_are_those_of_a_file(bench: JobBench) -> None:
    job = Job("x", steps=[Step("which", decision=deciders.expression(wen=[], otherwise="A"))])
    with pytest.raises(DefinitionError, match=r"steps\[0\].decision.wen: unknown option 'wen' of decider 'expression'"):
        bench.run(job)


def test_a_job_of_a_file_is_tested_with_other_ends(bench: JobBench) -> None:
    bench.write(
        "load.yaml",
        "name: load\nsteps:\n- name: copy\n  reader: {type: csv, path: in.csv}\n"
        "  processors: [{type: python, call: 'own:twice'}]\n  writer: {type: csv, path: out.csv}\n",
    )
    bench.write("own.py", "def twice(item): return {'n': item['n'] * 2}\n")
    target = MemoryTarget()
    ends = numbers(target).keys["steps"][0].keys
    job = Job.load(bench.path("load.yaml")).with_step("copy", reader=ends["reader"], writer=ends["writer"])
    assert bench.run(job).completed
    assert rows(target) == [0, 2, 4, 6, 8]


def test_a_run_that_needs_no_folder_leaves_nothing() -> None:
    target = MemoryTarget()
    job = numbers(target)
    assert run_job(job).completed
    assert run_job(job).completed, "in another repository it is another instance"
    assert rows(target)[:5] == [0, 1, 2, 3, 4]


def test_validate_returns_warnings_and_raises_errors() -> None:
    assert batchrun.validate(numbers(MemoryTarget())) == ()
    with pytest.raises(DefinitionError, match="'steps' of the job must not be empty"):
        batchrun.validate(Job("x", steps=[]))


def test_the_history_is_found_by_job_status_time_and_parameter(bench: JobBench) -> None:
    for day in (29, 30):
        bench.run(numbers(MemoryTarget()), day=date(2026, 7, day))

    def found(*jobs: str, **options: Any) -> list[int]:
        executions = batchrun.history(*jobs, repository=bench.repository, project=bench.folder, **options)
        return [each.id for each in executions]

    assert found() == found("num*") == found(status=BatchStatus.COMPLETED) == [2, 1]
    assert found("other") == found(status=[BatchStatus.FAILED]) == []
    assert found(parameters={"day": date(2026, 7, 30)}) == [2]
    assert found(limit=1) == [2]
    assert found(since=timedelta(hours=1)) == found(since=date(2020, 1, 1)) == [2, 1]
    assert found(until=date(2020, 1, 1)) == []
    assert batchrun.show(repository=bench.repository, project=bench.folder).id == 2
    with pytest.raises(NoSuchExecutionError):
        batchrun.show(7, repository=bench.repository, project=bench.folder)


class Gate:
    """A tasklet that says when it runs, and runs until it is let go or asked to stop."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, should_stop: Any) -> RepeatStatus:
        self.entered.set()
        while not self.released.wait(0.01):
            if should_stop():
                return RepeatStatus.CONTINUABLE
        return RepeatStatus.FINISHED

    def job(self) -> Job:
        return Job("gate", parameters={"n": Parameter("integer")}, steps=[Step("wait", tasklet=self)])


def test_a_handle_has_an_id_at_once_and_waits_for_the_end(bench: JobBench) -> None:
    gate = Gate()
    run = bench.start(gate.job())
    assert gate.entered.wait(10)
    assert (run.id, run.status, repr(run)) == (1, BatchStatus.STARTED, "<run of execution 1>")
    with pytest.raises(StillRunningError, match="execution 1 of job 'gate' goes on"):
        run.wait(timedelta(0))
    gate.released.set()
    assert run.wait(10).completed
    assert run.execution.completed


def test_of_two_runs_at_once_one_is_stopped_and_signals_stay_as_they_are(bench: JobBench) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    gates = [Gate(), Gate()]
    runs = [bench.start(gate.job(), n=number) for number, gate in enumerate(gates)]
    assert all(gate.entered.wait(10) for gate in gates)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    runs[0].stop()
    assert runs[0].wait(10).status is BatchStatus.STOPPED
    assert runs[1].status is BatchStatus.STARTED
    gates[1].released.set()
    assert runs[1].wait(10).completed


def test_what_goes_wrong_before_the_execution_exists_is_raised_by_start(bench: JobBench) -> None:
    with pytest.raises(DefinitionError, match="expected an integer, got 'x'"):
        bench.start(Gate().job(), n="x")
    assert bench.history() == []


def test_a_block_that_fails_stops_the_run_and_one_that_ends_waits_for_it(bench: JobBench) -> None:
    gate = Gate()
    run = bench.start(gate.job())

    def fail() -> None:
        with run:
            assert gate.entered.wait(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert run.execution.status is BatchStatus.STOPPED
    gate.released.set()
    with bench.start(gate.job()) as run:
        pass
    assert run.execution.completed


def test_an_error_that_ends_the_run_is_raised_by_wait(bench: JobBench) -> None:
    def fail(point: str) -> None:
        if point == "job.saved" and gate.entered.is_set():
            raise RepositoryError("the disk is full")

    gate = Gate()
    gate.released.set()
    assert isinstance(bench.repository, MemoryJobRepository)
    bench.repository.point = fail
    run = bench.start(gate.job())
    with pytest.raises(RepositoryError, match="the disk is full") as ended:
        run.wait(10)
    assert ended.value.execution_id == run.id
    assert ended.value.hint == f"batchrun restart {run.id} goes on at the last commit, once it can be used again"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "job 'gate' is built in code: that is not for a process of its own"),
        ({"listeners": [Listener()]}, "listeners, a project and a repository's object: that is not for a process"),
    ],
)
def test_a_process_of_its_own_takes_no_objects(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        batchrun.start("gate" if options else Gate().job(), process=True, **options)
