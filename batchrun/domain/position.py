"""Where a flow stands, kept in the repository so that a restart goes on there (Spring Batch keeps no such thing)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple


class Inside(NamedTuple):
    """Leads into a state: at which visit, and to which of the flows inside it, 0 for the first branch."""

    state: str
    visit: int
    place: int = 0


Address = tuple[Inside, ...]
"""Which flow of a job: empty is its own, `(Inside("exports", 1, 1),)` the second branch of the state `exports`."""


@dataclass(frozen=True, slots=True)
class FlowPosition:
    """The states that a flow has entered, and where the flows inside them stand.

    Saved before each state is entered. Its size goes with the number of states, not with how often a loop was taken.

    Attributes:
        path: the states on the way, each once, by when it was entered last; the last one is where the flow stands.
        visits: how many times each state has been entered in the job instance.
        edges: where the flow went when it last left a state.
        nested: the flows inside a state, by the state's name.
    """

    path: tuple[str, ...] = ()
    visits: Mapping[str, int] = field(default_factory=dict)
    edges: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, NestedPosition] = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """The state entered last, or None before the first."""
        return self.path[-1] if self.path else None

    @property
    def visit(self) -> int:
        """How many times that state has been entered; 1 at its first time, 0 before any."""
        return self.visits[self.path[-1]] if self.path else 0

    def enter(self, state: str) -> FlowPosition:
        """Returns the position after entering the state once more."""
        edges = self.edges if self.state is None else {**self.edges, self.state: state}
        path = (*(each for each in self.path if each != state), state)
        return replace(self, path=path, visits={**self.visits, state: self.visits.get(state, 0) + 1}, edges=edges)

    def back_to(self, state: str) -> FlowPosition:
        """Returns the position as it was before the flow left the state the last time: later entries are undone."""
        place = self.path.index(state) + 1
        visits = dict(self.visits)
        for undone in self.path[place:]:
            visits[undone] -= 1
        return replace(self, path=self.path[:place], visits={name: count for name, count in visits.items() if count})

    def rewound(self) -> FlowPosition:
        """Returns the position before the first state, for another walk through the flow; visits go on counting."""
        return replace(self, path=(), edges={})

    def at(self, address: Address) -> FlowPosition:
        """Returns the position of a flow inside this one; at another visit than before, that flow begins anew."""
        if not address:
            return self
        into, *rest = address
        nested = self.nested.get(into.state, NestedPosition())
        return nested.flow(into).at(tuple(rest))

    def with_at(self, address: Address, position: FlowPosition) -> FlowPosition:
        """Returns this position with another one for a flow inside it."""
        if not address:
            return position
        into, *rest = address
        nested = self.nested.get(into.state, NestedPosition())
        inner = nested.flow(into).with_at(tuple(rest), position)
        return replace(self, nested={**self.nested, into.state: nested.with_flow(into, inner)})

    def as_dict(self) -> dict[str, Any]:
        """Returns the JSON form, as tables store it."""
        return {
            "path": list(self.path),
            "visits": dict(self.visits),
            "edges": dict(self.edges),
            "nested": {state: nested.as_dict() for state, nested in self.nested.items()},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FlowPosition:
        """Reads what `as_dict` wrote."""
        nested = {state: NestedPosition.from_dict(each) for state, each in stored["nested"].items()}
        return cls(tuple(stored["path"]), stored["visits"], stored["edges"], nested)


@dataclass(frozen=True, slots=True)
class NestedPosition:
    """Where the flows inside a state stand.

    Attributes:
        visit: the visit to the state that they belong to.
        flows: one for each branch, or the one of a nested flow.
    """

    visit: int = 0
    flows: Sequence[FlowPosition] = ()

    def flow(self, into: Inside) -> FlowPosition:
        """Returns the position of a flow at a visit to the state."""
        if into.place >= len(self.flows):
            return FlowPosition()
        flow = self.flows[into.place]
        return flow if into.visit == self.visit else flow.rewound()

    def with_flow(self, into: Inside, position: FlowPosition) -> NestedPosition:
        """Returns these with another position for a flow; at another visit, the others begin anew too."""
        count = max(len(self.flows), into.place + 1)
        flows = [self.flow(into._replace(place=place)) for place in range(count)]
        flows[into.place] = position
        return NestedPosition(into.visit, tuple(flows))

    def as_dict(self) -> dict[str, Any]:
        """Returns the JSON form."""
        return {"visit": self.visit, "flows": [flow.as_dict() for flow in self.flows]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> NestedPosition:
        """Reads what `as_dict` wrote."""
        return cls(stored["visit"], tuple(FlowPosition.from_dict(each) for each in stored["flows"]))
