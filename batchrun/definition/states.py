"""The states of a job file as they stand in it: what their names mean where, and which flow each belongs to.

Copes with values of any shape; what has the wrong one is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from batchrun.definition.document import DocumentPath
from batchrun.domain.definition import Transition

DEFAULT_ON = str(Transition.__dataclass_fields__["on"].default)

Entry = tuple[DocumentPath, Mapping[str, Any]]
"""A mapping of the file with its place."""


def mappings(node: Mapping[str, Any], key: str, path: DocumentPath) -> list[Entry]:
    """Returns those entries of a list that are mappings."""
    value = node.get(key)
    entries = value if isinstance(value, list) else []
    return [((*path, key, index), each) for index, each in enumerate(entries) if isinstance(each, dict)]


@dataclass(frozen=True, eq=False)
class State:
    """A step of the file.

    Attributes:
        node: what the file says of it.
        path: its place.
        namespace: where its name means it.
    """

    node: Mapping[str, Any]
    path: DocumentPath
    namespace: Namespace

    @property
    def name(self) -> str:
        """Its name in its namespace; empty where it has none."""
        name = self.node.get("name")
        return name if isinstance(name, str) else ""

    @property
    def full_name(self) -> str:
        """Its name in the job: `checks.count` is `count` in the nested flow `checks`."""
        return f"{self.namespace.prefix}{self.name}"

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"step {self.full_name!r}" if self.name else "the step"

    @cached_property
    def inner(self) -> Namespace | None:
        """The namespace inside it, where it is a nested flow."""
        included = self.node.get("include")
        if isinstance(included, dict):
            return Namespace(included, (*self.path, "include"), self)
        return Namespace(self.node, self.path, self) if "steps" in self.node else None

    @cached_property
    def branches(self) -> list[Branch]:
        """The branches, where it is a parallel state."""
        value = self.node.get("parallel")
        entries = value if isinstance(value, list) else []
        return [
            Branch(self, (*self.path, "parallel", index), each)
            for index, each in enumerate(entries)
            if isinstance(each, list | dict)
        ]


@dataclass(frozen=True, eq=False)
class Branch:
    """A branch of a parallel state: a list of names, or a step in place of it.

    Attributes:
        holder: the parallel state.
        path: its place.
    """

    holder: State
    path: DocumentPath
    node: list[Any] | Mapping[str, Any]

    @cached_property
    def state(self) -> State | None:
        """The step that stands here itself."""
        return None if isinstance(self.node, list) else State(self.node, self.path, self.holder.namespace)

    @property
    def names(self) -> list[tuple[DocumentPath, str]]:
        """The names of its states, each with its place."""
        if self.state is not None:
            return [((*self.path, "name"), self.state.name)]
        return [((*self.path, index), each) for index, each in enumerate(self.node) if isinstance(each, str)]


@dataclass(frozen=True, eq=False)
class Namespace:
    """The mapping that declares steps, the job's or a nested flow's; their names mean them only in it.

    Attributes:
        node: holds `steps`, and perhaps `flow` and `start`.
        path: its place.
        holder: the nested flow's state; None in the job's own.
    """

    node: Mapping[str, Any]
    path: DocumentPath
    holder: State | None = None

    @property
    def prefix(self) -> str:
        """What stands before a name in it to name the state in the job."""
        return "" if self.holder is None else f"{self.holder.full_name}."

    @property
    def outer(self) -> Namespace | None:
        """The namespace around it."""
        return None if self.holder is None else self.holder.namespace

    @cached_property
    def states(self) -> list[State]:
        """Its states in the order of the file, those that stand in a branch too."""
        return [
            each for path, node in mappings(self.node, "steps", self.path) for each in _with_branches(path, node, self)
        ]

    @cached_property
    def by_name(self) -> dict[str, State]:
        """Its states by their names here; of two of one name the first."""
        return {state.name: state for state in reversed(self.states) if state.name}

    @property
    def names(self) -> list[str]:
        """The names of its states, each once, in order."""
        return list(dict.fromkeys(state.name for state in self.states if state.name))

    @cached_property
    def transitions(self) -> list[Entry]:
        """Its transitions."""
        return mappings(self.node, "flow", self.path)

    @cached_property
    def branch_of(self) -> dict[str, Branch]:
        """The branch that a state is in, by name; those of no branch belong to the namespace's own flow."""
        found: dict[str, Branch] = {}
        for state in self.states:
            for branch in state.branches:
                for _, name in branch.names:
                    found.setdefault(name, branch)
        return found

    @cached_property
    def flows(self) -> list[FlowOutline]:
        """Its own flow, and then those of the branches."""
        own = [name for name in self.names if name not in self.branch_of]
        flows = [FlowOutline(self, [self.by_name[name] for name in own])]
        for branch in (each for state in self.states for each in state.branches):
            names = [name for _, name in branch.names if self.branch_of[name] is branch and name in self.by_name]
            flows.append(FlowOutline(self, [self.by_name[name] for name in dict.fromkeys(names)], branch))
        return flows

    def flow_of(self, name: str) -> FlowOutline:
        """Returns the flow that a state of this namespace belongs to."""
        branch = self.branch_of.get(name)
        return next(flow for flow in self.flows if flow.branch is branch)

    def walk(self) -> Iterator[Namespace]:
        """Yields this namespace and those inside it, in the order of the file."""
        yield self
        for state in self.states:
            if state.inner is not None:
                yield from state.inner.walk()

    def visible(self) -> dict[str, State]:
        """Returns all states of the job by what they may be called here; a name means the innermost state it can."""
        outer = self.outer.visible() if self.outer is not None else {}
        return {**outer, **_named_from(self)}


