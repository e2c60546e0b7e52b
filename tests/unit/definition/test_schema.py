"""The editor's schema: it takes what validation takes, and the file in schemas/ is what the built-ins generate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from batchrun.definition.schema import flow_schema, job_schema, schema_text, write_schemas
from batchrun.definition.yaml12 import read_yaml
from batchrun.registry import Registry
from tests.unit.definition.doubles import EXTRA

GENERATED = Path(__file__).parents[3] / "schemas"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [])
    return Registry(extra=EXTRA)


def messages(registry: Registry, text: str) -> list[str]:
    root, _ = read_yaml(text)
    assert root is not None
    return [error.message for error in Draft7Validator(job_schema(registry)).iter_errors(root.plain())]


def job(reader: str, more: str = "") -> str:
    return f"name: j\nsteps: [{{name: s, reader: {reader}, writer: {{type: store, database: d, table: t}}}}]\n{more}"


def test_it_is_a_valid_schema_of_draft_7(small: Registry) -> None:
    schema = job_schema(small)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "$defs" not in text
    assert "x-component" not in text


def test_it_takes_a_good_job_and_references_for_every_type(small: Registry) -> None:
    reader = '{type: lines, path: a, skip_lines: "${params.n}", delimiter: "${params.d}", header: "${params.h}"}'
    assert messages(small, job(reader)) == []
    assert messages(small, job('{type: "mine:Reader", anything: 1}')) == []


def test_it_refuses_what_validation_refuses_by_the_component_that_is_named(small: Registry) -> None:
    (unknown,) = messages(small, job("{type: lines, path: a, delimeter: x}"))
    assert "'delimeter' was unexpected" in unknown
    (missing,) = messages(small, job("{type: lines}"))
    assert "'path' is a required property" in missing
    assert messages(small, job("{type: nope}"))
    assert messages(small, job("{type: lines, path: a, skip_lines: x}"))
    assert messages(small, job("{type: lines, path: a}", "flow: [{from: s, to: s, end: x}]"))


def test_options_are_described_with_default_and_example(small: Registry) -> None:
    lines = job_schema(small)["definitions"]["reader.lines"]
    assert lines["description"] == "Reads lines."
    assert lines["examples"] == [{"type": "lines", "path": "a.csv"}]
    assert lines["properties"]["skip_lines"]["description"] == "Lines to skip."
    assert lines["properties"]["skip_lines"]["default"] == 0


def test_components_are_never_told_apart_by_one_of(small: Registry) -> None:
    def inside(node: Any) -> bool:
        if isinstance(node, dict):
            return "oneOf" in node or any(map(inside, node.values()))
        return isinstance(node, list) and any(map(inside, node))

    definitions = job_schema(small)["definitions"]
    assert not [name for name, node in definitions.items() if inside(node) and name != "TransitionShape"]


def test_the_file_is_written_where_it_is_asked_for(small: Registry, tmp_path: Path) -> None:
    job, flow = write_schemas(tmp_path / "schemas", small)
    assert [job, flow] == [tmp_path / "schemas" / "job.schema.json", tmp_path / "schemas" / "flow.schema.json"]
    assert job.read_text(encoding="utf-8") == schema_text(job_schema(small))
    assert flow.read_text(encoding="utf-8") == schema_text(flow_schema(small))


def test_the_schemas_in_the_project_are_those_that_the_built_ins_generate() -> None:
    for name, schema in {"job": job_schema, "flow": flow_schema}.items():
        assert (GENERATED / f"{name}.schema.json").read_text(encoding="utf-8") == schema_text(schema(Registry()))


def test_the_schema_of_a_flow_file_takes_a_flow_and_not_a_job(small: Registry) -> None:
    validator = Draft7Validator(flow_schema(small))
    step = {"name": "a", "tasklet": {"type": "run", "statement": "x"}}
    assert validator.is_valid({"parameters": {"day": {"type": "date"}, "n": None}, "steps": [step]})
    assert not validator.is_valid({"name": "job", "steps": [step]})
    assert not validator.is_valid({"steps": [{**step, "tasklet": {"type": "run"}}]})


def test_a_job_file_names_the_flow_that_it_includes(small: Registry) -> None:
    assert messages(small, "name: j\nsteps: [{name: a, include: flows/a.yaml}]") == []
    assert messages(small, "name: j\nsteps: [{name: a, include: {steps: []}}]")


def test_branches_are_lists_of_names_or_steps(small: Registry) -> None:
    steps = "{name: p, parallel: [[a, b], {name: c, tasklet: {type: run, statement: x}}]}"
    assert messages(small, f"name: j\nsteps: [{steps}]") == []
    assert messages(small, f"name: j\nsteps: [{steps.replace('statement', 'statment')}]")
