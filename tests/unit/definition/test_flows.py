"""Decisions, branches, nested and included flows: what they become, and what is told of those that are wrong."""

from __future__ import annotations

import textwrap
from datetime import timedelta

import pytest

from batchrun.domain.definition import (
    ChildJobDefinition,
    DecisionDefinition,
    FlowDefinition,
    ParallelDefinition,
    StepDefinition,
    Transition,
)
from tests.unit.definition.doubles import JobFolder


def steps(text: str) -> str:
    """Returns a job file of these steps; `{a}` stands for a step of that name with a tasklet."""
    lines = textwrap.dedent(text).strip("\n").splitlines()
    written = [_step(line) if line.lstrip("- ").startswith("{") and "," not in line else line for line in lines]
    return "\n".join(["name: j", *written, ""])


def _step(line: str) -> str:
    return line.replace("}", ", tasklet: {type: run, statement: x}}").replace("{", "{name: ", 1)


def named(flow: FlowDefinition) -> list[str]:
    return [state.name for state in flow.states]


def branches(state: StepDefinition) -> list[FlowDefinition]:
    assert isinstance(state.work, ParallelDefinition)
    return list(state.work.branches)


NESTED_BRANCHES = steps("""
    steps:
      - {a}
      - {name: both, timeout: 1m, parallel: [[b, more], [c, d]]}
      - {b}
      - {name: more, parallel: [[e], {name: f, tasklet: {type: run, statement: x}}]}
      - {c}
      - {d}
      - {e}
      - {z}
""")


def test_branches_take_their_steps_out_of_the_order_around_them(job: JobFolder) -> None:
    flow = job.load(NESTED_BRANCHES).definition.flow
    assert named(flow) == ["a", "both", "z"]
    assert flow.transitions is None
    both = flow.state("both")
    assert both.timeout == timedelta(minutes=1)
    assert [named(each) for each in branches(both)] == [["b", "more"], ["c", "d"]]
    assert [named(each) for each in branches(branches(both)[0].state("more"))] == [["e"], ["f"]]


def test_transitions_of_a_branch_stay_in_it_and_its_order_fills_the_gaps(job: JobFolder) -> None:
    text = NESTED_BRANCHES + textwrap.dedent("""
        flow:
          - {from: a, to: both}
          - {from: a, on: FAILED, to: z}
          - {from: both, to: z}
          - {from: b, on: FAILED, to: more}
          - {from: b, to: more}
    """)
    flow = job.load(text).definition.flow
    assert flow.transitions == (
        Transition("a", to="both"),
        Transition("a", "FAILED", to="z"),
        Transition("both", to="z"),
    )
    first, second = branches(flow.state("both"))
    assert first.transitions == (Transition("b", "FAILED", to="more"), Transition("b", to="more"))
    assert second.transitions is None


def test_a_state_of_a_branch_without_transitions_goes_on_to_the_next(job: JobFolder) -> None:
    text = steps("""
        steps:
          - {name: p, parallel: [[a, b, c]]}
          - {a}
          - {b}
          - {c}
        flow: [{from: a, on: FAILED, to: c}, {from: a, to: b}]
    """)
    (branch,) = branches(job.load(text).definition.flow.state("p"))
    assert branch.transitions == (Transition("a", "FAILED", to="c"), Transition("a", to="b"), Transition("b", to="c"))


NESTED = """
steps:
  - {load}
  - name: checks
    start: first
    steps:
      - {load}
      - {first}
      - name: deep
        steps:
          - name: last
            tasklet: {type: run, statement: x, command: "COMMAND"}
    flow:
      - {from: first, to: load}
      - {from: load, on: FAILED, stop: , restart: load}
      - {from: load, to: deep}
"""


def test_states_of_a_nested_flow_are_named_after_it(job: JobFolder) -> None:
    definition = job.load(steps(NESTED)).definition
    checks = definition.step("checks").work
    assert isinstance(checks, FlowDefinition)
    assert named(checks) == ["checks.load", "checks.first", "checks.deep"]
    assert checks.start == "checks.first"
    assert checks.transitions == (
        Transition("checks.first", to="checks.load"),
        Transition("checks.load", "FAILED", stop="STOPPED", restart="checks.load"),
        Transition("checks.load", to="checks.deep"),
    )
    assert [step.name for step in definition.steps][-1] == "checks.deep.last"


