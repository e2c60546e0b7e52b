from __future__ import annotations

import pytest

from batchrun.domain.definition import (
    ChunkDefinition,
    CompletionDefinition,
    ComponentDefinition,
    ParameterDefinition,
    TaskletDefinition,
    Transition,
)
from batchrun.domain.parameters import ParameterType
from tests.unit.definition.doubles import JobFolder

JOB = """\
# a comment
name: load-trades
description: Loads.
parameters:
  input: {type: path, required: true, description: The file.}
  limit: {type: integer, default: 100, identifying: false}
  mode: {type: choice, choices: [a, b], default: b}
  home: {type: path, default: "${env.HOME}"}
  plain:
databases: {main: "sqlite:///a.db"}
steps:
  - name: load
    chunk: {items: 50}
    read_ahead: 0
    start_limit: 2
    reader: {type: lines, path: "${params.input}", skip_lines: 1}
    processors:
      - {type: keep, where: line > ''}
    writer: {type: store, database: main, table: t}
  - name: settle
    allow_start_if_complete: true
    tasklet: {type: run, statement: x}
flow:
  - {from: load, to: settle}
  - {from: load, on: NO, end: }
  - {from: load, on: FAILED, stop: HALT, restart: settle}
  - {from: settle, on: "*", fail: }
  - {from: settle, end: DONE}
exit_codes: {DONE: 10}
"""


def test_a_file_becomes_the_definition_of_a_job(job: JobFolder) -> None:
    loaded = job.load(JOB)
    definition = loaded.definition
    assert (definition.name, definition.description, definition.flow.start) == ("load-trades", "Loads.", "load")
    assert loaded.path == job.folder / "job.yaml"
    assert loaded.text == JOB
    assert definition.parameters == (
        ParameterDefinition("input", ParameterType.PATH, required=True, description="The file."),
        ParameterDefinition("limit", ParameterType.INTEGER, default=100, identifying=False),
        ParameterDefinition("mode", ParameterType.CHOICE, default="b", choices=("a", "b")),
        ParameterDefinition("home", ParameterType.PATH, default="${env.HOME}"),
        ParameterDefinition("plain"),
    )
    assert definition.flow.transitions == (
        Transition("load", to="settle"),
        Transition("load", "NO", end="COMPLETED"),
        Transition("load", "FAILED", stop="HALT", restart="settle"),
        Transition("settle", "*", fail="FAILED"),
        Transition("settle", end="DONE"),
    )
    assert definition.exit_codes == {"DONE": 10}
    assert definition.databases == {"main": "sqlite:///a.db"}


def test_steps_keep_their_options_and_references(job: JobFolder) -> None:
    load, settle = job.load(JOB).definition.steps
    assert load.work == ChunkDefinition(
        reader=ComponentDefinition("reader", "lines", {"path": "${params.input}", "skip_lines": 1}, "steps[0].reader"),
        writer=ComponentDefinition("writer", "store", {"database": "main", "table": "t"}, "steps[0].writer"),
        processors=(ComponentDefinition("processor", "keep", {"where": "line > ''"}, "steps[0].processors[0]"),),
        completion=CompletionDefinition(50),
        read_ahead=0,
    )
    assert (load.start_limit, load.allow_start_if_complete) == (2, False)
    assert settle.work == TaskletDefinition(
        ComponentDefinition("tasklet", "run", {"statement": "x"}, "steps[1].tasklet")
    )
    assert (settle.start_limit, settle.allow_start_if_complete) == (None, True)


def test_what_is_left_out_has_its_default(job: JobFolder) -> None:
    definition = job.load(
        "name: j\ndatabases: {d: x}\nsteps: [{name: s, reader: {type: lines, path: a},"
        " writer: {type: store, database: d, table: t}}]"
    ).definition
    work = definition.steps[0].work
    assert isinstance(work, ChunkDefinition)
    assert (work.completion.items, work.read_ahead, definition.flow.transitions) == (1000, 2, None)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("steps[0].reader.skip_lines", (16, 64)),
        ("steps[0].reader.quote", (16, 13)),
        ("steps[1]", (20, 5)),
        ("databases.main", (10, 19)),
        ("", (2, 1)),
    ],
)
def test_a_loaded_job_gives_a_place_to_a_later_problem(job: JobFolder, path: str, place: tuple[int, int]) -> None:
    problem = job.load(JOB).problem(path, "m", "h")
    assert (problem.line, problem.column) == place
    assert problem.source == JOB.splitlines()[place[0] - 1]
    assert (problem.message, problem.hint, problem.file) == ("m", "h", str(job.folder / "job.yaml"))


def test_an_alias_says_the_same_in_two_steps(job: JobFolder) -> None:
    loaded = job.load(
        "name: j\nsteps:\n  - {name: a, tasklet: &t {type: run, statement: x}}\n  - {name: b, tasklet: *t}\n"
    )
    assert [step.work.tasklet.options for step in loaded.definition.steps] == [{"statement": "x"}] * 2  # type: ignore[union-attr]


def test_problems_come_in_the_order_of_the_file_and_each_once(job: JobFolder) -> None:
    told = job.told(
        "steps:\n  - {name: a, tasklet: {type: rnu}, skp: 1, skp: 1}\nname: 5\nfoo: 1\nflow: [{from: b, end: }]"
    )
    places = [tuple(map(int, each.split(":")[:2])) for each in told]
    assert places == sorted(places)
    assert len(set(told)) == len(told) == 6
