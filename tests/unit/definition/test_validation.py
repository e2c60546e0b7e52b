"""What is said of a component's options and of the job around them."""

from __future__ import annotations

import pytest

from tests.unit.definition.doubles import JobFolder

JOB = """
name: j
databases: {{main: "sqlite:///m.db"}}
parameters: {{size: {{type: integer}}, t: {{}}}}
steps:
  - name: s
    reader: {reader}
    writer: {writer}
"""
NAME_HINT = "a name has letters, digits, _, - and ., and begins with a letter, a digit or _"
READER = "{type: lines, path: a.csv}"
WRITER = "{type: store, database: main, table: t}"


def reader(options: str) -> str:
    return JOB.format(reader=f"{{type: lines, {options}}}", writer=WRITER)


def writer(options: str) -> str:
    return JOB.format(reader=READER, writer=f"{{type: store, {options}}}")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("path: a, delimeter: x", "6:36: unknown option 'delimeter' of reader 'lines'; did you mean 'delimiter'?"),
        ("pth: a", "6:27: unknown option 'pth' of reader 'lines'; did you mean 'path'?"),
        ("delimiter: x", "6:13: reader 'lines' needs 'path'"),
        ("path: 5", "6:33: expected 'path' of reader 'lines' to be a text, got 5; write it in quotes"),
        ("path: a, skip_lines: b", "6:48: expected 'skip_lines' of reader 'lines' to be an integer, got 'b'"),
        ("path: a, skip_lines: -1", "6:48: 'skip_lines' of reader 'lines' must be at least 0, got -1"),
        ("path: a, header: yes", "6:44: expected 'header' of reader 'lines' to be true or false, got 'yes'"),
        ("path: a, delimiter: ''", "6:47: 'delimiter' of reader 'lines' must not be empty"),
        ("path: a, delimiter: ab", "6:47: 'delimiter' of reader 'lines' must have at most 1 character, got 'ab'"),
        ("path: a, columns: [a]", "6:45: expected 'columns' of reader 'lines' to be a mapping, got a list"),
        ("path: a, columns: {x: intger}", "6:49: unknown column type 'intger'; did you mean 'integer'?"),
        ("path: a, columns: {x: }", "6:46: expected 'columns.x' of reader 'lines' to be a text, got nothing"),
        ("path: a, encoding: utf-88", "6:46: unknown encoding 'utf-88'; did you mean 'utf-8'?"),
        ("path: a, header: false", "6:44: without a header the columns must be named; give columns"),
    ],
)
def test_a_readers_mistake(job: JobFolder, options: str, told: str) -> None:
    assert job.told(reader(options)) == [told]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("database: mian, table: t", "7:37: unknown database 'mian'; did you mean 'main'?"),
        (
            "database: main, table: t, mode: upsrt",
            "7:59: 'mode' of writer 'store' cannot be 'upsrt'; did you mean 'upsert'?",
        ),
        (
            "database: main, table: t, mode: zzz",
            "7:59: 'mode' of writer 'store' cannot be 'zzz'; one of insert, replace, upsert",
        ),
        ("database: main, table: t, batch: 0", "7:60: 'batch' of writer 'store' must be at least 1, got 0"),
        ("database: main, table: t, batch: x", "7:60: expected 'batch' of writer 'store' to be an integer, got 'x'"),
        (
            "database: main, table: t, wait: 5",
            "7:59: expected 'wait' of writer 'store' to be a duration, got 5; with its unit, as in 30s",
        ),
        ("database: main, table: t, wait: 5x", "7:59: '5x' is no duration such as 30s, 1h30m or 250ms"),
        (
            "database: main, table: t, key: [a, 1]",
            "7:62: expected 'key[1]' of writer 'store' to be a text, got 1; write it in quotes",
        ),
    ],
)
def test_a_writers_mistake(job: JobFolder, options: str, told: str) -> None:
    assert job.told(writer(options)) == [told]


def test_a_reference_fits_wherever_another_type_is_expected(job: JobFolder) -> None:
    options = 'path: "${params.t}", skip_lines: "${params.size}", delimiter: "${params.t}", encoding: "${params.t}"'
    assert job.load(reader(options))
    assert job.load(writer('database: main, table: t, batch: "${params.size}", mode: "${params.t}"'))


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("{type: lnes, path: a}", "6:20: unknown reader 'lnes'; did you mean 'lines'?"),
        ("{type: store}", "6:20: unknown reader 'store'; 'store' is a writer"),
        ("lines", "6:13: expected 'reader' of step 's' to be a mapping, got 'lines'"),
        ('{type: "${params.t}"}', "6:20: the type of a reader must be a name, got '${params.t}'"),
        ('{type: "nope:Reader"}', "6:20: there is no nope.py beside the job file, and no installed module 'nope'"),
    ],
)
def test_a_component_that_is_none(job: JobFolder, node: str, told: str) -> None:
    found = job.told(JOB.format(reader=node, writer=WRITER))
    assert [each.partition("; one of")[0] for each in found] == [told]


def test_a_component_without_a_type_hears_which_there_are(job: JobFolder) -> None:
    (told,) = job.told(JOB.format(reader="{path: a}", writer=WRITER))
    assert told.startswith("6:13: a reader needs 'type'; one of csv, lines, ")


