"""Which transition a flow takes: patterns on exit codes, the most specific first (SEMANTICS section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from batchrun.domain.definition import Transition


def specificity(pattern: str) -> tuple[int, int, str]:
    """Returns the sort key of a pattern, smallest first: more literal characters, then fewer `*`, then the text.

    `COMPLETED` is (-9, 0, …), `COMPLETED*` (-9, 1, …), `*` (0, 1, …). Spring Batch sorts by its own comparator
    over wildcards; here the count of literal characters decides.
    """
    literals = sum(1 for character in pattern if character not in "*?")
    return (-literals, pattern.count("*"), pattern)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(character) or re.escape(character) for character in pattern), re.DOTALL)


def matches(pattern: str, exit_code: str) -> bool:
    """Tells whether the pattern takes the whole exit code; case counts; `*` is any run, `?` one character."""
    return _expression(pattern).fullmatch(exit_code) is not None


def choose(transitions: Iterable[Transition], state: str, exit_code: str) -> Transition | None:
    """Returns the most specific transition of the state that matches the exit code, or None."""
    candidates = [edge for edge in transitions if edge.source == state and matches(edge.on, exit_code)]
    return min(candidates, key=lambda edge: specificity(edge.on), default=None)


def has_transitions(transitions: Iterable[Transition], state: str) -> bool:
    """Tells whether any transition leaves the state; one without any ends the job."""
    return any(edge.source == state for edge in transitions)
