"""graph: the tree at any width, Mermaid, DOT and SVG, with the marks of an execution."""

from __future__ import annotations

import re
from io import StringIO
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.cli.rendering.graph.dot import dot_of
from batchrun.cli.rendering.graph.layout import lay_out
from batchrun.cli.rendering.graph.mermaid import mermaid_of
from batchrun.cli.rendering.graph.svg import svg_of
from batchrun.cli.rendering.graph.tree import show_tree, tree_of
from batchrun.cli.rendering.screen import Screen
from batchrun.domain.definition import FlowDefinition, JobDefinition, ParallelDefinition, Transition
from batchrun.domain.status import BatchStatus
from batchrun.operations.graph import JobGraph, graph_of
from tests.unit.cli.doubles import execution_of, step_of
from tests.unit.engine.bench import StepDefinition, chunk_step, tasklet_step

HOSTILE = "<&\"'> \\ \x1b[31m ]] #;|"


def job(code: str = "NOTHING TO DO") -> JobDefinition:
    branches = [FlowDefinition([chunk_step("left")], "left"), FlowDefinition([tasklet_step("right")], "right")]
    states = [
        chunk_step("load"),
        tasklet_step("review"),
        StepDefinition("both", ParallelDefinition(branches)),
    ]
    transitions = [
        Transition("load", to="both"),
        Transition("load", "COMPLETED WITH SKIPS", to="review"),
        Transition("load", "FAILED", fail="BAD INPUT"),
        Transition("review", "AGAIN", to="load"),
        Transition("review", "*", end=code),
        Transition("both", stop="STOPPED", restart="review"),
    ]
    return JobDefinition("settle", FlowDefinition(states, "load", transitions))


def run() -> JobGraph:
    first = execution_of(step_of("load", read=10, write=9), id=7, status=BatchStatus.FAILED)
    second = execution_of(
        step_of("review", BatchStatus.FAILED, description="no"), id=8, status=BatchStatus.FAILED, job_name="settle"
    )
    return graph_of(job(), [first, second])


TREE = """\
settle
├─ load  chunk: memory > memory
│    → both
│    on COMPLETED WITH SKIPS → review
│    on FAILED → fail BAD INPUT
├─ review  tasklet: memory
│    on AGAIN → load ↺
│    on * → end NOTHING TO DO
└─ both  parallel: 2 branches
     → stop, restart at review
   ├─ 1
   │  └─ left  chunk: memory > memory
   └─ 2
      └─ right  tasklet: memory
"""


def test_the_tree_shows_states_transitions_branches_and_ends() -> None:
    assert tree_of(graph_of(job())) == TREE


def test_the_states_of_an_execution_are_marked_over_all_its_attempts() -> None:
    lines = tree_of(run()).splitlines()
    assert lines[0] == "settle, execution 8: ✗ FAILED"
    assert lines[1] == "├─ ✓ load  chunk: memory > memory  COMPLETED, 10 read, 9 written"
    assert lines[5] == "├─ ✗ review  tasklet: memory  FAILED"
    assert lines[8] == "└─ · both  parallel: 2 branches"


@pytest.mark.parametrize("width", [30, 60])
def test_the_tree_keeps_to_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    text = StringIO()
    screen = Screen(no_color=True, file=text)
    monkeypatch.setattr(Screen, "width", width)
    show_tree(screen, run())
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) < width
    assert ("│      read, 9 written" in lines) == (width == 30)


def test_the_tree_does_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "is_unicode", False)
    told = tree_of(run())
    assert told.isascii()
    assert "|    on AGAIN -> load (back)\n" in told


def test_mermaid_quotes_what_is_its_own_language() -> None:
    told = mermaid_of(graph_of(job(HOSTILE)))
    assert told.startswith("flowchart TD\n")
    assert "subgraph s2[" in told
    [end] = [line for line in told.splitlines() if "end " in line and "#lt;" in line]
    assert end.endswith('(["end #lt;#amp;#quot;\'#gt; \\ �[31m ]] #35;;|"])')
    assert mermaid_of(run()).count("class s0 good") == 1


def test_dot_quotes_names_and_leads_edges_to_clusters() -> None:
    told = dot_of(graph_of(job(HOSTILE)))
    assert '"load" -> "left" [lhead="cluster both"];' in told
    assert "\\\"'> \\\\ " in told


def test_svg_is_well_formed_whatever_the_texts() -> None:
    root = ElementTree.fromstring(svg_of(graph_of(job(HOSTILE))))
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "end <&\"'> \\ �[31m ]] #;|" in texts
    assert "load" in texts
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_svg_marks_by_color_and_sign() -> None:
    told = svg_of(run())
    assert "✓ load" in told
    assert "✗ review" in told
    assert 'class="box good"' in told
    assert 'class="box bad"' in told


def test_svg_is_readable_on_dark_ground() -> None:
    assert "prefers-color-scheme: dark" in svg_of(run())


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    names = [f"n{place}" for place in range(draw(st.integers(1, 9)))]
    sizes = {name: (draw(st.floats(10, 200)), draw(st.floats(10, 80))) for name in names}
    pairs = [(a, b) for a in names for b in names if a != b]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    return sizes, edges


@given(graphs())
def test_no_two_nodes_of_a_layout_overlap(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    layout = lay_out(*graph)
    boxes = list(layout.boxes.values())
    for place, one in enumerate(boxes):
        assert one.x - one.width / 2 >= -0.01
        assert one.x + one.width / 2 <= layout.width + 0.01
        for other in boxes[:place]:
            apart_x = abs(one.x - other.x) >= (one.width + other.width) / 2 - 0.01
            apart_y = abs(one.y - other.y) >= (one.height + other.height) / 2 - 0.01
            assert apart_x or apart_y
    assert [(route.source, route.target) for route in layout.routes] == graph[1]


def test_the_size_of_an_image_is_that_of_its_content() -> None:
    width, height = re.search(r'width="(\d+)" height="(\d+)"', svg_of(graph_of(job()))).groups()  # type: ignore[union-attr]
    assert 200 < int(width) < 800
    assert 200 < int(height) < 800