def test_a_component_beside_the_job_is_checked_by_its_own_options(job: JobFolder) -> None:
    (job.folder / "mine.py").write_text(
        "from typing import Annotated\nfrom batchrun.spi import ComponentSpec, Options, component, option\n"
        "class O(Options):\n    size: Annotated[int, option('How many.')] = 1\n"
        "@component(ComponentSpec('reader', 'mine', 'Reads.', O, '{type: mine}'))\nclass Mine: pass\n"
    )
    assert job.load(JOB.format(reader='{type: "mine:Mine", size: 3}', writer=WRITER))
    assert job.told(JOB.format(reader='{type: "mine:Mine", sice: 3}', writer=WRITER)) == [
        "6:33: unknown option 'sice' of reader 'mine:Mine'; did you mean 'size'?"
    ]


def test_code_that_a_job_names_must_be_there(job: JobFolder) -> None:
    (job.folder / "transforms.py").write_text("def enrich(item): return item\n")
    text = JOB.format(reader=READER, writer=WRITER) + "    processors: [{type: call, call: 'transforms:enrich'}]\n"
    assert job.load(text)
    (told,) = job.told(text.replace("enrich", "enrch"))
    assert told.endswith("transforms.py has no 'enrch'; did you mean 'enrich'?")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{name: s, tasklt: {}}", "3:15: unknown option 'tasklt' of step 's'; did you mean 'tasklet'?"),
        ("{name: s}", "3:5: step 's' has no work; give it a reader and a writer, a tasklet, or another kind of work"),
        (
            "{name: s, reader: {type: lines, path: a}}",
            "3:5: step 's' needs a writer; chunk work is read by one and written by the other",
        ),
        (
            "{name: s, chunk: 5}",
            "3:5: step 's' needs a reader and a writer; chunk work is read by one and written by the other",
        ),
        ("{tasklet: {type: run, statement: x}}", "3:5: step 1 needs 'name'"),
        (
            "{name: a b, tasklet: {type: run, statement: x}}",
            "3:12: 'name' of step 'a b' cannot be 'a b'; " + NAME_HINT,
        ),
        (
            "{name: s, tasklet: {type: run, statement: x}, chunk: 5}",
            "3:51: step 's' has a tasklet and 'chunk': a step does one kind of work; make two steps of it",
        ),
        (
            "{name: s, tasklet: {type: run, statement: x}, start_limit: 0}",
            "3:64: 'start_limit' of step 's' must be at least 1, got 0",
        ),
        ("{name: s, tasklet: {type: run, statement: ' '}}", "3:47: the SQL text is empty"),
        (
            "{name: s, tasklet: {type: run, statement: x, command: 5}}",
            "3:59: expected 'command' of tasklet 'run' to be a text or a list, got 5",
        ),
        (
            "{name: s, tasklet: {type: run, statement: x, command: [5]}}",
            "3:60: expected 'command[0]' of tasklet 'run' to be a text, got 5; write it in quotes",
        ),
        ("s", "3:5: expected step 1 to be a mapping, got 's'"),
    ],
)
def test_a_steps_mistake(job: JobFolder, step: str, told: str) -> None:
    assert job.told(f"name: j\nsteps:\n  - {step}\n") == [told]


STEPS = "steps: [{name: s, tasklet: {type: run, statement: x}}]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (STEPS, "1:1: the job needs 'name'"),
        ("name: j\n", "1:1: the job needs 'steps'"),
        ("name: j\nsteps: []\n", "2:8: 'steps' of the job must not be empty"),
        ("name: j\nstesp: []\n", "2:1: unknown option 'stesp' of the job; did you mean 'steps'?"),
        ("name: 5\n" + STEPS, "1:7: expected 'name' of the job to be a text, got 5; write it in quotes"),
        (
            "name: j\nschedule: {}\n" + STEPS,
            "2:1: unknown option 'schedule' of the job; the options there are: "
            "name, description, parameters, validators, databases, start, steps, flow, exit_codes, listeners",
        ),
        ("name: j\nexit_codes: {A: 9}\n" + STEPS, "2:17: 'exit_codes.A' of the job must be at least 10, got 9"),
        ("name: j\nexit_codes: {A: 64}\n" + STEPS, "2:17: 'exit_codes.A' of the job must be at most 63, got 64"),
        (
            "name: j\ndatabases: {a b: x}\n" + STEPS,
            "2:13: 'a b' is no name for an entry of 'databases' of the job; " + NAME_HINT,
        ),
        ("name: j\ndatabases: {a: }\n" + STEPS, "2:13: expected 'databases.a' of the job to be a text, got nothing"),
    ],
)
def test_a_mistake_of_the_job_itself(job: JobFolder, text: str, told: str) -> None:
    assert job.told(text) == [told]


def test_step_names_are_unique(job: JobFolder) -> None:
    step = "{name: s, tasklet: {type: run, statement: x}}"
    assert job.told(f"name: j\nsteps:\n  - {step}\n  - {step}\n") == [
        "4:12: there is a step 's' already, in line 3; rename one of them"
    ]


def test_a_chunk_cannot_be_a_reference(job: JobFolder) -> None:
    (told,) = job.told(JOB.format(reader=READER, writer=WRITER) + "    chunk: ${params.size}\n")
    assert told == (
        "8:12: expected 'chunk' of step 's' to be an integer or a mapping, got '${params.size}'; "
        "references stand only in the options of components and in databases"
    )
