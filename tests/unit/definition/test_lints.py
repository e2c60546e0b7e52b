"""Lints of flow, references and columns; the whole texts of a bad flow are in golden/flow_mistakes.txt."""

from __future__ import annotations

import pytest

from tests.unit.definition.doubles import JobFolder

STEPS = """\
name: j
steps:
  - {name: a, tasklet: {type: run, statement: x}}
  - {name: b, tasklet: {type: run, statement: x}}
  - {name: c, tasklet: {type: run, statement: x}}
"""


@pytest.mark.parametrize(
    "flow",
    [
        "",
        "flow: [{from: a, to: b}, {from: b, to: c}]",
        "flow: [{from: a, to: b}, {from: a, on: 'COMPLETED WITH SKIPS', to: c}]",
        "flow: [{from: a, stop: }, {from: b, to: c}]",
        "flow: [{from: a, stop: S, restart: c}, {from: c, to: b}]",
        "flow: [{from: a, on: '*', to: b}, {from: b, on: '?OMPLETED', to: c}, {from: c, on: 'C*', to: a},"
        " {from: c, on: FAILED, end: }]",
    ],
)
def test_a_good_flow_has_no_problem(job: JobFolder, flow: str) -> None:
    assert job.load(STEPS + flow)


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        ("start: b", "3:12: step 'a' is never reached; the job starts at 'b', after it"),
        ("flow: [{from: a, to: b}]", "5:12: step 'c' is never reached; no transition leads to it"),
        ("flow: [{from: a, to: b}, {from: b, to: cc}]", "6:40: unknown step 'cc'; did you mean 'c'?"),
        ("flow: [{from: a, to: b}, {from: b, to: zzz}]", "6:40: unknown step 'zzz'; the steps: a, b, c"),
        (
            "flow: [{from: a, to: b}, {from: b, to: c}, {from: b, on: 'COMPLETED*', fail: X}]",
            "6:58: step 'b' has a transition on 'COMPLETED*' already, in line 6; "
            "an exit code can lead to one place only",
        ),
        (
            "flow: [{from: a, to: b}, {from: b, on: 'FAILED', to: c}, {from: b, on: 'COMPLETED WITH SKIPS', to: c}]",
            "6:33: no transition of step 'b' takes COMPLETED, so the job fails when the step completes; "
            "add {from: b, to: …} or {from: b, end: COMPLETED}",
        ),
        (
            "flow: [{from: a, to: b}, {from: b, to: c, restart: a}]",
            "6:43: 'restart' goes only with 'stop'",
        ),
        (
            "flow: [{from: a, to: b}, {from: b, to: c}, {from: c}]",
            "6:44: the transition leads nowhere; give it one of to, end, fail, stop",
        ),
        (
            "flow: [{from: a, to: b}, {from: b, to: c}, {from: c, gotoo: a, end: }]",
            "6:54: unknown option 'gotoo' of transition 3 of the flow; the options there are: "
            "from, on, to, end, fail, stop, restart",
        ),
    ],
)
def test_a_mistake_of_a_flow_is_told_once(job: JobFolder, flow: str, told: str) -> None:
    assert job.told(STEPS + flow) == [told]


JOB = """\
name: j
parameters: {{day: {{type: date}}, run.id: {{type: integer, identifying: false}}}}
databases: {{main: "{url}"}}
steps:
  - name: load
    tasklet: {{type: run, statement: {statement}, command: "{command}"}}
"""


def referring(command: str, url: str = "sqlite:///a", statement: str = "x") -> str:
    return JOB.format(command=command, url=url, statement=statement)


@pytest.mark.parametrize(
    "command",
    [
        "${params.day}",
        "${params.run.id:-3}",
        "${env.ANY}${secrets.ANY}",
        "${execution.id}",
        "${steps.load.write_count} ${steps.load.exit_code}",
        "$${anything",
        "${job.context.last_id:-0} ${step.context.last_id} ${steps.load.visit}",
    ],
)
def test_a_good_reference_has_no_problem(job: JobFolder, command: str) -> None:
    assert job.load(referring(command))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("x ${params.dya}", "6:52: unknown parameter 'dya'; did you mean 'day'?"),
        ("${params.zzz}", "6:50: unknown parameter 'zzz'; the job's parameters: day, run.id"),
        ("${param.day}", "6:50: ${param.day}: 'param' is not known here; did you mean 'params'?"),
        (
            "${partition.name}",
            "6:50: ${partition.name}: 'partition' is not known here; "
            "known here: params, env, secrets, execution, job, step, steps",
        ),
        ("${params}", "6:50: ${params} is no single value; name what you mean: ${params.…}"),
        ("${params.day", "6:50: '${params.day' is not closed; end it with }, or write $${ for the two signs"),
        ("a ${}", "6:52: '${}' is no reference; write ${root.name} or ${root.name:-default}; $${ is a literal ${"),
        ("${steps.laod.write_count}", "6:50: unknown step 'laod'; did you mean 'load'?"),
        ("${steps.load.writecount}", "6:50: ${steps.load.writecount} names nothing; did you mean 'write_count'?"),
        ("${job.contxt.a}", "6:50: ${job.contxt.a} names nothing; write ${job.context.KEY}"),
        ("${step.context}", "6:50: ${step.context} names nothing; write ${step.context.KEY}"),
        ("${execution.idd}", "6:50: ${execution.idd} names nothing; did you mean 'id'?"),
    ],
)
def test_a_bad_reference_is_told_at_its_own_column(job: JobFolder, command: str, told: str) -> None:
    assert job.told(referring(command)) == [told]


