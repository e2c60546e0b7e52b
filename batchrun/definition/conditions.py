"""What must hold between the keys of a step and of the steps: one kind of work each, and names of their own."""

from __future__ import annotations

from typing import NamedTuple

from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline
from batchrun.definition.states import State
from batchrun.errors import nearest


class _Kind(NamedTuple):
    """A kind of work.

    Attributes:
        title: in words.
        keys: those that only this kind has; any of them tells it.
        needed: those without which it is none.
        options: what else goes with it, of what does not go with all.
    """

    title: str
    keys: tuple[str, ...]
    needed: tuple[str, ...]
    options: tuple[str, ...]


_KINDS = (
    _Kind("a tasklet", ("tasklet",), ("tasklet",), ("allow_start_if_complete", "timeout", "promote")),
    _Kind("a decision", ("decision", "recompute"), ("decision",), ()),
    _Kind("branches", ("parallel",), ("parallel",), ("timeout",)),
    _Kind("a nested flow", ("steps", "flow", "start"), ("steps",), ("timeout",)),
    _Kind("an included flow", ("include",), ("include",), ("timeout",)),
    _Kind("a child job", ("job",), ("job",), ("timeout", "promote")),
    _Kind(
        "chunk work",
        ("reader", "processors", "writer", "chunk", "read_ahead", "skip", "retry", "on_write_error", "rejects"),
        ("reader", "writer"),
        ("allow_start_if_complete", "timeout", "promote"),
    ),
)
_KEYS = tuple(key for kind in _KINDS for key in kind.keys)
_OPTIONS = tuple(dict.fromkeys(key for kind in _KINDS for key in kind.options))
_INSTEAD = {"allow_start_if_complete": {"a decision": "it is 'recompute' for a decision"}}


def check_steps(outline: Outline, findings: Findings) -> None:
    """Adds steps with no work, half of it or two kinds of it, options that mean nothing, and names used twice."""
    first: dict[str, State] = {}
    for state in outline.states:
        _check_work(state, findings)
        if not state.name:
            continue
        if (same := first.setdefault(state.full_name, state)) is not state:
            line = findings.document.line_text((*same.path, "name"), seen_from=(*state.path, "name"))
            message = f"there is a step {state.full_name!r} already, in {line}"
            findings.add((*state.path, "name"), message, "rename one of them")


def _check_work(state: State, findings: Findings) -> None:
    kinds = [kind for kind in _KINDS if any(key in state.node for key in kind.keys)]
    if not kinds:
        if not any(_meant(state, key, findings) in _KEYS for key in state.node):
            message = f"{state.title} has no work"
            findings.add(state.path, message, "give it a reader and a writer, a tasklet, or another kind of work")
        return
    kind, *others = kinds
    if others:
        key = next(key for key in state.node if key in others[0].keys)
        message = f"{state.title} has {kind.title} and {key!r}: a step does one kind of work"
        findings.add((*state.path, key), message, "make two steps of it", key=True)
        return
    _check_missing(state, kind, findings)
    for key in (each for each in state.node if each in _OPTIONS and each not in kind.options):
        hint = _INSTEAD.get(key, {}).get(kind.title)
        findings.add((*state.path, key), f"{key!r} means nothing for {kind.title}", hint or "leave it out", key=True)


def _check_missing(state: State, kind: _Kind, findings: Findings) -> None:
    missing = [key for key in kind.needed if key not in state.node]
    if not missing or any(_meant(state, key, findings) in missing for key in state.node):
        return
    if kind.needed == ("reader", "writer"):
        hint = "chunk work is read by one and written by the other"
        findings.add(state.path, f"{state.title} needs a {' and a '.join(missing)}", hint)
        return
    key = next(key for key in state.node if key in kind.keys)
    findings.add((*state.path, key), f"{key!r} goes only with {missing[0]!r}", f"{state.title} has none", key=True)


def _meant(state: State, key: str, findings: Findings) -> str | None:
    """Returns the kind of work that an unknown key of the step is likely a misspelling of."""
    return nearest(key, _KEYS) if (*state.path, key) in findings.wrong else None
