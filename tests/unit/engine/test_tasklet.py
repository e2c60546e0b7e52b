"""The tasklet step: calls, each with its transaction, and what a restart goes on with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import StepStoppedError
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from batchrun.testing.memory import Crash
from tests.unit.engine.bench import Bench, tasklet_step

transactional = pytest.mark.parametrize("transactional", [False, True], ids=["no transaction", "transaction"])


def counting(calls: int, at: Callable[[int], None] = lambda _count: None) -> Callable[[StepContribution], Any]:
    """A body of so many calls, that counts them in its context; `at` sees each count before it is committed."""

    def call(contribution: StepContribution) -> RepeatStatus:
        contribution.context.setdefault("seen", []).append(len(contribution.context.get("seen", [])) + 1)
        count = len(contribution.context["seen"])
        contribution.counts.write += 1
        at(count)
        return RepeatStatus.FINISHED if count == calls else RepeatStatus.CONTINUABLE

    return call


@transactional
def test_a_tasklet_is_called_until_it_is_finished(bench: Bench, transactional: bool) -> None:
    bench.tasklet("a", counting(3), transactional=transactional)
    step = bench.run([tasklet_step("a")]).steps[0]
    assert (step.status, step.counts.commit, step.counts.write) == (BatchStatus.COMPLETED, 3, 3)
    assert step.checkpoint.contexts["step"] == {"seen": [1, 2, 3]}


@transactional
def test_a_stop_between_two_calls_ends_stopped_and_a_restart_goes_on(bench: Bench, transactional: bool) -> None:
    seen: list[int] = []

    def at(count: int) -> None:
        seen.append(count)
        if count == 2:
            bench.stop.request()

    bench.tasklet("a", counting(4, at), transactional=transactional)
    stopped = bench.run([tasklet_step("a")])
    assert (stopped.status, stopped.steps[0].status) == (BatchStatus.STOPPED, BatchStatus.STOPPED)
    restarted = bench.run([tasklet_step("a")])
    assert (restarted.status, seen) == (BatchStatus.COMPLETED, [1, 2, 3, 4])
    assert restarted.steps[0].counts.commit == 2  # each attempt counts its own


@transactional
@pytest.mark.parametrize("end", [Crash, ValueError, StepStoppedError])
def test_a_restart_goes_on_with_the_context_of_the_last_committed_call(
    bench: Bench, transactional: bool, end: type[BaseException]
) -> None:
    seen: list[int] = []

    def at(count: int) -> None:
        seen.append(count)
        if seen.count(3) == 1 and count == 3:
            raise end

    bench.tasklet("a", counting(4, at), transactional=transactional)
    bench.run_until_done([tasklet_step("a")])
    if bench.repository.find_executions()[0].status is not BatchStatus.COMPLETED:
        bench.run([tasklet_step("a")])
    last = bench.repository.find_executions()[0]
    assert (last.status, seen) == (BatchStatus.COMPLETED, [1, 2, 3, 3, 4])
    assert last.steps[0].counts.write == 2


@transactional
def test_what_is_not_committed_is_not_in_the_target(bench: Bench, transactional: bool) -> None:
    def at(count: int) -> None:
        if count == 2:
            raise Crash

    bench.tasklet("a", counting(4, at), transactional=transactional)
    with pytest.raises(Crash):
        bench.run([tasklet_step("a")])
    if transactional:
        [(_, checkpoint)] = bench.target.checkpoints.values()
        assert (checkpoint.contexts["step"], checkpoint.counts.write) == ({"seen": [1]}, 1)


@transactional
def test_the_exit_status_of_an_earlier_call_outlives_a_crash(bench: Bench, transactional: bool) -> None:
    crashes = [Crash()]

    def call(contribution: StepContribution) -> RepeatStatus:
        if not contribution.context:
            contribution.context["said"] = True
            contribution.exit_status = ExitStatus("EMPTY")
            return RepeatStatus.CONTINUABLE
        if crashes:
            raise crashes.pop()
        return RepeatStatus.FINISHED

    bench.tasklet("a", call, transactional=transactional)
    assert bench.run_until_done([tasklet_step("a")]) == 2
    assert bench.repository.find_executions()[0].steps[0].exit_status == ExitStatus("EMPTY")


@transactional
def test_a_context_that_cannot_be_saved_fails_the_step_and_says_why(bench: Bench, transactional: bool) -> None:
    def call(contribution: StepContribution) -> None:
        contribution.context["day"] = date(2026, 7, 31)

    bench.tasklet("a", call, transactional=transactional)
    step = bench.run([tasklet_step("a")]).steps[0]
    assert step.status is BatchStatus.FAILED
    assert "the step's context cannot be saved: Object of type date" in step.exit_status.description