def test_a_database_is_bound_before_any_step(job: JobFolder) -> None:
    assert job.told(referring("x", url="${steps.load.write_count}")) == [
        "3:20: ${steps.load.write_count}: 'steps' is not known here; known here: params, env, secrets"
    ]


def test_a_default_may_refer_to_the_environment_only(job: JobFolder) -> None:
    text = referring("x").replace("{type: date}", '{type: date, default: "${params.day}"}')
    assert [each.split("; ")[0] for each in job.told(text)] == ["2:42: ${params.day}: 'params' is not known here"]


def test_a_reference_in_sql_is_a_warning_and_in_an_expression_an_error(job: JobFolder) -> None:
    loaded = job.load(referring("x", statement='"DELETE FROM t WHERE day = ${params.day}"'))
    assert [(each.line, each.column, each.severity) for each in loaded.warnings] == [(6, 64, "warning")]
    text = COLUMNS.format(keep='"a > ${params.n}"', more="", key="a", options="").replace(
        "name: j", "name: j\nparameters: {n: }"
    )
    (told,) = job.told(text)
    assert told.endswith("an expression holds no references; they would be pasted into its text")


COLUMNS = """\
name: j
databases: {{main: "sqlite:///a"}}
steps:
  - name: load
    reader: {{type: lines, path: a, columns: {{a: integer, b: string}}{options}}}
    processors:
      - {{type: keep, where: {keep}}}
      {more}
    writer: {{type: store, database: main, table: t, key: [{key}]}}
"""


def test_columns_are_followed_from_reader_to_writer(job: JobFolder) -> None:
    assert job.load(COLUMNS.format(keep="a > 0", more="", key="a", options=""))
    told = job.told(COLUMNS.format(keep="c > 0", more="- {type: keep, where: d > 0}", key="e", options=""))
    assert [each.split(" ")[0] for each in told] == ["7:29:", "8:29:", "9:59:"]
    assert told[2] == "9:59: unknown column 'e'; one of a, b"


def test_a_mistake_in_the_reader_does_not_hide_a_misspelt_column(job: JobFolder) -> None:
    told = job.told(COLUMNS.format(keep="a > 0", more="", key="e", options=", skip_lins: 3"))
    assert [each.split(" ")[0] for each in told] == ["5:70:", "9:59:"]


def test_a_wrong_column_type_does_not_hide_a_misspelt_column(job: JobFolder) -> None:
    text = COLUMNS.format(keep="b > 'x' AND c > 0", more="", key="a, e", options="").replace("a: integer", "a: intgr")
    assert [each.split(";")[0] for each in job.told(text)] == [
        "5:49: unknown column type 'intgr'",
        '7:29: does not fit: unable to find column "c"',
        "9:62: unknown column 'e'",
    ]


def test_nothing_is_said_of_a_column_whose_type_is_wrong(job: JobFolder) -> None:
    text = COLUMNS.format(keep="abs(a) > 0", more="", key="a", options="")
    assert job.told(text.replace("a: integer", "a: intgr")) == [
        "5:49: unknown column type 'intgr'; did you mean 'integer'?"
    ]


def test_what_an_unknown_component_does_to_the_columns_is_not_guessed(job: JobFolder) -> None:
    text = COLUMNS.format(keep="a > 0", more="- {type: keeep, where: x}", key="e", options="")
    assert job.told(text) == ["8:16: unknown processor 'keeep'; did you mean 'keep'?"]


def test_columns_nobody_knows_are_not_guessed_but_expressions_must_be_some(job: JobFolder) -> None:
    (job.folder / "m.py").write_text("def f(item): return item")
    text = COLUMNS.format(
        keep="a > 0", more="- {type: call, call: 'm:f'}\n      - {type: keep, where: WHERE}", key="e", options=""
    )
    assert job.load(text.replace("WHERE", "anything > 0"))
    (told,) = job.told(text.replace("WHERE", "anything >"))
    assert told.startswith("9:29: 'anything >' is no expression: ")


def test_options_that_refer_are_not_checked_before_the_launch(job: JobFolder) -> None:
    text = COLUMNS.format(keep="a > 0", more="", key="'${params.k}'", options="")
    assert job.load(text.replace("table: t,", 'table: "${params.k}",').replace("name: j", "name: j\nparameters: {k: }"))


def test_a_column_type_that_refers_may_be_any(job: JobFolder) -> None:
    text = COLUMNS.format(keep="abs(a) > 0", more="", key="a", options="")
    text = text.replace("a: integer", 'a: "${params.k}"').replace("name: j", "name: j\nparameters: {k: }")
    assert job.load(text)
    assert len(job.told(text.replace("key: [a]", "key: [c]"))) == 1


def test_two_misspelt_columns_of_one_option_are_both_told(job: JobFolder) -> None:
    told = job.told(COLUMNS.format(keep="a > 0", more="", key="e, f", options=""))
    assert [each.split(";")[0] for each in told] == ["9:59: unknown column 'e'", "9:62: unknown column 'f'"]


def test_one_value_has_one_problem(job: JobFolder) -> None:
    (told,) = job.told(COLUMNS.format(keep='"a > ${params.n"', more="", key="a", options=""))
    assert told.startswith("7:34: '${params.n' is not closed")
