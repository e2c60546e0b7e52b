"""The flow: order, transitions, position and restart (SEMANTICS sections 3 and 4)."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable

import pytest

from batchrun.domain.definition import StepDefinition, Transition
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import TaskletError
from batchrun.spi.listener import Listener
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from batchrun.testing.memory import Crash
from tests.unit.engine.bench import Bench, tasklet_step


class Script:
    """Tasklets that end as they are told: an exit code, or an exception to raise; they note that they ran."""

    def __init__(self, bench: Bench, **says: str | BaseException) -> None:
        self.ran: list[str] = []
        self.says: dict[str, str | BaseException] = says
        self.bench = bench

    def steps(self, *names: str, **options: dict[str, object]) -> list[StepDefinition]:
        for name in names:
            self.bench.tasklet(name, self._body(name))
        return [tasklet_step(name, **options.get(name, {})) for name in names]

    def _body(self, name: str) -> Callable[[StepContribution], RepeatStatus | None]:
        def body(contribution: StepContribution) -> None:
            self.ran.append(name)
            said = self.says.get(name, "COMPLETED")
            if isinstance(said, BaseException):
                raise said
            contribution.exit_status = ExitStatus(said)

        return body


def edge(source: str, on: str = "COMPLETED*", **outcome: str) -> Transition:
    return Transition(source, on, **outcome)


def test_without_a_flow_steps_run_in_order(bench: Bench) -> None:
    script = Script(bench)
    execution = bench.run(script.steps("a", "b", "c"))
    assert (execution.status, script.ran) == (BatchStatus.COMPLETED, ["a", "b", "c"])
    assert execution.flow.path == ("a", "b", "c")


def test_without_a_flow_the_first_that_does_not_complete_fails_the_job(bench: Bench) -> None:
    script = Script(bench, b=TaskletError("no disk"))
    execution = bench.run(script.steps("a", "b", "c"))
    assert (execution.status, script.ran) == (BatchStatus.FAILED, ["a", "b"])
    assert execution.exit_status == ExitStatus("FAILED", "step 'b': no disk")


def test_a_restart_skips_completed_steps(bench: Bench) -> None:
    script = Script(bench, b=TaskletError("no disk"))
    bench.run(script.steps("a", "b", "c"))
    script.says = {}
    execution = bench.run(script.steps("a", "b", "c"))
    assert (execution.status, script.ran) == (BatchStatus.COMPLETED, ["a", "b", "b", "c"])


def test_listeners_hear_of_the_steps_that_a_restart_does_not_run(bench: Bench) -> None:
    class Hearing(Listener):
        heard: list[tuple[str, str]] = []

        def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
            self.heard.append((step.step_name, step.status.name))

    script = Script(bench, c=TaskletError("no disk"))
    bench.run(script.steps("a", "b", "c"))
    bench.run(script.steps("a", "b", "c"), listeners=[Hearing()])
    assert Hearing.heard == [("a", "COMPLETED"), ("b", "COMPLETED")]


def test_a_step_may_start_again_although_it_completed(bench: Bench) -> None:
    again = {"a": {"allow_start_if_complete": True}}
    script = Script(bench, c=TaskletError("no disk"))
    bench.run(script.steps("a", "b", "c", **again))
    script.says = {}
    execution = bench.run(script.steps("a", "b", "c", **again))
    assert (execution.status, script.ran) == (BatchStatus.COMPLETED, ["a", "b", "c", "a", "c"])


def test_a_rerun_step_that_fails_is_where_the_next_restart_begins(bench: Bench) -> None:
    again = {"a": {"allow_start_if_complete": True}}
    script = Script(bench, b=TaskletError("no disk"))
    bench.run(script.steps("a", "b", **again))
    script.says = {"a": TaskletError("now this")}
    second = bench.run(script.steps("a", "b", **again))
    assert (second.status, second.flow.path) == (BatchStatus.FAILED, ("a",))
    script.says = {}
    third = bench.run(script.steps("a", "b", **again))
    assert (third.status, script.ran) == (BatchStatus.COMPLETED, ["a", "b", "a", "a", "b"])


def test_start_limit_counts_the_starts_of_the_instance(bench: Bench) -> None:
    limited = {"a": {"start_limit": 2}}
    script = Script(bench, a=TaskletError("no disk"))
    for _ in range(2):
        bench.run(script.steps("a", **limited))
    script.says = {}
    execution = bench.run(script.steps("a", **limited))
    assert (execution.status, script.ran) == (BatchStatus.FAILED, ["a", "a"])
    assert "started 2 times, which is its start_limit" in execution.exit_status.description


def test_the_exit_code_chooses_the_transition(bench: Bench) -> None:
    edges = [edge("a", "EMPTY", to="c"), edge("a", "*", to="b"), edge("b", to="c")]
    script = Script(bench, a="EMPTY")
    bench.run(script.steps("a", "b", "c"), edges)
    assert script.ran == ["a", "c"]


def test_a_failed_step_that_the_flow_moved_past_is_not_run_again(bench: Bench) -> None:
    edges = [edge("a", "FAILED", to="b"), edge("a", to="c"), edge("b", to="c")]
    script = Script(bench, a=TaskletError("expected"), c=TaskletError("no disk"))
    assert bench.run(script.steps("a", "b", "c"), edges).status is BatchStatus.FAILED
    script.says = {"a": TaskletError("expected")}
    assert bench.run(script.steps("a", "b", "c"), edges).status is BatchStatus.COMPLETED
    assert script.ran == ["a", "b", "c", "c"]


def test_an_exit_code_without_a_transition_fails_the_job_and_says_so(bench: Bench) -> None:
    script = Script(bench, a="ODD")
    execution = bench.run(script.steps("a", "b"), [edge("a", to="b")])
    assert execution.status is BatchStatus.FAILED
    assert execution.exit_status.description == "no transition of step 'a' takes its exit code 'ODD'"


def test_a_failed_step_without_a_transition_keeps_its_own_description(bench: Bench) -> None:
    script = Script(bench, a=TaskletError("no disk"))
    execution = bench.run(script.steps("a", "b"), [edge("a", to="b")])
    assert execution.exit_status == ExitStatus("FAILED", "step 'a': no disk")


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ("COMPLETED", BatchStatus.COMPLETED),
        ("COMPLETED WITH REMARKS", BatchStatus.COMPLETED),
        ("ODD", BatchStatus.FAILED),
    ],
)
def test_a_state_without_transitions_ends_the_job(bench: Bench, says: str, status: BatchStatus) -> None:
    script = Script(bench, b=says)
    execution = bench.run(script.steps("a", "b"), [edge("a", to="b")])
    assert (execution.status, execution.exit_status.code) == (status, says)


def test_end_completes_the_job_even_after_a_failure(bench: Bench) -> None:
    script = Script(bench, a=TaskletError("no disk"))
    execution = bench.run(script.steps("a", "b"), [edge("a", "FAILED", end="NOTHING TO DO"), edge("a", to="b")])
    assert (execution.status, execution.exit_status.code) == (BatchStatus.COMPLETED, "NOTHING TO DO")


def test_fail_fails_the_job_with_its_exit_code(bench: Bench) -> None:
    script = Script(bench)
    execution = bench.run(script.steps("a", "b"), [edge("a", "*", fail="BAD INPUT"), edge("b", to="a")])
    assert (execution.status, execution.exit_status.code) == (BatchStatus.FAILED, "BAD INPUT")


@pytest.mark.parametrize(("restart", "ran"), [(None, ["a", "b", "c"]), ("c", ["a", "c"])])
def test_stop_says_where_the_next_execution_begins(bench: Bench, restart: str | None, ran: list[str]) -> None:
    edges = [Transition("a", stop="WAIT", restart=restart), edge("b", to="c")]
    script = Script(bench)
    first = bench.run(script.steps("a", "b", "c"), edges)
    assert (first.status, first.exit_status.code) == (BatchStatus.STOPPED, "WAIT")
    assert bench.run(script.steps("a", "b", "c"), edges).status is BatchStatus.COMPLETED
    assert script.ran == ran


def test_a_loop_runs_a_completed_step_again_and_restarts_in_its_own_round(bench: Bench) -> None:
    edges = [edge("a", to="b"), edge("b", "AGAIN", to="a"), edge("b", to="c")]
    script = Script(bench, b="AGAIN")
    rounds = iter(["AGAIN", "AGAIN", Crash(), "COMPLETED"])

    def body(contribution: StepContribution) -> None:
        script.ran.append("b")
        said = next(rounds)
        if isinstance(said, BaseException):
            raise said
        contribution.exit_status = ExitStatus(said)

    steps = script.steps("a", "b", "c")
    bench.tasklet("b", body)
    with pytest.raises(Crash):
        bench.run(steps, edges)
    execution = bench.run(steps, edges)
    assert execution.flow.path == ("a", "b", "c")
    assert execution.flow.visits == {"a": 3, "b": 3, "c": 1}
    assert script.ran == ["a", "b", "a", "b", "a", "b", "b", "c"]


def test_a_stop_between_steps_is_restartable(bench: Bench) -> None:
    script = Script(bench)
    steps = script.steps("a", "b")
    bench.tasklet("a", lambda contribution: bench.stop.request())
    first = bench.run(steps)
    assert (first.status, first.flow.path) == (BatchStatus.STOPPED, ("a", "b"))
    assert first.exit_status.description == "stopped before step 'b'"
    assert bench.run(steps).status is BatchStatus.COMPLETED
    assert script.ran == ["b"]


def test_a_tasklet_continues_with_its_context(bench: Bench) -> None:
    def body(contribution: StepContribution) -> RepeatStatus:
        done = contribution.context.get("done", 0) + 1
        contribution.context["done"] = done
        contribution.counts.write += 1
        if done == 2 and not died:
            died.append(True)
            raise Crash
        return RepeatStatus.FINISHED if done == 3 else RepeatStatus.CONTINUABLE

    died: list[bool] = []
    bench.tasklet("a", body)
    with pytest.raises(Crash):
        bench.run([tasklet_step("a")])
    execution = bench.run([tasklet_step("a")])
    assert execution.status is BatchStatus.COMPLETED
    assert [each.steps[0].counts.write for each in bench.repository.find_executions()] == [2, 1]


def test_a_transactional_tasklet_is_not_done_twice(bench: Bench) -> None:
    calls: list[int] = []

    def body(contribution: StepContribution) -> None:
        calls.append(1)
        contribution.exit_status = ExitStatus("COMPLETED BY HAND")

    def die_once(name: str) -> None:
        if name == "target.committed" and len(calls) == 1:
            bench.target.point = lambda name: None
            raise Crash

    bench.tasklet("a", body, transactional=True)
    bench.target.point = die_once
    with pytest.raises(Crash):
        bench.run([tasklet_step("a")])
    execution = bench.run([tasklet_step("a")])
    assert (len(calls), execution.exit_status.code) == (1, "COMPLETED BY HAND")
    assert bench.target.checkpoints == {}


def test_an_exception_of_a_tasklet_is_described_by_its_class_and_text(bench: Bench) -> None:
    script = Script(bench, a=ZeroDivisionError("by zero"))
    execution = bench.run(script.steps("a"))
    assert execution.exit_status.description == "step 'a': ZeroDivisionError: by zero"


@pytest.mark.parametrize("raised", [SystemExit(0), CancelledError(), GeneratorExit()], ids=repr)
def test_what_is_no_exception_but_raised_by_a_component_fails_its_step(bench: Bench, raised: BaseException) -> None:
    script = Script(bench, a=raised)
    execution = bench.run(script.steps("a", "b"))
    assert (execution.status, script.ran) == (BatchStatus.FAILED, ["a"])


def test_a_restart_goes_on_though_a_step_before_is_gone(bench: Bench) -> None:
    """As `--allow-changed` permits."""
    outcomes = iter([ValueError("not yet"), None])

    def last(contribution: StepContribution) -> None:
        if error := next(outcomes):
            raise error

    bench.tasklet("one", lambda contribution: None)
    bench.tasklet("two", last)
    bench.run([tasklet_step("one"), tasklet_step("two")])
    restarted = bench.run([tasklet_step("two")])
    assert (restarted.status, restarted.exit_status.description) == (BatchStatus.COMPLETED, "")
