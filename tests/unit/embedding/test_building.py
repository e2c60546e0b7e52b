"""A job built in code is the text of a file, and what its program has besides."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from batchrun import Component, Job, Parameter, Step, Transition, deciders, processors, readers, tasklets, writers
from batchrun.components.readers.csv import CsvItemReader
from batchrun.embedding.building import build
from batchrun.errors import DefinitionError, UsageError
from batchrun.listeners import after_step
from batchrun.spi.listener import Listener
from batchrun.testing.memory import ListItemReader

LOAD = """\
name: load
parameters:
  input:
    type: path
    required: true
  limit:
    type: integer
    default: 5
databases:
  main: sqlite:///main.db
steps:
  - name: load
    chunk: 10
    timeout: 90s
    reader:
      type: csv
      path: ${params.input}
    processors:
      - type: filter
        where: n > 1
      - type: python
        call: json:dumps
        per: chunk
    writer:
      type: table
      database: main
      table: flights
  - name: which
    decision:
      type: expression
      otherwise: GO ON
  - name: both
    parallel:
      - - load
      - name: inner
        tasklet:
          type: sql
          statement: |
            SELECT 1
            FROM t
    listeners:
      - type: log
        on_error: warn
flow:
  - from: load
    on: FAILED
    fail: BAD INPUT
  - from: load
    to: which
"""


def load() -> Job:
    import json

    return Job(
        "load",
        parameters={"input": Parameter("path", required=True), "limit": Parameter("integer", default=5)},
        databases={"main": "sqlite:///main.db"},
        steps=[
            Step(
                "load",
                chunk=10,
                timeout=timedelta(seconds=90),
                reader=readers.csv(path="${params.input}"),
                processors=[processors.filter(where="n > 1"), Component(json.dumps, per="chunk")],
                writer=writers.table(database="main", table="flights"),
            ),
            Step("which", decision=deciders.expression(otherwise="GO ON")),
            Step(
                "both",
                parallel=[["load"], Step("inner", tasklet=tasklets.sql(statement="SELECT 1\nFROM t\n"))],
                listeners=[Component("log", on_error="warn")],
            ),
        ],
        flow=[Transition("load", on="FAILED", fail="BAD INPUT"), Transition("load", to="which")],
    )


def problems(job: Job) -> list[str]:
    with pytest.raises(DefinitionError) as refused:
        job.to_yaml()
    return [str(each) for each in refused.value.problems]


def given(role_key: str, value: Any) -> Any:
    """Returns what the text's reference to a value leads to."""
    node = yaml_of(Job("x", steps=[Step("a", **{role_key: value})]), role_key)  # type: ignore[misc]
    built = build(Job("x", steps=[Step("a", **{role_key: value})]))  # type: ignore[misc]
    return node, built.given


def yaml_of(job: Job, key: str) -> Any:
    plain = Job.from_yaml(build(job).text).keys["steps"][0][key]
    return plain[0] if isinstance(plain, list) else plain


def test_the_text_of_a_job_is_word_for_word_its_code() -> None:
    assert load().to_yaml() == LOAD
    assert Job.from_yaml(LOAD).to_yaml() == LOAD


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 7, 30), "2026-07-30"),
        (Decimal("1.50"), "1.50"),
        (timedelta(minutes=1), "60s"),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        ((1, 2.5, True, None), [1, 2.5, True, None]),
        ({"a": [Path("x")]}, {"a": ["x"]}),
    ],
)
def test_values_of_python_are_written_as_a_file_has_them(value: object, written: object) -> None:
    job = Job("x", steps=[Step("a", tasklet=tasklets.shell(command=value))])
    assert yaml_of(job, "tasklet") == {"type": "shell", "command": written}


def test_a_function_of_a_module_is_named_and_any_other_only_here() -> None:
    def local(item: Any) -> Any:
        return item

    node, found = given("processors", [len])
    assert (node, found) == ({"type": "python", "call": "builtins:len"}, {"builtins:len": len})
    node, found = given("processors", [local])
    assert (node, found) == ({"type": "python", "call": "<code>:local"}, {"<code>:local": local})
    bound = partial(local, item=1)
    assert given("tasklet", bound) == (
        {"type": "python", "call": "<code>:partial"},
        {"<code>:partial": bound},
    )


