"""FlowPosition: what a restart goes on by, of a size that loops do not raise (SEMANTICS section 3)."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from batchrun.domain.position import Address, FlowPosition, Inside

_STATES = st.sampled_from("abcde")


def entered(*states: str) -> FlowPosition:
    position = FlowPosition()
    for state in states:
        position = position.enter(state)
    return position


@given(st.lists(_STATES))
def test_a_position_is_what_was_entered(states: list[str]) -> None:
    position = entered(*states)
    assert position.state == (states[-1] if states else None)
    assert position.visit == (states.count(states[-1]) if states else 0)
    assert position.visits == {state: states.count(state) for state in set(states)}
    assert sorted(position.path) == sorted(set(states))
    for before, after in pairwise(states):
        assert before in position.edges
        assert after in position.visits


def test_an_edge_is_where_the_flow_went_when_it_last_left_the_state() -> None:
    position = entered(*"abcbd")
    assert position.path == ("a", "c", "b", "d")
    assert position.edges == {"a": "b", "b": "d", "c": "b"}


def test_going_back_undoes_the_last_entries_behind_a_state() -> None:
    position = entered(*"ababc")
    assert position.back_to("a") == FlowPosition(("a",), {"a": 2, "b": 1}, position.edges)
    assert position.back_to("a").enter("b").visit == 2


def test_a_loop_makes_a_position_no_longer() -> None:
    def size(rounds: int) -> int:
        return len(json.dumps(entered(*"ab" * rounds).as_dict()))

    assert size(100_000 // 2) <= size(10) + 10


def inside(visit: int, place: int = 0) -> Address:
    return (Inside("split", visit, place),)


def test_the_flows_inside_a_state_stand_apart() -> None:
    position = entered("split").with_at(inside(1, 1), entered("x", "y"))
    assert position.at(inside(1, 0)) == FlowPosition()
    assert position.at(inside(1, 1)) == entered("x", "y")
    assert position.at(()) == position


def test_another_visit_begins_the_flows_inside_anew_and_counts_on() -> None:
    position = entered("split").with_at(inside(1, 0), entered("x")).with_at(inside(1, 1), entered("y"))
    second = position.with_at(inside(2, 0), position.at(inside(2, 0)).enter("x"))
    assert (second.at(inside(2, 0)).visit, second.at(inside(2, 1)).state) == (2, None)
    assert second.at(inside(2, 1)).enter("y").visit == 2


def test_flows_inside_flows_are_reached_by_their_address() -> None:
    deep = (Inside("split", 1, 1), Inside("inner", 3, 2))
    position = FlowPosition().with_at(deep, entered("z"))
    assert position.at(deep) == entered("z")
    assert position.at(deep[:1]).at((deep[1]._replace(visit=4),)).state is None


@given(st.lists(_STATES), st.lists(_STATES), st.integers(0, 2))
def test_a_position_comes_back_from_json(outer: list[str], inner: list[str], place: int) -> None:
    position = entered(*outer).with_at(inside(1, place), entered(*inner))
    assert FlowPosition.from_dict(json.loads(json.dumps(position.as_dict()))) == position
