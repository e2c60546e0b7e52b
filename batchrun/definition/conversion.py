"""Makes the domain's job definition of a file whose shape has been found right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batchrun.definition.document import DocumentPath, path_text
from batchrun.definition.outline import Outline
from batchrun.definition.parameter_declaration import parameter_definition
from batchrun.domain.definition import (
    DEFAULT_CHUNK_ITEMS,
    DEFAULT_READ_AHEAD,
    ChunkDefinition,
    ComponentDefinition,
    FlowDefinition,
    JobDefinition,
    StepDefinition,
    TaskletDefinition,
    Transition,
)

_EXIT_CODES = {"end": "COMPLETED", "fail": "FAILED", "stop": "STOPPED"}


def job_definition(outline: Outline) -> JobDefinition:
    """Returns the definition; the file must have no errors."""
    plain = outline.plain
    return JobDefinition(
        name=plain["name"],
        description=plain.get("description", ""),
        parameters=tuple(parameter_definition(name, declared) for name, declared in outline.parameters.items()),
        databases=dict(outline.databases),
        flow=FlowDefinition(
            states=tuple(_step(path, node) for path, node in outline.steps),
            start=plain.get("start") or outline.step_names[0],
            transitions=tuple(_transition(node) for _, node in outline.transitions) if outline.has_flow else None,
        ),
        exit_codes={code: int(number) for code, number in plain.get("exit_codes", {}).items()},
        validators=tuple(plain.get("validators", ())),
    )


def _step(path: DocumentPath, node: Mapping[str, Any]) -> StepDefinition:
    limit = node.get("start_limit")
    return StepDefinition(
        name=node["name"],
        work=_work(path, node),
        allow_start_if_complete=node.get("allow_start_if_complete", False),
        start_limit=None if limit is None else int(limit),
    )


def _work(path: DocumentPath, node: Mapping[str, Any]) -> ChunkDefinition | TaskletDefinition:
    if "tasklet" in node:
        return TaskletDefinition(_component("tasklet", (*path, "tasklet"), node["tasklet"]))
    chunk = node.get("chunk", DEFAULT_CHUNK_ITEMS)
    return ChunkDefinition(
        reader=_component("reader", (*path, "reader"), node["reader"]),
        writer=_component("writer", (*path, "writer"), node["writer"]),
        processors=tuple(_processors(path, node)),
        items=int(chunk["items"] if isinstance(chunk, dict) else chunk),
        read_ahead=int(node.get("read_ahead", DEFAULT_READ_AHEAD)),
    )


def _processors(path: DocumentPath, node: Mapping[str, Any]) -> Iterator[ComponentDefinition]:
    for index, each in enumerate(node.get("processors", ())):
        yield _component("processor", (*path, "processors", index), each)


def _component(role: str, path: DocumentPath, node: Mapping[str, Any]) -> ComponentDefinition:
    options = {key: value for key, value in node.items() if key != "type"}
    return ComponentDefinition(role, node["type"], options, path_text(path))


def _transition(node: Mapping[str, Any]) -> Transition:
    outcomes = {key: node[key] or code for key, code in _EXIT_CODES.items() if key in node}
    given = {key: node[key] for key in ("on", "to", "restart") if key in node}
    return Transition(source=node["from"], **given, **outcomes)
