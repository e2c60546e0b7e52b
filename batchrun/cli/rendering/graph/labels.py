"""The words of a graph, the same in every form."""

from __future__ import annotations

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import cleaned
from batchrun.cli.rendering.step_line import count_texts
from batchrun.operations.graph import End, GraphEdge, GraphState, Mark


def state_words(state: GraphState) -> str:
    """Returns what a state is and does, such as `decision: sql`."""
    return cleaned(f"{state.kind}: {state.what}" if state.what else state.kind)


def mark_words(mark: Mark) -> str:
    """Returns how a state has ended, how often it was entered, and what its last visit counted."""
    code = mark.exit_code if mark.exit_code not in (mark.status.name, "EXECUTING") else ""
    visits = f"{words.count(mark.visits)} visits" if mark.visits > 1 else ""
    told = (mark.status.name, cleaned(code), visits, *count_texts(mark.counts))
    return ", ".join(part for part in told if part)


def end_words(edge: GraphEdge) -> str:
    """Returns an end of the job, such as `end NOTHING TO DO`."""
    assert edge.end is not None
    usual = {End.END: "COMPLETED", End.FAIL: "FAILED", End.STOP: "STOPPED"}[edge.end]
    code = "" if edge.code == usual else f" {cleaned(edge.code)}"
    restart = f", restart at {cleaned(edge.restart)}" if edge.restart else ""
    return f"{edge.end}{code}{restart}"


def edge_words(edge: GraphEdge) -> str:
    """Returns the exit codes on which an edge is taken; nothing where that goes without saying."""
    return "" if edge.on == "COMPLETED*" else cleaned(edge.on)