def test_two_of_one_name_are_told_apart_and_one_that_stands_twice_is_one() -> None:
    first, second = (lambda item: item), (lambda item: None)
    job = Job("x", steps=[Step("a", processors=[first, second, first])])
    calls = [each["call"] for each in Job.from_yaml(build(job).text).keys["steps"][0]["processors"]]
    assert calls == ["<code>:<lambda>", "<code>:<lambda>-2", "<code>:<lambda>"]


def test_a_component_class_an_object_and_a_function_that_makes_one_are_components() -> None:
    assert given("reader", CsvItemReader)[0] == {"type": "batchrun.components.readers.csv:CsvItemReader"}
    node, found = given("reader", Component(CsvItemReader, path="x"))
    assert node["path"] == "x"
    one = ListItemReader([])
    node, found = given("reader", one)
    assert found[node["type"]](None, None) is one
    node, found = given("reader", lambda: ListItemReader([]))
    assert found[node["type"]](None, None) is not found[node["type"]](None, None)


def test_listeners_are_objects_classes_and_decorated_functions() -> None:
    class Watching(Listener):
        pass

    @after_step
    def tell(step: Any) -> None: ...

    node, found = given("listeners", [Component(Watching, on_error="warn")])
    assert node == {"type": "<code>:Watching", "on_error": "warn"}
    assert isinstance(found["<code>:Watching"](None, None), Watching)
    assert given("listeners", [tell])[0] == {"type": "python", "call": "<code>:tell"}


def test_what_is_no_component_is_told_with_its_path() -> None:
    class Half:
        def open(self) -> None: ...

    job = Job("x", steps=[Step("a", reader=Half(), processors=[3, object()], tasklet=Half)])
    assert problems(job) == [
        "job 'x', steps[0].reader: an object of class 'Half' is no reader: it has no read, close "
        "(batchrun.spi.ItemReader says what it needs)",
        "job 'x', steps[0].processors[1]: an object of class 'object' is no processor: it has no process "
        "(batchrun.spi.ItemProcessor says what it needs)",
        "job 'x', steps[0].tasklet: class 'Half' is no tasklet: it has no execute, close "
        "(batchrun.spi.Tasklet says what it needs)",
    ]
    assert problems(Job("x", steps=[Step("a", chunk={"items": object()})])) == [
        "job 'x', steps[0].chunk.items: an object of class 'object' cannot stand in a job"
    ]


def test_what_only_the_program_has_is_not_written_to_a_file() -> None:
    child = Job("child", steps=[Step("a", tasklet=tasklets.shell(command="true"))])
    job = Job("x", steps=[Step("a", tasklet=lambda: None), Step("b", job={"name": child})])
    way_out = "(a file can name what a module has, and files)"
    assert problems(job) == [
        f"job 'x', steps[0].tasklet.call: only this program has '<lambda>' {way_out}",
        f"job 'x', steps[1].job.name: only this program has 'child' {way_out}",
    ]
    assert list(build(job).children) == ["<code>:child"]


def test_a_step_can_be_replaced_wherever_it_stands_and_the_job_stays_as_it_was() -> None:
    job = load()
    other = job.with_step("inner", tasklet=tasklets.shell(command="true"))
    assert "command" in other.to_yaml()
    assert job.to_yaml() == LOAD
    assert Job.from_yaml(LOAD).with_step("load", chunk=7).keys["steps"][0]["chunk"] == 7
    with pytest.raises(UsageError, match="job 'load' has no step 'iner'") as refused:
        job.with_step("iner", chunk=1)
    assert refused.value.hint == "did you mean 'inner'?"


def test_a_job_of_a_file_keeps_its_folder(tmp_path: Path) -> None:
    (tmp_path / "load.yaml").write_text(LOAD)
    job = Job.load(tmp_path / "load.yaml")
    assert (job.name, job.folder, job.to_yaml()) == ("load", tmp_path, LOAD)
    (tmp_path / "load.yaml").write_text("name: x\nname: y\n")
    with pytest.raises(DefinitionError, match="duplicate key 'name'"):
        Job.load(tmp_path / "load.yaml")


def test_names_of_components_complete_and_parts_show_what_they_say() -> None:
    assert {"csv", "query"} <= set(dir(readers))
    assert repr(Step("a", chunk=1)) == "Step(name='a', chunk=1)"
    assert repr(readers.csv(path="x")) == "Component('csv', path='x')"
    assert readers.csv(path="x") == Component("csv", path="x")
    assert Step("a") == Step("a")
    assert Step("a") != Step("b")
