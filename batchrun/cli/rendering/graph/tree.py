"""The graph as a tree of text: states in order of declaration, below each the transitions that leave it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import NamedTuple

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.graph.labels import edge_words, end_words, mark_words, state_words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.operations.graph import End, FlowGraph, GraphEdge, GraphState, JobGraph

_HANGING = 4


class _Signs(NamedTuple):
    """The characters that a tree is drawn with."""

    branch: str
    last: str
    line: str
    arrow: str
    back: str
    not_run: str


_UNICODE = _Signs("├─ ", "└─ ", "│  ", "→", "↺", "·")
_PLAIN = _Signs("|- ", "`- ", "|  ", "->", "(back)", ".")
_END_STYLES = {End.END: "green", End.FAIL: "red", End.STOP: "yellow"}


def show_tree(screen: Screen, graph: JobGraph) -> None:
    """Prints the tree."""
    title = Text(cleaned(graph.job_name), style="bold")
    if graph.execution is not None:
        title += Text.assemble(
            f", execution {graph.execution.id}: ",
            words.status_word(graph.execution.status, unicode=screen.is_unicode),
        )
    screen.print(*screen.wrapped(title, indent=_HANGING))
    screen.print(*_Tree(screen, is_marked=graph.execution is not None).flow(graph.flow, ""))


def tree_of(graph: JobGraph) -> str:
    """Returns the tree as text for a file."""
    text = StringIO()
    show_tree(Screen(no_color=True, file=text), graph)
    return text.getvalue()


class _Tree:
    """Draws flows; each line begins with the guides of those around it."""

    def __init__(self, screen: Screen, *, is_marked: bool) -> None:
        self._screen = screen
        self._is_marked = is_marked
        self._signs = _UNICODE if screen.is_unicode else _PLAIN

    def flow(self, flow: FlowGraph, guide: str) -> Iterator[Text]:
        for state in flow.states:
            is_last = state is flow.states[-1]
            head = guide + (self._signs.last if is_last else self._signs.branch)
            below = guide + ("   " if is_last else self._signs.line)
            is_start = state.name == flow.start and state is not flow.states[0]
            yield from self._lines(self._state(state, is_start=is_start), head, below)
            for edge in () if flow.in_order else flow.leaving(state.name):
                yield from self._lines(self._edge(edge), below + "  ", below + "  ")
            yield from self._inside(state.flows, below)

    def _inside(self, flows: Sequence[FlowGraph], guide: str) -> Iterator[Text]:
        if len(flows) == 1:
            yield from self.flow(flows[0], guide)
            return
        for number, flow in enumerate(flows, 1):
            is_last = number == len(flows)
            yield Text.assemble((guide + (self._signs.last if is_last else self._signs.branch), "dim"), f"{number}")
            yield from self.flow(flow, guide + ("   " if is_last else self._signs.line))

    def _state(self, state: GraphState, *, is_start: bool) -> Text:
        line = Text.assemble((cleaned(state.name), "bold"), "  ", (state_words(state), "dim"))
        if is_start:
            line.append("  (start)", style="cyan")
        if not self._is_marked:
            return line
        if state.mark is None:
            return Text.assemble((f"{self._signs.not_run} ", "bright_black"), line)
        sign = words.status_sign(state.mark.status, unicode=self._screen.is_unicode)
        told = Text(f"  {mark_words(state.mark)}", style=words.status_style(state.mark.status))
        return Text.assemble(sign, " ", line, told)

    def _edge(self, edge: GraphEdge) -> Text:
        on = edge_words(edge)
        line = Text.assemble((f"on {on} " if on else "", "cyan"), f"{self._signs.arrow} ")
        if edge.end is not None:
            return line.append(end_words(edge), style=_END_STYLES[edge.end])
        assert edge.target is not None
        line.append(cleaned(edge.target))
        return line.append(f" {self._signs.back}", style="yellow") if edge.is_back else line

    def _lines(self, content: Text, head: str, below: str) -> Iterator[Text]:
        """Yields the content wrapped beside its guides."""
        lines = self._screen.wrapped(content, first_indent=len(head), indent=len(below) + _HANGING)
        for line in lines:
            guide = head if line is lines[0] else below
            yield Text(guide, style="dim") + line[len(guide) :]
