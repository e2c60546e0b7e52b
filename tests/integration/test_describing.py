"""explain and graph on real job files: what they promise, what they warn of, and that they connect to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project

COSTLY = """
name: costly
parameters:
  pw: {type: secret, required: true}
  n: {type: integer, default: 3, identifying: false, description: How many}
databases:
  own: "sqlite:///.batchrun/repository.db"
  pg: "postgresql://me:hush@no.such.host/db"
listeners: [{type: python, module: hooks}]
steps:
  - name: load
    chunk: 10
    read_ahead: 0
    reader: {type: query, database: own, query: SELECT * FROM t ORDER BY 1, restart: skip}
    processors: [{type: python, call: "hooks:enrich"}, {type: "hooks:Slow"}]
    writer: {type: table, database: own, table: u}
    start_limit: 3
  - name: unzip
    reader: {type: csv, path: in.csv.gz}
    processors: [{type: python, call: "hooks:enrich", per: chunk}]
    writer: {type: csv, path: out.csv}
  - name: tell
    tasklet: {type: shell, command: [echo, done]}
"""
HOOKS = """
from batchrun.listeners import after_read
from batchrun.spi import ComponentSpec, Options, component


@after_read
def look(item): ...


def enrich(item): ...


@component(ComponentSpec(role="processor", name="slow", summary="Is slow.", options=Options, example="{}"))
class Slow:
    def __init__(self, options, scope): ...

    def process(self, item):
        return item
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path)
    project.write("costly.yaml", COSTLY)
    project.write("hooks.py", HOOKS)
    return project


def test_explain_tells_promises_and_costs_and_connects_to_nothing(project: Project) -> None:
    told: dict[str, Any] = project.batchrun("explain", "costly.yaml", "--output", "json").document
    load, unzip, tell = told["steps"]
    assert [step["guarantee"] for step in told["steps"]] == ["exactly once", "exactly once", "at least once"]
    assert tell["why"] == "a call that did not return is made again"
    assert [cost.partition(": ")[0] for cost in load["costs"]] == [
        "reader query",
        "reader query",
        "processor python",
        "processor hooks:Slow",
        "writer table",
        "read_ahead is 0",
        "a commit for every 10 items; larger chunks are faster",
        "listener python",
    ]
    assert [cost.partition(": ")[0] for cost in unzip["costs"]] == ["reader csv", "listener python"]
    assert "in.csv.gz" in unzip["does"]
    assert load["rules"] == ["starts at most 3 times"]
    assert load["leads_to"] == ["then unzip"]
    assert told["databases"][1]["url"] == "postgresql://me:***@no.such.host/db"
    assert [each["holds_repository"] for each in told["databases"]] == [True, False]
    assert [each["identifying"] for each in told["parameters"]] == [False, False]
    assert not (project.folder / ".batchrun").exists()


def test_explain_is_readable_as_text(project: Project) -> None:
    told = project.batchrun("explain", "costly.yaml").out
    assert "  n   integer, default 3, not identifying: How many\n" in told
    assert "  tell  tasklet\n    does      shell (command echo done)\n" in told


def test_the_graph_of_an_execution_tells_that_the_file_has_changed(project: Project) -> None:
    project.write("small.yaml", "name: small\nsteps: [{name: one, tasklet: {type: shell, command: 'true'}}]\n")
    project.batchrun("launch", "small.yaml")
    assert "✓ one  tasklet: shell  COMPLETED" in project.batchrun("graph", "1").out
    project.write("small.yaml", "name: small\nsteps: [{name: two, tasklet: {type: shell, command: 'true'}}]\n")
    drawn = project.batchrun("graph", "1")
    assert "· two" in drawn.out
    assert "small.yaml has changed since execution 1; this is the flow as it is now" in drawn.err


def test_a_graph_goes_into_a_file(project: Project) -> None:
    project.batchrun("graph", "costly.yaml", "--format", "svg", "-o", "out/costly.svg")
    assert (project.folder / "out" / "costly.svg").read_text().startswith("<svg ")
    project.batchrun("graph", "costly.yaml", "-o", "/proc/no/where", expect=2)
