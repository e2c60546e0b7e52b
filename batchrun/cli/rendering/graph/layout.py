"""A layered layout: nodes of given sizes in rows, edges downwards between them, as few crossings as a few sweeps find.

The steps are those of Sugiyama, Tagawa and Toda (1981): turn back edges round, give each node a row, let a long edge
pass each row between, order the rows by their neighbours' places, and move what can be moved above its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP = 24.0
ROW_GAP = 34.0
_SWEEPS = 6
_ASIDE = 18.0
"""How far from a node's middle a back edge comes in, so that it is not drawn over the edges that go out."""


@dataclass(slots=True)
class Box:
    """A node: its size, and its place once it has one, as the middle of it."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """An edge as drawn: the points that it passes from its source's lower or upper side to its target's."""

    source: str
    target: str
    points: Sequence[tuple[float, float]]


@dataclass(slots=True)
class Layout:
    """A drawing of nodes and edges, its upper left corner at 0, 0.

    Attributes:
        boxes: all nodes by their names.
        routes: in the order of the edges.
    """

    boxes: dict[str, Box]
    routes: list[Route] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def lay_out(sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Returns where nodes and edges go.

    Args:
        sizes: width and height of each node; the first one begins.
        edges: source and target; none leads to its own source.
    """
    boxes = {name: Box(*size) for name, size in sizes.items()}
    back = _back_edges(list(sizes), edges)
    downwards = [(b, a) if (a, b) in back else (a, b) for a, b in edges]
    _give_rows(boxes, downwards)
    chains = [_chain(boxes, edge, place) for place, edge in enumerate(downwards)]
    rows = _ordered(boxes, chains)
    _place(boxes, rows, chains)
    layout = Layout({name: boxes[name] for name in sizes})
    for edge, chain in zip(edges, chains, strict=True):
        layout.routes.append(_route(boxes, edge, chain, is_back=edge in back))
    _normalize(layout, boxes)
    return layout


def _back_edges(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Returns the edges that close a circle, found by a walk from the first node on."""
    following = {name: [b for a, b in edges if a == name] for name in names}
    back: set[tuple[str, str]] = set()
    done: set[str] = set()
    for first in names:
        path: list[tuple[str, list[str]]] = [] if first in done else [(first, list(following[first]))]
        on_path = {first} if path else set()
        while path:
            name, left = path[-1]
            if not left:
                path.pop()
                on_path.discard(name)
                done.add(name)
                continue
            target = left.pop(0)
            if target in on_path:
                back.add((name, target))
            elif target not in done:
                path.append((target, list(following[target])))
                on_path.add(target)
    return back


def _give_rows(boxes: Mapping[str, Box], edges: Sequence[tuple[str, str]]) -> None:
    """Puts each node below all that lead to it."""
    for _ in boxes:
        moved = False
        for a, b in edges:
            if boxes[b].row <= boxes[a].row:
                boxes[b].row, moved = boxes[a].row + 1, True
        if not moved:
            return


def _chain(boxes: dict[str, Box], edge: tuple[str, str], place: int) -> list[str]:
    """Returns the nodes that an edge passes, with one of no height in each row between its ends."""
    source, target = edge
    chain = [source]
    for row in range(boxes[source].row + 1, boxes[target].row):
        name = f"\0{place}.{row}"
        boxes[name] = Box(8.0, 0.0, row=row)
        chain.append(name)
    return [*chain, target]


def _ordered(boxes: Mapping[str, Box], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """Returns the rows, each in an order that follows its neighbours."""
    rows: list[list[str]] = [[] for _ in range(max(box.row for box in boxes.values()) + 1)]
    for name, box in boxes.items():
        rows[box.row].append(name)
    above, below = _neighbours(boxes, chains)
    for sweep in range(_SWEEPS):
        around = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            places = {name: place for each in rows for place, name in enumerate(each)}
            wanted = {name: _mean([places[each] for each in around[name]], places[name]) for name in row}
            row.sort(key=wanted.__getitem__)
    return rows


def _neighbours(
    boxes: Mapping[str, Box], chains: Sequence[Sequence[str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {name: [] for name in boxes}
    below: dict[str, list[str]] = {name: [] for name in boxes}
    for chain in chains:
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _place(boxes: Mapping[str, Box], rows: Sequence[Sequence[str]], chains: Sequence[Sequence[str]]) -> None:
    """Gives every node its place: rows below each other, and in each row near the middle of its neighbours."""
    y = 0.0
    for row in rows:
        height = max(boxes[name].height for name in row)
        x = 0.0
        for name in row:
            box = boxes[name]
            box.x, box.y = x + box.width / 2, y + height / 2
            x += box.width + GAP
        y += height + ROW_GAP
    above, below = _neighbours(boxes, chains)
    for sweep in range(2 * _SWEEPS):
        around = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            _shift(boxes, row, {name: _mean([boxes[n].x for n in around[name]], boxes[name].x) for name in row})


def _shift(boxes: Mapping[str, Box], row: Sequence[str], wanted: Mapping[str, float]) -> None:
    """Moves a row's nodes to where they want to be, as far as their order and their widths allow."""
    least = None
    for name in row:
        box = boxes[name]
        box.x = wanted[name] if least is None else max(wanted[name], least + box.width / 2)
        least = box.x + box.width / 2 + GAP
    offset = sum(wanted[name] - boxes[name].x for name in row) / len(row)
    for name in row:
        boxes[name].x += offset


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _route(boxes: Mapping[str, Box], edge: tuple[str, str], chain: Sequence[str], *, is_back: bool) -> Route:
    first, *between, last = (boxes[name] for name in chain)
    aside = min(first.width / 4, _ASIDE) if is_back else 0.0
    points = [(first.x + aside, first.y + first.height / 2), *((box.x, box.y) for box in between)]
    points.append((last.x, last.y - last.height / 2))
    return Route(*edge, list(reversed(points)) if is_back else points)


def _normalize(layout: Layout, boxes: Mapping[str, Box]) -> None:
    """Moves everything so that the drawing begins at 0, 0."""
    left = min(box.x - box.width / 2 for box in boxes.values())
    for box in boxes.values():
        box.x -= left
    layout.routes = [
        Route(route.source, route.target, [(x - left, y) for x, y in route.points]) for route in layout.routes
    ]
    layout.width = max(box.x + box.width / 2 for box in boxes.values())
    layout.height = max(box.y + box.height / 2 for box in boxes.values())