def test_a_name_means_the_innermost_step_that_it_can(job: JobFolder) -> None:
    definition = job.load(steps(NESTED)).definition
    seen = definition.names_seen_from("checks.deep.last")
    assert (seen["load"], seen["last"], seen["deep.last"]) == ("checks.load", "checks.deep.last", "checks.deep.last")
    assert definition.names_seen_from("load")["load"] == "load"
    assert "last" not in definition.names_seen_from("load")


@pytest.mark.parametrize(
    "reference",
    [
        "steps.load.visit",
        "steps.last.visit",
        "steps.checks.load.visit",
        "steps.deep.last.status",
        "steps.checks.status",
    ],
)
def test_references_name_steps_as_seen_from_their_own(job: JobFolder, reference: str) -> None:
    assert job.load(steps(NESTED.replace("COMMAND", f"${{{reference}}}")))


def test_a_reference_out_of_a_nested_flow_is_told_what_there_is(job: JobFolder) -> None:
    (told,) = job.told(steps(NESTED.replace("COMMAND", "${steps.frst.visit}")))
    assert told == "12:58: unknown step 'frst'; did you mean 'first'?"
    text = steps(NESTED).replace(
        "{name: load, tasklet: {type: run, statement: x}",
        "{name: load, tasklet: {type: run, statement: x, command: '${steps.first.visit}'}",
        1,
    )
    (told,) = job.told(text)
    assert "unknown step 'first'; " in told


def test_options_of_states_go_into_the_definition(job: JobFolder) -> None:
    text = steps("""
        steps:
          - {name: a, timeout: 90s, max_visits: 3, start_limit: 4, promote: [b], tasklet: {type: run, statement: x}}
          - {name: b, recompute: true, decision: {type: fixed, code: COMPLETED}}
          - {name: c, job: other}
          - {name: d, job: {name: jobs.d/other.yaml, parameters: {day: "${steps.a.write_count}"}, if_complete: skip}}
    """)
    a, b, c, d = job.load(text).definition.steps
    assert (a.timeout, a.max_visits, a.start_limit, a.promote) == (timedelta(seconds=90), 3, 4, ("b",))
    assert b.allow_start_if_complete
    assert isinstance(b.work, DecisionDefinition)
    assert (b.work.decider.role, b.work.decider.path) == ("decider", "steps[1].decision")
    assert c.work == ChildJobDefinition("other", path="steps[2].job")
    assert d.work == ChildJobDefinition(
        "jobs.d/other.yaml", {"day": "${steps.a.write_count}"}, skip_if_complete=True, path="steps[3].job"
    )


ORDER = """
steps:
  - {a}
  - {b}
  - {c}
  - name: p
    parallel: PARALLEL
"""


@pytest.mark.parametrize(
    ("parallel", "told"),
    [
        ("[[a], [b, cc]]", ["7:25: unknown step 'cc'; did you mean 'c'?"]),
        ("[[a], [b, a]]", ["7:25: step 'a' is in a branch already, in line 7; a step runs in one branch"]),
        ("[[a], [p]]", ["7:22: step 'p' would run inside itself; take it out of its own branches"]),
        ("[[a], []]", ["7:21: 'parallel[1]' of step 'p' must not be empty"]),
        ("[]", ["7:15: 'parallel' of step 'p' must not be empty"]),
        ("[a]", ["7:16: expected 'parallel[0]' of step 'p' to be a list or a mapping, got 'a'"]),
        (
            "[[a], {name: q}]",
            ["7:21: step 'q' has no work; give it a reader and a writer, a tasklet, or another kind of work"],
        ),
        (
            "[[a], {name: q, tasklet: {type: run, statement: x}}, [q]]",
            ["7:69: step 'q' is in a branch already, in line 7; a step runs in one branch"],
        ),
    ],
)
def test_a_mistake_of_branches_is_told_once(job: JobFolder, parallel: str, told: list[str]) -> None:
    assert job.told(steps(ORDER.replace("PARALLEL", parallel))) == told


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        (
            "{from: a, to: b}",
            "step 'a' is in a branch of step 'p', and step 'b' in another; a transition stays inside its branch",
        ),
        (
            "{from: a, to: c}",
            "step 'a' is in a branch of step 'p', and step 'c' outside of it; a transition stays inside its branch",
        ),
        ("{from: c, to: a}", "step 'a' is in a branch of step 'p'; a transition leads to a step of the same flow"),
    ],
)
def test_a_transition_stays_inside_its_branch(job: JobFolder, flow: str, told: str) -> None:
    text = steps(ORDER.replace("PARALLEL", "[[a], [b]]")) + f"flow: [{flow}, {{from: c, on: X, to: p}}]\n"
    assert told in [each.split(": ", 1)[1] for each in job.told(text)]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (
            "{name: a, recompute: true, tasklet: {type: run, statement: x}}",
            "step 'a' has a tasklet and 'recompute': a step does one kind of work; make two steps of it",
        ),
        ("{name: a, recompute: true}", "'recompute' goes only with 'decision'; step 'a' has none"),
        ("{name: a, flow: []}", "'flow' goes only with 'steps'; step 'a' has none"),
        (
            "{name: a, job: b, decision: {type: fixed, code: COMPLETED}}",
            "step 'a' has a decision and 'job': a step does one kind of work; make two steps of it",
        ),
        (
            "{name: a, allow_start_if_complete: true, job: b}",
            "'allow_start_if_complete' means nothing for a child job; leave it out",
        ),
        (
            "{name: a, allow_start_if_complete: true, decision: {type: fixed, code: COMPLETED}}",
            "'allow_start_if_complete' means nothing for a decision; it is 'recompute' for a decision",
        ),
        (
            "{name: a, promote: [x], steps: [{name: b, tasklet: {type: run, statement: x}}]}",
            "'promote' means nothing for a nested flow; leave it out",
        ),
        ("{name: a, timeout: 3x, job: b}", "3x"),
        ("{name: a, max_visits: 0, job: b}", "'max_visits' of step 'a' must be at least 1, got 0"),
        ("{name: a, job: {nam: b}}", "unknown option 'nam' of 'job' of step 'a'; did you mean 'name'?"),
    ],
)
def test_options_that_mean_nothing_are_told(job: JobFolder, step: str, told: str) -> None:
    (found,) = job.told(f"name: j\nsteps:\n  - {step}\n")
    assert told in found


