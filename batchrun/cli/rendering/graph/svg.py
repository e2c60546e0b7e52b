"""The graph as an SVG image: no script, no font of its own, readable on light and on dark ground."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from rich.cells import cell_len

from batchrun.cli.rendering import words
from batchrun.cli.rendering.graph.labels import edge_words, end_words, mark_words, state_words
from batchrun.cli.rendering.graph.layout import Route, lay_out
from batchrun.domain.status import BatchStatus
from batchrun.operations.graph import FlowGraph, GraphState, JobGraph

_CHARACTER = 6.9
_LINE = 16.0
_PADDING = 12.0
_MARGIN = 16.0
_LABEL_HEIGHT = 14.0
_LONGEST = 48
_STYLE = """
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; text-anchor: middle }
.name { font-weight: bold } .dim { fill: #59636e }
.ground { fill: #ffffff }
.box { fill: #f6f8fa; stroke: #818b98 }
.group { fill: none; stroke: #818b98; stroke-dasharray: 4 3 }
.edge { fill: none; stroke: #818b98 } .arrow { fill: #818b98 }
.good { stroke: #1a7f37; stroke-width: 2 } .bad { stroke: #cf222e; stroke-width: 2 }
.open { stroke: #9a6700; stroke-width: 2 }
.end { stroke: #1a7f37 } .fail { stroke: #cf222e } .stop { stroke: #9a6700 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .dim { fill: #9198a1 }
  .ground { fill: #0d1117 }
  .box { fill: #161b22; stroke: #6e7681 } .group { stroke: #6e7681 }
  .edge { stroke: #6e7681 } .arrow { fill: #6e7681 }
  .good, .end { stroke: #3fb950 } .bad, .fail { stroke: #f85149 } .open, .stop { stroke: #d29922 }
}
"""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg_of(graph: JobGraph) -> str:
    """Returns the whole document."""
    drawn = _drawing(graph.flow)
    width, height = drawn.width + 2 * _MARGIN, drawn.height + 2 * _MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{_text(graph.job_name)}</title>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path class="arrow" d="M0 0 8 4 0 8z"/></marker></defs>',
            '<rect class="ground" width="100%" height="100%"/>',
            *drawn.at(_MARGIN, _MARGIN),
            "</svg>",
            "",
        ]
    )


@dataclass(slots=True)
class _Drawing:
    """Elements with their size, drawn from 0, 0."""

    width: float
    height: float
    elements: list[str] = field(default_factory=list)

    def at(self, x: float, y: float) -> Iterator[str]:
        yield f'<g transform="translate({x:.1f} {y:.1f})">'
        yield from self.elements
        yield "</g>"


def _drawing(flow: FlowGraph) -> _Drawing:
    """Draws a flow: each state, each end and each label of an edge is a node of the layout."""
    states = sorted(flow.states, key=lambda state: state.name != flow.start)
    nodes = {state.name: _state(state) for state in states}
    edges: list[tuple[str, str]] = []
    arrows: list[bool] = []
    for place, edge in enumerate(flow.edges):
        target = edge.target or f"\0end {edge.end} {edge.code} {edge.restart}"
        if edge.end is not None:
            nodes.setdefault(target, _end(end_words(edge), edge.end))
        on = edge_words(edge)
        if not on and target != edge.source:
            edges.append((edge.source, target))
            arrows.append(True)
            continue
        label = f"\0label {place}"
        nodes[label] = _label(on or "again")
        edges += [(edge.source, label), (label, target)]
        arrows += [False, True]
    layout = lay_out({name: (node.width, node.height) for name, node in nodes.items()}, edges)
    drawn = _Drawing(layout.width, layout.height)
    drawn.elements += [_path(route, has_arrow=arrow) for route, arrow in zip(layout.routes, arrows, strict=True)]
    for name, node in nodes.items():
        box = layout.boxes[name]
        drawn.elements += node.at(box.x - box.width / 2, box.y - box.height / 2)
    return drawn


def _state(state: GraphState) -> _Drawing:
    lines = [("name", _named(state)), ("dim", _shortened(state_words(state)))]
    if state.mark is not None:
        lines.append(("dim", _shortened(mark_words(state.mark))))
    shape = "box" if not state.flows else "group"
    classes = f"{shape} {'' if state.mark is None else _class(state.mark.status)}".strip()
    head = _block(lines)
    inner = [_drawing(flow) for flow in state.flows]
    width, height = _around(head, inner)
    radius = 14 if state.kind == "decision" else 5
    drawn = _Drawing(width, height, [_rectangle(width, height, classes, radius)])
    drawn.elements += head.at((width - head.width) / 2, 0)
    x = (width - sum(each.width + 2 * _PADDING for each in inner)) / 2
    for each in inner:
        drawn.elements += each.at(x + _PADDING, head.height + _PADDING)
        x += each.width + 2 * _PADDING
    return drawn


def _around(head: _Drawing, inner: Sequence[_Drawing]) -> tuple[float, float]:
    width = max(head.width, sum(each.width + 2 * _PADDING for each in inner))
    return width, head.height + (max(each.height for each in inner) + 2 * _PADDING if inner else 0)


def _named(state: GraphState) -> str:
    sign = "" if state.mark is None else f"{words.status_sign(state.mark.status).plain} "
    return sign + _shortened(state.name)


def _end(said: str, style: str) -> _Drawing:
    block = _block([("", _shortened(said))])
    rectangle = _rectangle(block.width, block.height, f"box {style}", block.height / 2)
    return _Drawing(block.width, block.height, [rectangle, *block.elements])


def _label(said: str) -> _Drawing:
    text = _shortened(said)
    width = cell_len(text) * _CHARACTER
    return _Drawing(
        width,
        _LABEL_HEIGHT,
        [
            f'<rect class="ground" width="{width:.1f}" height="{_LABEL_HEIGHT}"/>',
            f'<text class="dim" x="{width / 2:.1f}" y="11">{_text(text)}</text>',
        ],
    )


def _block(lines: Sequence[tuple[str, str]]) -> _Drawing:
    """Draws lines of text below each other."""
    width = max(cell_len(text) for _, text in lines) * _CHARACTER + 2 * _PADDING
    elements = [
        f'<text class="{style}" x="{width / 2:.1f}" y="{_LINE * (place + 1) + 2:.1f}">{_text(text)}</text>'
        for place, (style, text) in enumerate(lines)
    ]
    return _Drawing(width, _LINE * len(lines) + 12, elements)


def _rectangle(width: float, height: float, classes: str, radius: float) -> str:
    return f'<rect class="{classes}" width="{width:.1f}" height="{height:.1f}" rx="{radius:.0f}"/>'


def _path(route: Route, *, has_arrow: bool) -> str:
    """Draws an edge as a line that leaves and enters every row upright."""
    (x, y), *rest = route.points
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        middle = (y + to_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    arrow = ' marker-end="url(#arrow)"' if has_arrow else ""
    return f'<path class="edge" d="{" ".join(parts)}"{arrow}/>'


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(text: str) -> str:
    """Returns a text as XML takes it."""
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def _class(status: BatchStatus) -> str:
    if status is BatchStatus.COMPLETED:
        return "good"
    return "bad" if status is BatchStatus.FAILED else "open"
