"""Lints a flow as a graph: states that nothing reaches, ways that never end, and loops without a limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from batchrun.definition.findings import Findings
from batchrun.definition.states import Edge, FlowOutline

_END = ""
"""Stands for the end of the flow."""


def lint_graph(flow: FlowOutline, start: str, edges: Sequence[Edge], findings: Findings) -> None:
    """Adds what is wrong in the graph of a flow.

    Args:
        flow: the flow; it has states.
        start: the name of the state where it begins.
        edges: its transitions, those that follow from the order too.
        findings: gets what is wrong.
    """
    ways = {name: list(_ways(flow, name, edges)) for name in flow.names}
    reached = _reached([start], ways)
    _unreached(flow, start, reached, findings)
    _no_way_out(flow, [name for name in flow.names if name in reached], ways, findings)
    _loops(flow, edges, findings)


def _ways(flow: FlowOutline, name: str, edges: Sequence[Edge]) -> Iterator[str]:
    """Yields where a state leads, the end of the flow and the beginning of the next execution among it."""
    own = [edge for edge in edges if edge.source == name]
    if not own:
        yield _END
    for edge in own:
        if edge.to is not None:
            yield edge.to
        elif "to" not in edge.node:
            yield _END
        if "stop" in edge.node:
            yield from filter(None, (edge.restart or flow.after(name),))


def _reached(starts: Iterable[str], ways: dict[str, list[str]]) -> list[str]:
    reached = list(starts)
    for state in reached:
        reached += [each for each in dict.fromkeys(ways.get(state, ())) if each not in reached]
    return reached


def _unreached(flow: FlowOutline, start: str, reached: Sequence[str], findings: Findings) -> None:
    for state in flow.states:
        if state.name not in reached:
            is_ordered = flow.is_in_order
            hint = f"{_whole(flow)} starts at {start!r}, after it" if is_ordered else "no transition leads to it"
            findings.add((*state.path, "name"), f"step {state.name!r} is never reached", hint)


def _whole(flow: FlowOutline) -> str:
    return "the job" if flow.namespace.holder is None else "the flow"


def _no_way_out(flow: FlowOutline, names: Sequence[str], ways: dict[str, list[str]], findings: Findings) -> None:
    """Tells once of the states that go round for ever, at the first of them."""
    back = {name: [each for each in ways if name in ways[each]] for name in (*ways, _END)}
    ending = _reached([_END], back)
    stuck = [name for name in names if name not in ending]
    if stuck:
        listed = " and ".join(filter(None, (", ".join(map(repr, stuck[:-1])), repr(stuck[-1]))))
        what, whose = ("step", "it") if len(stuck) == 1 else ("steps", "one of them")
        state = flow.states[flow.names.index(stuck[0])]
        hint = f"give {whose} a transition on another exit code, out of the loop"
        findings.add((*state.path, "name"), f"no way leads from {what} {listed} to an end of the flow", hint)


def _loops(flow: FlowOutline, edges: Sequence[Edge], findings: Findings) -> None:
    """Warns of each transition that goes back, where nothing on the way round has a limit of visits."""
    limited = {state.name for state in flow.states if state.node.get("max_visits") is not None}
    ways = {
        name: [edge.to for edge in edges if edge.source == name and edge.to not in (None, *limited)]
        for name in flow.names
        if name not in limited
    }
    free = {name: [each for each in to if each is not None] for name, to in ways.items()}
    for edge in edges:
        if edge.path is None or edge.to is None or edge.source not in free or edge.to not in free:
            continue
        goes_back = flow.names.index(edge.to) <= flow.names.index(edge.source)
        if goes_back and edge.source in _reached([edge.to], free):
            message = f"the flow can go round from step {edge.to!r} to {edge.source!r} without a limit"
            findings.warn((*edge.path, "to"), message, "give a step on the way max_visits")
