"""Transition choice: the most specific pattern wins, whatever the order (SEMANTICS section 3)."""

from __future__ import annotations

import fnmatch
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.domain.definition import Transition
from batchrun.domain.flow import choose, matches, specificity

patterns = st.text(alphabet="AB*?", max_size=6)
exit_codes = st.text(alphabet="AB", max_size=6)


@pytest.mark.parametrize(
    ("pattern", "code", "expected"),
    [
        ("COMPLETED*", "COMPLETED", True),
        ("COMPLETED*", "COMPLETED WITH SKIPS", True),
        ("COMPLETED", "COMPLETED WITH SKIPS", False),
        ("completed", "COMPLETED", False),
        ("C?MPLETED", "COMPLETED", True),
        ("C?MPLETED", "CMPLETED", False),
        ("*", "", True),
        ("F.ILED", "FAILED", False),
        ("[A]", "A", False),
    ],
)
def test_patterns_match_the_whole_code(pattern: str, code: str, expected: bool) -> None:
    assert matches(pattern, code) is expected


@given(patterns, exit_codes)
def test_matching_agrees_with_the_shell(pattern: str, code: str) -> None:
    assert matches(pattern, code) is fnmatch.fnmatchcase(code, pattern)


def test_specificity_orders_by_literals_then_stars_then_text() -> None:
    ordered = ["COMPLETED*", "COMP*", "C**", "C??", "?", "*"]
    assert sorted(ordered, key=specificity) == ["COMPLETED*", "COMP*", "C??", "C**", "?", "*"]


@given(st.lists(patterns, unique=True, max_size=8), exit_codes, st.randoms())
def test_the_choice_does_not_depend_on_order(ons: list[str], code: str, shuffler: random.Random) -> None:
    edges = [Transition("a", on, to="b") for on in ons]
    chosen = choose(edges, "a", code)
    shuffler.shuffle(edges)
    assert choose(edges, "a", code) == chosen
    assert (chosen is None) == (not any(matches(on, code) for on in ons))


@given(st.lists(patterns, unique=True, max_size=8), exit_codes)
def test_the_choice_is_the_first_in_the_order_of_the_rules(ons: list[str], code: str) -> None:
    """More literal characters, then fewer `*`, then by the alphabet; sorted one by one, the least rule first."""
    matching = [on for on in ons if fnmatch.fnmatchcase(code, on)]
    matching.sort()
    matching.sort(key=lambda on: on.count("*"))
    matching.sort(key=lambda on: len(on.replace("*", "").replace("?", "")), reverse=True)
    chosen = choose([Transition("a", on, to="b") for on in ons], "a", code)
    assert (None if chosen is None else chosen.on) == (matching[0] if matching else None)


def test_only_the_states_own_transitions_count() -> None:
    assert choose([Transition("b", "*", to="c")], "a", "COMPLETED") is None
