"""Parallel branches, nested flows, decisions and child jobs: how they end together and where a restart begins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from batchrun.domain.definition import ChildJobDefinition, StepDefinition
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import InstanceCompleteError, TaskletError
from batchrun.spi.source import StepStart
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from tests.support.signals import signalled
from tests.unit.engine.bench import Bench, decision_step, flow, parallel_step, tasklet_step
from tests.unit.engine.test_flow import Script, edge


def named(execution: JobExecution, name: str) -> StepExecution:
    return next(step for step in execution.steps if step.step_name == name)


def test_branches_run_at_the_same_time(bench: Bench) -> None:
    meet = threading.Barrier(3)
    for name in ("a", "b", "c"):
        bench.tasklet(name, lambda _contribution: meet.wait(5) and None)
    branches = [flow(tasklet_step(name)) for name in ("a", "b", "c")]
    assert bench.run([parallel_step("split", *branches)]).status is BatchStatus.COMPLETED


def test_branches_inside_branches_wait_for_no_free_thread(bench: Bench) -> None:
    meet = threading.Barrier(8)

    def split(name: str, depth: int) -> StepDefinition:
        if depth == 0:
            bench.tasklet(name, lambda _contribution: meet.wait(5) and None)
            return tasklet_step(name)
        return parallel_step(name, *(flow(split(f"{name}{side}", depth - 1)) for side in "lr"))

    assert bench.run([split("s", 3)]).status is BatchStatus.COMPLETED


def test_a_failing_branch_does_not_cancel_the_others(bench: Bench) -> None:
    script = Script(bench, a=TaskletError("no disk"))
    a, b, c = script.steps("a", "b", "c")
    execution = bench.run([parallel_step("split", flow(a), flow(b, c))])
    assert execution.status is BatchStatus.FAILED
    assert execution.exit_status.description == "step 'split': step 'a': no disk"
    assert sorted(script.ran) == ["a", "b", "c"]


def test_a_restart_runs_only_the_branches_that_did_not_complete(bench: Bench) -> None:
    script = Script(bench, c=TaskletError("no disk"))

    def steps() -> list[StepDefinition]:
        a, b, c, d, e = script.steps("a", "b", "c", "d", "e")
        return [a, parallel_step("split", flow(b), flow(c, d)), e]

    bench.run(steps())
    script.says, script.ran = {}, []
    assert bench.run(steps()).status is BatchStatus.COMPLETED
    assert script.ran == ["c", "d", "e"]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_status_of_branches_is_the_most_severe_whatever_their_order(bench: Bench, order: tuple[str, str]) -> None:
    script = Script(bench, a="COMPLETED WITH SKIPS")
    branches = [flow(step) for step in script.steps(*order)]
    execution = bench.run([parallel_step("split", *branches)])
    assert (execution.status, execution.exit_status.code) == (BatchStatus.COMPLETED, "COMPLETED WITH SKIPS")


def test_the_flow_goes_on_by_the_exit_code_of_branches(bench: Bench) -> None:
    script = Script(bench, b="COMPLETED WITH SKIPS")
    a, b, c, d = script.steps("a", "b", "c", "d")
    edges = [edge("split", "COMPLETED", to="c"), edge("split", "COMPLETED WITH SKIPS", to="d")]
    bench.run([parallel_step("split", flow(a), flow(b)), c, d], edges)
    assert script.ran[-1] == "d"


def test_states_inside_have_the_state_around_them_as_parent(bench: Bench) -> None:
    script = Script(bench)
    a, b = script.steps("a", "b")
    execution = bench.run([parallel_step("outer", flow(parallel_step("inner", flow(a))), flow(b))])
    parents = {step.step_name: step.parent_id for step in execution.steps}
    outer, inner = named(execution, "outer").id, named(execution, "inner").id
    assert parents == {"outer": None, "inner": outer, "a": inner, "b": outer}


def test_a_nested_flow_has_transitions_of_its_own(bench: Bench) -> None:
    script = Script(bench, **{"checks.a": "EMPTY"})
    a, b, after = script.steps("checks.a", "checks.b", "after")
    inner = flow(a, b, transitions=[edge("checks.a", "EMPTY", end="NOTHING"), edge("checks.a", to="checks.b")])
    edges = [edge("checks", "NOTHING", to="after")]
    execution = bench.run([StepDefinition("checks", inner), after], edges)
    assert (execution.status, script.ran) == (BatchStatus.COMPLETED, ["checks.a", "after"])


def test_a_stop_inside_a_nested_flow_goes_on_there(bench: Bench) -> None:
    script = Script(bench)
    a, b, after = script.steps("in.a", "in.b", "after")

    def steps() -> list[StepDefinition]:
        inner = flow(a, b, transitions=[edge("in.a", stop="PAUSED"), edge("in.b", end="COMPLETED")])
        return [StepDefinition("in", inner), after]

    first = bench.run(steps())
    assert (first.status, script.ran) == (BatchStatus.STOPPED, ["in.a"])
    assert bench.run(steps()).status is BatchStatus.COMPLETED
    assert script.ran == ["in.a", "in.b", "after"]


def test_a_loop_through_branches_runs_them_anew(bench: Bench) -> None:
    script = Script(bench)
    a, b = script.steps("a", "b")
    answers = iter(["AGAIN", "AGAIN", "DONE"])
    bench.decides("enough", lambda _facts: next(answers))
    steps = [parallel_step("split", flow(a), flow(b)), decision_step("enough")]
    edges = [edge("split", to="enough"), edge("enough", "AGAIN", to="split"), edge("enough", "DONE", end="COMPLETED")]
    execution = bench.run(steps, edges)
    assert (execution.status, sorted(script.ran)) == (BatchStatus.COMPLETED, ["a"] * 3 + ["b"] * 3)
    assert [step.visit for step in execution.steps if step.step_name == "a"] == [1, 2, 3]


# --- decisions ---


def test_a_decision_goes_by_what_came_of_the_steps(bench: Bench) -> None:
    def load(contribution: StepContribution) -> None:
        contribution.counts.write = 7

    bench.tasklet("load", load)
    bench.decides("enough", lambda facts: "OK" if facts["steps"]["load"]["write_count"] == 7 else "EMPTY")
    script = Script(bench)
    after = script.steps("after")
    edges = [edge("load", to="enough"), edge("enough", "OK", to="after"), edge("enough", "EMPTY", end="COMPLETED")]
    execution = bench.run([tasklet_step("load"), decision_step("enough"), *after], edges)
    assert (script.ran, named(execution, "enough").exit_status.code) == (["after"], "OK")


def test_a_decision_is_not_taken_again_by_a_restart(bench: Bench) -> None:
    taken: list[str] = []

    def decide(_facts: object) -> str:
        taken.append("now")
        return "OK"

    bench.decides("enough", decide)
    script = Script(bench, after=TaskletError("no disk"))
    steps = [decision_step("enough"), *script.steps("after")]
    edges = [edge("enough", "OK", to="after")]
    bench.run(steps, edges)
    script.says = {}
    assert bench.run(steps, edges).status is BatchStatus.COMPLETED
    assert (len(taken), script.ran) == (1, ["after", "after"])


def test_a_decision_that_is_to_be_taken_again_may_lead_elsewhere(bench: Bench) -> None:
    answers = iter(["LEFT", "RIGHT"])
    bench.decides("way", lambda _facts: next(answers))
    script = Script(bench, left=TaskletError("no disk"))
    steps = [decision_step("way", allow_start_if_complete=True), *script.steps("left", "right")]
    edges = [edge("way", "LEFT", to="left"), edge("way", "RIGHT", to="right")]
    bench.run(steps, edges)
    assert bench.run(steps, edges).status is BatchStatus.COMPLETED
    assert script.ran == ["left", "right"]


def test_facts_are_of_all_attempts_at_the_last_visit(bench: Bench) -> None:
    calls = iter([7, TaskletError("no disk"), 5])

    def load(contribution: StepContribution) -> RepeatStatus:
        said = next(calls)
        if isinstance(said, Exception):
            raise said
        contribution.counts.write += said
        return RepeatStatus.CONTINUABLE if said == 7 else RepeatStatus.FINISHED

    bench.tasklet("load", load)
    seen: list[object] = []

    def decide(facts: dict[str, dict[str, object]]) -> str:
        seen.append(facts["steps"]["load"])
        return "COMPLETED"

    bench.decides("enough", decide)
    steps = [tasklet_step("load"), decision_step("enough")]
    bench.run(steps)
    bench.run(steps)
    ((facts),) = seen
    assert isinstance(facts, dict)
    assert (facts["write_count"], facts["status"], facts["visit"]) == (12, "COMPLETED", 1)


@pytest.mark.parametrize(
    ("answer", "described"),
    [
        (lambda _facts: 3, "the decider returned 3 where an exit code is expected"),
        (lambda _facts: "", "the decider returned '' where an exit code is expected"),
        (lambda _facts: 1 // 0, "ZeroDivisionError"),
    ],
)
def test_a_decision_that_cannot_be_taken_fails(bench: Bench, answer: Callable[[object], str], described: str) -> None:
    bench.decides("enough", answer)
    execution = bench.run([decision_step("enough")])
    assert execution.status is BatchStatus.FAILED
    assert f"decision 'enough' could not be taken: {described}" in execution.exit_status.description


# --- loops, time and context ---


def test_max_visits_ends_a_loop(bench: Bench) -> None:
    script = Script(bench, a="AGAIN")
    execution = bench.run(script.steps("a", a={"max_visits": 3}), [edge("a", "AGAIN", to="a"), edge("a", end="OK")])
    assert (execution.status, script.ran) == (BatchStatus.FAILED, ["a"] * 3)
    assert "has entered step 'a' 3 times, which is its max_visits" in execution.exit_status.description


def test_visits_are_counted_over_executions(bench: Bench) -> None:
    script = Script(bench)
    says = iter(["AGAIN", TaskletError("no disk"), "AGAIN", "AGAIN"])

    def body(contribution: StepContribution) -> None:
        script.ran.append("a")
        said = next(says)
        if isinstance(said, Exception):
            raise said
        contribution.exit_status = ExitStatus(said)

    bench.tasklet("a", body)
    steps, edges = [tasklet_step("a", max_visits=3)], [edge("a", "AGAIN", to="a"), edge("a", end="OK")]
    bench.run(steps, edges)
    execution = bench.run(steps, edges)
    assert "max_visits" in execution.exit_status.description
    assert script.ran == ["a"] * 4


def test_a_step_that_takes_too_long_fails_and_goes_on_after_a_restart(bench: Bench) -> None:
    calls: list[int] = []

    def body(contribution: StepContribution) -> RepeatStatus:
        contribution.context["calls"] = contribution.context.get("calls", 0) + 1
        calls.append(contribution.context["calls"])
        return RepeatStatus.CONTINUABLE if len(calls) < 3 else RepeatStatus.FINISHED

    bench.tasklet("slow", body)
    execution = bench.run([tasklet_step("slow", timeout=timedelta(0))])
    assert execution.status is BatchStatus.FAILED
    assert "step 'slow' took longer than its timeout of 0 s" in execution.exit_status.description
    assert bench.run([tasklet_step("slow")]).status is BatchStatus.COMPLETED
    assert calls == [1, 2, 3]


def test_the_time_of_a_state_ends_what_runs_inside_it(bench: Bench) -> None:
    bench.tasklet("forever", lambda _contribution: RepeatStatus.CONTINUABLE)
    inner = flow(tasklet_step("forever"))
    execution = bench.run([parallel_step("split", inner, timeout=timedelta(milliseconds=20))])
    assert execution.status is BatchStatus.FAILED
    assert named(execution, "forever").status is BatchStatus.STOPPED
    assert "step 'split' took longer" in named(execution, "split").exit_status.description


def test_promoted_keys_reach_the_job_and_survive_a_restart(bench: Bench) -> None:
    def find(contribution: StepContribution) -> None:
        contribution.context["day"] = "2026-07-30"

    bench.tasklet("find", find)
    script = Script(bench, after=TaskletError("no disk"))
    steps = [tasklet_step("find", promote=["day"]), *script.steps("after")]
    bench.run(steps)
    script.says = {}
    assert bench.run(steps).context == {"day": "2026-07-30"}


def test_a_key_that_is_not_there_to_promote_fails_the_step(bench: Bench) -> None:
    script = Script(bench)
    execution = bench.run(script.steps("a", a={"promote": ["day"]}))
    assert execution.status is BatchStatus.FAILED
    assert "the context of step 'a' has no 'day' to promote" in execution.exit_status.description


def test_a_rerun_of_a_completed_step_begins_with_an_empty_context(bench: Bench) -> None:
    seen: list[dict[str, object]] = []

    def body(contribution: StepContribution) -> None:
        seen.append(dict(contribution.context))
        contribution.context["runs"] = 1

    bench.tasklet("a", body)
    script = Script(bench, b=TaskletError("no disk"))
    steps = [tasklet_step("a", allow_start_if_complete=True), *script.steps("b")]
    bench.run(steps)
    bench.run(steps)
    assert seen == [{}, {}]


# --- child jobs ---


def child_step(name: str) -> StepDefinition:
    return StepDefinition(name, ChildJobDefinition("other"))


def test_the_ending_of_a_child_job_is_its_steps(bench: Bench) -> None:
    child = bench.begin()
    child.id, child.status, child.exit_status = 77, BatchStatus.FAILED, ExitStatus("BAD INPUT", "line 3")

    def run_child(start: StepStart) -> JobExecution:
        assert start.step.step_name == "child"
        return child

    bench.components.children = {"child": run_child}
    execution = bench.run([child_step("child")])
    step = named(execution, "child")
    assert (step.status, step.exit_status.code, step.context) == (BatchStatus.FAILED, "BAD INPUT", {"execution_id": 77})
    assert step.exit_status.description == "execution 77 of job 'job': line 3"


def test_a_child_that_is_refused_fails_its_step(bench: Bench) -> None:
    def refused(_start: StepStart) -> JobExecution:
        raise InstanceCompleteError("other", 9, has_identifying=True)

    bench.components.children = {"child": refused}
    execution = bench.run([child_step("child")])
    assert execution.status is BatchStatus.FAILED
    assert "has already completed with these parameters (execution 9)" in execution.exit_status.description


def test_a_stop_ends_all_branches_stopped_and_a_restart_goes_on(bench: Bench) -> None:
    meet = threading.Barrier(2, action=lambda: bench.stop.request())
    calls: list[str] = []

    def body(name: str) -> Callable[[StepContribution], RepeatStatus]:
        def call(_contribution: StepContribution) -> RepeatStatus:
            calls.append(name)
            if calls.count(name) == 1:
                meet.wait(5)
                return RepeatStatus.CONTINUABLE
            return RepeatStatus.FINISHED

        return call

    for name in ("a", "b"):
        bench.tasklet(name, body(name))
    steps = [parallel_step("split", flow(tasklet_step("a")), flow(tasklet_step("b")))]
    first = bench.run(steps)
    assert {step.status for step in first.steps} == {BatchStatus.STOPPED} == {first.status}
    assert bench.run(steps).status is BatchStatus.COMPLETED
    assert sorted(calls) == ["a", "a", "b", "b"]


def test_a_signal_is_handled_while_branches_are_awaited(bench: Bench) -> None:
    handled: list[bool] = []
    with signalled() as is_handled:
        bench.tasklet("a", lambda _contribution: handled.append(is_handled()))
        bench.tasklet("b", lambda _contribution: None)
        bench.run([parallel_step("split", flow(tasklet_step("a")), flow(tasklet_step("b")))])
    assert handled == [True]