DECISION = """\
name: j
parameters: {{limit: {{type: integer}}, day: {{type: date}}}}
steps:
  - {{name: load, tasklet: {{type: run, statement: x}}}}
  - name: enough
    decision: {{type: fixed, code: {code}}}
  - {{name: z, tasklet: {{type: run, statement: x}}}}
flow:
  - {{from: load, to: enough}}
  - {{from: enough, on: OK, to: z}}
  {more}
"""


def test_each_code_of_a_decision_must_be_taken(job: JobFolder) -> None:
    assert job.load(DECISION.format(code="OK", more="- {from: enough, on: FAILED, end: }")).warnings == ()
    assert job.told(DECISION.format(code="EMPTY", more="")) == [
        "6:5: no transition of decision 'enough' takes 'EMPTY', so the job fails when it decides so; "
        "add {from: enough, on: EMPTY, to: …}"
    ]


def test_a_transition_on_a_code_that_a_decision_never_gives_is_a_warning(job: JobFolder) -> None:
    loaded = job.load(DECISION.format(code="OK", more="- {from: enough, on: KO, end: }"))
    (warning,) = loaded.warnings
    assert (warning.line, warning.message, warning.hint) == (
        11,
        "decision 'enough' never gives 'KO'",
        "it gives OK",
    )


LOOP = """\
name: j
steps:
  - {{name: a, tasklet: {{type: run, statement: x}}}}
  - {{name: b, {options}tasklet: {{type: run, statement: x}}}}
  - {{name: c, tasklet: {{type: run, statement: x}}}}
flow:
  - {{from: a, to: b}}
  - {{from: b, to: {again}}}
  - {{from: b, on: DONE, to: c}}
"""


def test_a_loop_without_a_limit_is_a_warning(job: JobFolder) -> None:
    (warning,) = job.load(LOOP.format(again="a", options="")).warnings
    assert (warning.line, warning.message, warning.hint) == (
        8,
        "the flow can go round from step 'a' to 'b' without a limit",
        "give a step on the way max_visits",
    )
    (warning,) = job.load(LOOP.format(again="b", options="")).warnings
    assert "from step 'b' to 'b'" in warning.message
    assert job.load(LOOP.format(again="a", options="max_visits: 3, ")).warnings == ()


def test_a_loop_without_an_exit_is_an_error(job: JobFolder) -> None:
    text = LOOP.format(again="a", options="").replace("on: DONE, to: c", "on: DONE, to: b")
    assert [each.split(": ", 1)[1] for each in job.told(text)] == [
        "no way leads from steps 'a' and 'b' to an end of the flow; "
        "give one of them a transition on another exit code, out of the loop",
        "step 'c' is never reached; no transition leads to it",
    ]
