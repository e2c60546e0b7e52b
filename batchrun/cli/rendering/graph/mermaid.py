"""The graph as a Mermaid flowchart, as hosts of git repositories show it in a document."""

from __future__ import annotations

from collections.abc import Iterator

from batchrun.cli.rendering.graph.labels import edge_words, end_words, mark_words, state_words
from batchrun.domain.status import BatchStatus
from batchrun.operations.graph import FlowGraph, GraphEdge, GraphState, JobGraph

_STYLES = {
    "good": "stroke:#2da44e,stroke-width:2px",
    "bad": "stroke:#cf222e,stroke-width:2px",
    "open": "stroke:#bf8700,stroke-width:2px",
}


def mermaid_of(graph: JobGraph) -> str:
    """Returns the whole text."""
    return "\n".join(["flowchart TD", *_Chart().flow(graph.flow, "    "), *_styles(graph), ""])


def _styles(graph: JobGraph) -> list[str]:
    if graph.execution is None:
        return []
    return [f"    classDef {name} {style}" for name, style in _STYLES.items()]


class _Chart:
    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._ends = 0

    def flow(self, flow: FlowGraph, indent: str) -> Iterator[str]:
        for state in flow.states:
            self._ids[state.name] = f"s{len(self._ids)}"
            yield from self._state(state, indent)
        for edge in flow.edges:
            yield from self._edge(edge, indent)

    def _state(self, state: GraphState, indent: str) -> Iterator[str]:
        own, label = self._ids[state.name], _quoted(*_state_lines(state))
        if state.flows:
            yield f"{indent}subgraph {own}[{label}]"
            for number, flow in enumerate(state.flows):
                yield f"{indent}    subgraph {own}_{number}[{_quoted(' ')}]"
                yield from self.flow(flow, indent + "        ")
                yield f"{indent}    end"
            yield f"{indent}end"
        else:
            yield f"{indent}{own}{{{label}}}" if state.kind == "decision" else f"{indent}{own}[{label}]"
        if state.mark is not None:
            yield f"{indent}class {own} {_class(state.mark.status)}"

    def _edge(self, edge: GraphEdge, indent: str) -> Iterator[str]:
        on = edge_words(edge)
        arrow = f"-->|{_quoted(on)}|" if on else "-->"
        if edge.target is not None:
            yield f"{indent}{self._ids[edge.source]} {arrow} {self._ids[edge.target]}"
            return
        self._ends += 1
        yield f"{indent}{self._ids[edge.source]} {arrow} e{self._ends}([{_quoted(end_words(edge))}])"


def _state_lines(state: GraphState) -> list[str]:
    marked = [] if state.mark is None else [mark_words(state.mark)]
    return [state.name, state_words(state), *marked]


def _quoted(*lines: str) -> str:
    """Returns a label in quotes, with Mermaid's own entities for what it would read as its language."""
    marks = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\n": " "}
    return '"' + "<br>".join("".join(marks.get(each, each) for each in line) for line in lines) + '"'


def _class(status: BatchStatus) -> str:
    if status is BatchStatus.COMPLETED:
        return "good"
    return "bad" if status is BatchStatus.FAILED else "open"
