"""Lints the flow: transitions that lead nowhere, states that nothing reaches, outcomes that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline
from batchrun.domain.definition import Transition
from batchrun.domain.flow import matches
from batchrun.errors import did_you_mean, nearest

OUTCOMES = ("to", "end", "fail", "stop")

_ON = Transition.__dataclass_fields__["on"].default


def lint_flow(outline: Outline, findings: Findings) -> None:
    """Adds what is wrong in `start` and `flow`."""
    _FlowLint(outline, findings).run()


class _FlowLint:
    def __init__(self, outline: Outline, findings: Findings) -> None:
        self.outline = outline
        self.findings = findings
        self.names = outline.step_names
        self.is_certain = True

    def run(self) -> None:
        start = self._state((), self.outline.plain, "start")
        edges = [self._edge(path, transition) for path, transition in self.outline.transitions]
        self._equal_patterns(edges)
        self._completion(edges)
        if self.is_certain and self.names:
            self._unreached(start or self.names[0], edges)

    def _edge(self, path: DocumentPath, transition: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the transition with its names as they were probably meant."""
        self._outcome(path, transition)
        names = {key: self._state(path, transition, key) for key in ("from", "to", "restart")}
        on = transition.get("on", _ON)
        return {"path": path, "on": on if isinstance(on, str) else "*", "stop": "stop" in transition, **names}

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

    def _state(self, path: DocumentPath, node: Mapping[str, Any], key: str) -> str | None:
        name = node.get(key)
        if name is None or name in self.names:
            return name
        if not isinstance(name, str):
            self.is_certain = False
            return None
        hint = did_you_mean(name, self.names) or f"the steps: {', '.join(self.names)}"
        self.findings.add((*path, key), f"unknown step {name!r}", hint)
        near = nearest(name, self.names)
        self.is_certain = self.is_certain and near is not None
        return near

    def _equal_patterns(self, edges: list[dict[str, Any]]) -> None:
        first: dict[tuple[str, str], DocumentPath] = {}
        for edge in edges:
            key = (edge["from"], edge["on"])
            if edge["from"] is None:
                continue
            if key in first:
                line = self.findings.document.place(first[key])[0]
                message = f"step {edge['from']!r} has a transition on {edge['on']!r} already, in line {line}"
                hint = "an exit code can lead to one place only"
                self.findings.add((*edge["path"], "on"), message, hint)
            first.setdefault(key, edge["path"])

    def _completion(self, edges: list[dict[str, Any]]) -> None:
        patterns: dict[str, list[dict[str, Any]]] = {}
        for edge in edges:
            if edge["from"] is not None:
                patterns.setdefault(edge["from"], []).append(edge)
        for name, of_state in patterns.items():
            if not any(matches(edge["on"], "COMPLETED") for edge in of_state):
                message = f"no transition of step {name!r} takes COMPLETED, so the job fails when the step completes"
                hint = f"add {{from: {name}, to: …}} or {{from: {name}, end: COMPLETED}}"
                self.findings.add((*of_state[0]["path"], "from"), message, hint)

    def _unreached(self, start: str, edges: list[dict[str, Any]]) -> None:
        reached = [start]
        for state in reached:
            reached += [each for each in self._next(state, edges) if each not in reached]
        for path, step in self.outline.steps:
            if isinstance(name := step.get("name"), str) and name not in reached:
                hint = (
                    "no transition leads to it" if self.outline.has_flow else f"the job starts at {start!r}, after it"
                )
                self.findings.add((*path, "name"), f"step {name!r} is never reached", hint)

    def _next(self, name: str, edges: list[dict[str, Any]]) -> Iterator[str]:
        place = self.names.index(name)
        following = self.names[place + 1 : place + 2]
        if not self.outline.has_flow:
            yield from following
            return
        for edge in edges:
            if edge["from"] == name:
                yield from filter(None, (edge["to"], edge["restart"]))
                if edge["stop"] and edge["restart"] is None:
                    yield from following
