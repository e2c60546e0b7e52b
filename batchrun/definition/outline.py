"""The outline of a job file: its parts with their places; what has the wrong shape is left out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from batchrun.definition.document import DocumentPath
from batchrun.definition.states import Namespace, State

COMPONENT_KEYS = {
    "reader": "reader",
    "processors": "processor",
    "writer": "writer",
    "rejects": "reject_sink",
    "tasklet": "tasklet",
    "decision": "decider",
    "listeners": "listener",
}
"""The keys of a step that hold components, with their roles, in the order that items pass through them."""

_LISTS = ("processors", "listeners")


class Part(NamedTuple):
    """A component's node as it stands in the file; the state is None where it is the job's own."""

    role: str
    path: DocumentPath
    state: State | None
    node: Any


@dataclass(frozen=True)
class Outline:
    """A job file's plain values; every accessor copes with a value of the wrong shape."""

    plain: Mapping[str, Any]

    @cached_property
    def job(self) -> Namespace:
        """The namespace of the job's own steps."""
        return Namespace(self.plain, ())

    @cached_property
    def states(self) -> list[State]:
        """The states of all flows; those of a nested flow behind the states around it."""
        return [state for namespace in self.job.walk() for state in namespace.states]

    @cached_property
    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """The declared parameters by name; one without any options is empty."""
        return {
            str(name): declared if isinstance(declared, dict) else {}
            for name, declared in self._mapping("parameters").items()
        }

    @cached_property
    def databases(self) -> dict[str, Any]:
        """The databases by name."""
        return self._mapping("databases")

    def components(self) -> Iterator[Part]:
        """Yields the components of each step, in the order items pass through them, and then those of the job."""
        for state in self.states:
            for key, role in COMPONENT_KEYS.items():
                yield from _parts(role, (*state.path, key), state, state.node)
        yield from _parts("listener", ("listeners",), None, self.plain)

    def owner(self, path: DocumentPath) -> tuple[str, DocumentPath]:
        """Returns whose option a path is, in words, and the rest of the path."""
        match path:
            case ("parameters", str(name), *rest):
                return f"parameter {name!r}", tuple(rest)
            case _:
                place = _step_place(path)
        around = self._title(path[:place])
        match path[place + 1 :] if path[place : place + 1] == ("include",) else path[place:]:
            case ("flow", int(index), *inside):
                return f"transition {index + 1} of the flow{f' of {around}' if place else ''}", tuple(inside)
            case () if path[place:]:
                return f"the flow of {around}", ()
            case inside:
                return around, inside

    def _title(self, path: DocumentPath) -> str:
        if not path:
            return "the job"
        node: Any = self.plain
        for each in path:
            node = node[each]
        name = node.get("name") if isinstance(node, dict) else None
        return f"step {name!r}" if isinstance(name, str) else f"step {int(path[-1]) + 1}"

    def _mapping(self, key: str) -> dict[str, Any]:
        value = self.plain.get(key)
        return value if isinstance(value, dict) else {}


def _step_place(path: DocumentPath) -> int:
    """Returns how much of a path leads to the innermost step on it."""
    place, at = 0, 0
    while at < len(path):
        match path[at : at + 3]:
            case ("steps", int(), *_):
                place = at = at + 2
            case ("parallel", int(), str(), *_):
                place = at = at + 2
            case ("include", *_):
                at += 1
            case _:
                break
    return place


def _parts(role: str, path: DocumentPath, state: State | None, owner: Mapping[str, Any]) -> Iterator[Part]:
    """Yields the component under the last key of the path, or those of the list there."""
    key = str(path[-1])
    value = owner.get(key)
    if key not in _LISTS:
        if key in owner:
            yield Part(role, path, state, value)
        return
    for index, node in enumerate(value if isinstance(value, list) else ()):
        yield Part(role, (*path, index), state, node)
