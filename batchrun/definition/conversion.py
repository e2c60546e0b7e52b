"""Makes the domain's job definition of a file whose shape has been found right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batchrun.definition.document import DocumentPath, path_text
from batchrun.definition.outline import Outline
from batchrun.definition.parameter_declaration import parameter_definition
from batchrun.definition.shape import role_keys
from batchrun.definition.states import Edge, FlowOutline, State
from batchrun.definition.tolerance import completion_definition, tolerance_definition
from batchrun.domain.definition import (
    DEFAULT_READ_AHEAD,
    ChildJobDefinition,
    ChunkDefinition,
    ComponentDefinition,
    DecisionDefinition,
    FlowDefinition,
    JobDefinition,
    ListenerDefinition,
    ParallelDefinition,
    StepDefinition,
    StepWorkDefinition,
    TaskletDefinition,
    Transition,
)
from batchrun.domain.durations import parse_duration

_EXIT_CODES = {"end": "COMPLETED", "fail": "FAILED", "stop": "STOPPED"}


def job_definition(outline: Outline) -> JobDefinition:
    """Returns the definition; the file must have no errors."""
    plain = outline.plain
    return JobDefinition(
        name=plain["name"],
        description=plain.get("description", ""),
        parameters=tuple(parameter_definition(name, declared) for name, declared in outline.parameters.items()),
        databases=dict(outline.databases),
        flow=_flow(outline.job.flows[0]),
        exit_codes={code: int(number) for code, number in plain.get("exit_codes", {}).items()},
        validators=tuple(plain.get("validators", ())),
        listeners=_listeners((), plain),
    )


def _flow(flow: FlowOutline) -> FlowDefinition:
    prefix = flow.namespace.prefix
    return FlowDefinition(
        states=tuple(_step(state) for state in flow.states),
        start=f"{prefix}{flow.start}",
        transitions=None if flow.is_in_order else tuple(_transition(edge, prefix) for edge in flow.edges),
    )


def _step(state: State) -> StepDefinition:
    node = state.node
    return StepDefinition(
        name=state.full_name,
        work=_work(state),
        allow_start_if_complete=node.get("allow_start_if_complete", False) or node.get("recompute", False),
        start_limit=_count(node.get("start_limit")),
        max_visits=_count(node.get("max_visits")),
        timeout=parse_duration(node["timeout"]) if node.get("timeout") is not None else None,
        promote=tuple(node.get("promote", ())),
        listeners=_listeners(state.path, node),
    )


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)


def _work(state: State) -> StepWorkDefinition:
    node, path = state.node, state.path
    if state.inner is not None:
        return _flow(state.inner.flows[0])
    if "parallel" in node:
        return ParallelDefinition(tuple(_flow(flow) for flow in state.namespace.flows if flow.holder is state))
    if "job" in node:
        return _child_job((*path, "job"), node["job"])
    if "decision" in node:
        return DecisionDefinition(_component("decider", (*path, "decision"), node["decision"]))
    if "tasklet" in node:
        return TaskletDefinition(_component("tasklet", (*path, "tasklet"), node["tasklet"]))
    return _chunk(path, node)


def _child_job(path: DocumentPath, node: str | Mapping[str, Any]) -> ChildJobDefinition:
    if isinstance(node, str):
        return ChildJobDefinition(node, path=path_text(path))
    is_skipped = node.get("if_complete") == "skip"
    return ChildJobDefinition(node["name"], dict(node.get("parameters", {})), is_skipped, path_text(path))


def _chunk(path: DocumentPath, node: Mapping[str, Any]) -> ChunkDefinition:
    return ChunkDefinition(
        reader=_component("reader", (*path, "reader"), node["reader"]),
        writer=_component("writer", (*path, "writer"), node["writer"]),
        processors=tuple(_processors(path, node)),
        completion=completion_definition(node),
        read_ahead=int(node.get("read_ahead", DEFAULT_READ_AHEAD)),
        tolerance=tolerance_definition(node),
        rejects=_component("reject_sink", (*path, "rejects"), node["rejects"]) if "rejects" in node else None,
    )


def _processors(path: DocumentPath, node: Mapping[str, Any]) -> Iterator[ComponentDefinition]:
    for index, each in enumerate(node.get("processors", ())):
        yield _component("processor", (*path, "processors", index), each)


def _listeners(path: DocumentPath, owner: Mapping[str, Any]) -> tuple[ListenerDefinition, ...]:
    return tuple(
        ListenerDefinition(_component("listener", (*path, "listeners", index), node), node.get("on_error") == "warn")
        for index, node in enumerate(owner.get("listeners", ()))
    )


def _component(role: str, path: DocumentPath, node: Mapping[str, Any]) -> ComponentDefinition:
    options = {key: value for key, value in node.items() if key not in ("type", *role_keys(role))}
    return ComponentDefinition(role, node["type"], options, path_text(path))


def _transition(edge: Edge, prefix: str) -> Transition:
    """Returns an edge with the names of its states as they are in the job."""
    node = edge.node
    outcomes = {key: node[key] or code for key, code in _EXIT_CODES.items() if key in node}
    names = {key: f"{prefix}{node[key]}" for key in ("to", "restart") if key in node}
    return Transition(f"{prefix}{edge.source}", edge.on, **names, **outcomes)
