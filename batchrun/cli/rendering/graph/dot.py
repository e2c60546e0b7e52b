"""The graph in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from batchrun.cli.rendering.graph.labels import edge_words, end_words, mark_words, state_words
from batchrun.domain.status import BatchStatus
from batchrun.operations.graph import FlowGraph, GraphEdge, GraphState, JobGraph

_COLORS = {BatchStatus.COMPLETED: "#2da44e", BatchStatus.FAILED: "#cf222e"}
_HEAD = [
    "    compound=true;",
    '    node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
    '    edge [fontname="sans-serif", fontsize=10];',
]


def dot_of(graph: JobGraph) -> str:
    """Returns the whole text."""
    lines = _Drawing().flow(graph.flow, "    ")
    return "\n".join([f"digraph {_quoted(graph.job_name)} {{", *_HEAD, *lines, "}", ""])


class _Drawing:
    def __init__(self) -> None:
        self._states: dict[str, GraphState] = {}
        self._ends = 0

    def flow(self, flow: FlowGraph, indent: str) -> Iterator[str]:
        for state in flow.states:
            self._states[state.name] = state
            yield from self._state(state, indent)
        for edge in flow.edges:
            yield from self._edge(edge, indent)

    def _state(self, state: GraphState, indent: str) -> Iterator[str]:
        label = _label(state)
        color = "" if state.mark is None else f', color="{_COLORS.get(state.mark.status, "#bf8700")}"'
        if not state.flows:
            shape = ", shape=diamond" if state.kind == "decision" else ""
            yield f"{indent}{_quoted(state.name)} [label={label}{shape}{color}];"
            return
        yield f"{indent}subgraph {_cluster(state)} {{"
        yield f"{indent}    label={label};"
        for flow in state.flows:
            yield from self.flow(flow, indent + "    ")
        yield f"{indent}}}"

    def _edge(self, edge: GraphEdge, indent: str) -> Iterator[str]:
        label = f"label={_quoted(on)}" if (on := edge_words(edge)) else ""
        source = self._states[edge.source]
        tail = f"ltail={_cluster(source)}" if source.flows else ""
        if edge.target is None:
            self._ends += 1
            target, head = f"end {self._ends}", ""
            yield f"{indent}{_quoted(target)} [label={_quoted(end_words(edge))}, shape=plaintext];"
        else:
            reached = self._states[edge.target]
            target, head = _first(reached), f"lhead={_cluster(reached)}" if reached.flows else ""
        options = ", ".join(filter(None, (label, tail, head)))
        yield f"{indent}{_quoted(_first(source))} -> {_quoted(target)}{f' [{options}]' if options else ''};"


def _first(state: GraphState) -> str:
    """Returns the name of a state that is a node: DOT draws no edge from or to a cluster itself."""
    return _first(state.flows[0].states[0]) if state.flows else state.name


def _cluster(state: GraphState) -> str:
    return _quoted(f"cluster {state.name}")


def _label(state: GraphState) -> str:
    marked = [] if state.mark is None else [mark_words(state.mark)]
    return _quoted("\n".join([state.name, state_words(state), *marked]))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