def _with_branches(path: DocumentPath, node: Mapping[str, Any], namespace: Namespace) -> Iterator[State]:
    state = State(node, path, namespace)
    yield state
    for branch in state.branches:
        if branch.state is not None:
            yield from _with_branches(branch.path, branch.state.node, namespace)


def _named_from(namespace: Namespace, before: str = "") -> dict[str, State]:
    """Returns the states in a namespace by their names, and those further inside by theirs with dots."""
    found: dict[str, State] = {}
    for state in namespace.by_name.values():
        found[f"{before}{state.name}"] = state
        if state.inner is not None:
            found.update(_named_from(state.inner, f"{before}{state.name}."))
    return found


class Edge(NamedTuple):
    """A transition of a flow.

    Attributes:
        path: its place; None where the file does not say it, and it follows from the order in a branch.
        node: what the file says of it.
    """

    path: DocumentPath | None
    node: Mapping[str, Any]

    @property
    def source(self) -> str:
        """The name of the state that it leaves; empty where it names none."""
        return self._name("from") or ""

    @property
    def on(self) -> str:
        """Its pattern; one of a wrong shape takes everything."""
        on = self.node.get("on", DEFAULT_ON)
        return on if isinstance(on, str) else "*"

    @property
    def to(self) -> str | None:
        """The name of the state that it leads to, or None."""
        return self._name("to")

    @property
    def restart(self) -> str | None:
        """The name of the state where the next execution begins, or None."""
        return self._name("restart")

    def _name(self, key: str) -> str | None:
        name = self.node.get(key)
        return name if isinstance(name, str) else None


@dataclass(frozen=True, eq=False)
class FlowOutline:
    """One flow of the file: states in their order, and the transitions from them.

    Attributes:
        namespace: declares the states.
        states: in order.
        branch: the branch that it is; None for the namespace's own flow.
    """

    namespace: Namespace
    states: list[State]
    branch: Branch | None = None

    @property
    def holder(self) -> State | None:
        """The parallel state whose branch it is."""
        return self.branch.holder if self.branch is not None else None

    @cached_property
    def names(self) -> list[str]:
        """The states' names in order."""
        return [state.name for state in self.states]

    @property
    def start(self) -> str:
        """The name of the state where it begins."""
        start = self.namespace.node.get("start") if self.branch is None else None
        return start if isinstance(start, str) and start else self.names[0]

    @property
    def is_in_order(self) -> bool:
        """Tells whether its states run in order, since there are no transitions from any."""
        return not self._written

    @cached_property
    def _written(self) -> list[Edge]:
        return [Edge(path, node) for path, node in self.namespace.transitions if node.get("from") in self.names]

    @cached_property
    def edges(self) -> list[Edge]:
        """The transitions; in a branch also those to the next state, from each state that has none of its own."""
        return [*self._written, *self._implied()]

    def _implied(self) -> Iterator[Edge]:
        """Yields the edges that follow from the order: all of them where no state has transitions."""
        sources = {edge.source for edge in self._written}
        for name in self.names if self.is_in_order or self.branch is not None else ():
            following = self.after(name)
            if name not in sources and following is not None:
                yield Edge(None, {"from": name, "to": following})

    def after(self, name: str) -> str | None:
        """Returns the name of the state behind one of them, or None behind the last."""
        place = self.names.index(name) + 1
        return self.names[place] if place < len(self.names) else None
