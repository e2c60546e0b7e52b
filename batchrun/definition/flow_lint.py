"""Lints each flow: transitions that lead nowhere or out of their branch, and outcomes that contradict each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batchrun.definition.components import Component
from batchrun.definition.document import DocumentPath
from batchrun.definition.exit_code_lint import lint_exit_codes
from batchrun.definition.findings import Findings
from batchrun.definition.graph_lint import lint_graph
from batchrun.definition.outline import Outline
from batchrun.definition.states import Edge, FlowOutline, Namespace
from batchrun.errors import did_you_mean, nearest

OUTCOMES = ("to", "end", "fail", "stop")


def lint_flows(outline: Outline, components: Sequence[Component], findings: Findings) -> None:
    """Adds what is wrong in `start`, `parallel` and `flow`, of the job and of each nested flow."""
    deciders = {component.path[:-1]: component for component in components if component.spec.role == "decider"}
    for namespace in outline.job.walk():
        lint = _NamespaceLint(namespace, findings)
        lint.branches()
        edges = lint.edges()
        for flow in namespace.flows if lint.is_certain else ():
            of_flow = [edge for edge in edges if edge.source in flow.names] + [e for e in flow.edges if e.path is None]
            lint_exit_codes(flow, of_flow, deciders, findings)
            if flow.names:
                lint_graph(flow, lint.start if flow.branch is None else flow.start, of_flow, findings)


class _NamespaceLint:
    """Checks the names in the transitions of one namespace.

    Attributes:
        is_certain: every wrong name has one that was probably meant; what follows from it can be told.
        start: the name of the state where the namespace's own flow begins.
    """

    def __init__(self, namespace: Namespace, findings: Findings) -> None:
        self.namespace = namespace
        self.findings = findings
        self.names = namespace.names
        self.is_certain = bool(self.names)
        own = namespace.flows[0].names
        start = self._name(namespace.path, namespace.node, "start")
        self.start = start or (own[0] if own else "")
        if start in namespace.branch_of:
            message = f"step {start!r} is in a branch of {namespace.branch_of[start].holder.title}"
            self.findings.add((*namespace.path, "start"), message, "a flow begins at a step of its own")
            self.is_certain = False

    def branches(self) -> None:
        """Checks what the branches name: each state once, and none around itself."""
        for state in self.namespace.states:
            for branch in state.branches:
                for path, name in branch.names if branch.state is None else ():
                    self._branch_name(path, name)
        for state in self.namespace.states:
            holders = [state]
            around = self.namespace.branch_of.get(state.name)
            while around is not None and around.holder not in holders:
                holders.append(around.holder)
                around = self.namespace.branch_of.get(around.holder.name)
            if around is not None and around.holder is state:
                path = next(path for path, name in around.names if name == holders[-1].name)
                self.findings.add(path, f"{state.title} would run inside itself", "take it out of its own branches")
                self.is_certain = False

    def _branch_name(self, path: DocumentPath, name: str) -> None:
        if name not in self.names:
            self._unknown(path, name)
            return
        first = next(at for at, each in self.namespace.branch_of[name].names if each == name)
        if first != path:
            line = self.findings.document.line_text(first, seen_from=path)
            self.findings.add(path, f"step {name!r} is in a branch already, in {line}", "a step runs in one branch")
        elif self.namespace.by_name[name].path[-2] == "parallel":
            self.findings.add(path, f"step {name!r} is a branch itself", "a step runs in one branch")

    def edges(self) -> list[Edge]:
        """Checks the transitions, and returns them with their names as they were probably meant."""
        edges = [self._edge(path, node) for path, node in self.namespace.transitions]
        for edge in edges:
            self._equal_pattern(edge, edges)
        return edges

    def _edge(self, path: DocumentPath, node: Mapping[str, Any]) -> Edge:
        self._outcome(path, node)
        names = {key: self._name(path, node, key) for key in ("from", "to", "restart") if key in node}
        meant = Edge(path, {**node, **names})
        if meant.source:
            flow = self.namespace.flow_of(meant.source)
            for key, name in (("to", meant.to), ("restart", meant.restart)):
                if name is not None and name not in flow.names:
                    self._leaves((*path, key), meant.source, name, flow)
        return meant

    def _leaves(self, path: DocumentPath, source: str, name: str, flow: FlowOutline) -> None:
        self.is_certain = False
        branch, around = self.namespace.branch_of.get(name), flow.holder
        where = f"in a branch of {branch.holder.title}" if branch is not None else "outside of it"
        if around is None:
            self.findings.add(path, f"step {name!r} is {where}", "a transition leads to a step of the same flow")
            return
        where = "in another" if branch is not None and branch.holder is around else where
        message = f"step {source!r} is in a branch of {around.title}, and step {name!r} {where}"
        self.findings.add(path, message, "a transition stays inside its branch")

    def _outcome(self, path: DocumentPath, transition: Mapping[str, Any]) -> None:
        given = [key for key in OUTCOMES if key in transition]
        unknown = any((*path, key) in self.findings.wrong for key in transition if key not in OUTCOMES)
        if not given and not unknown:
            self.findings.add(path, "the transition leads nowhere", f"give it one of {', '.join(OUTCOMES)}")
        if len(given) > 1:
            message = f"the transition has two outcomes, {given[0]!r} and {given[1]!r}"
            self.findings.add((*path, given[1]), message, "keep one of them", key=True)
        if "restart" in transition and "stop" not in transition:
            self.findings.add((*path, "restart"), "'restart' goes only with 'stop'", key=True)

    def _name(self, path: DocumentPath, node: Mapping[str, Any], key: str) -> str | None:
        name = node.get(key)
        if name is None or name in self.names:
            return name
        if not isinstance(name, str):
            self.is_certain = False
            return None
        return self._unknown((*path, key), name)

    def _unknown(self, path: DocumentPath, name: str) -> str | None:
        self.findings.add(path, f"unknown step {name!r}", did_you_mean(name, self.names) or self._listed())
        near = nearest(name, self.names)
        self.is_certain = self.is_certain and near is not None
        return near

    def _listed(self) -> str:
        return f"the steps: {', '.join(self.names)}"

    def _equal_pattern(self, edge: Edge, edges: Sequence[Edge]) -> None:
        first = next(each for each in edges if (each.source, each.on) == (edge.source, edge.on))
        if not edge.source or first is edge or edge.path is None or first.path is None:
            return
        line = self.findings.document.line_text(first.path, seen_from=edge.path)
        message = f"step {edge.source!r} has a transition on {edge.on!r} already, in {line}"
        self.findings.add((*edge.path, "on"), message, "an exit code can lead to one place only")
