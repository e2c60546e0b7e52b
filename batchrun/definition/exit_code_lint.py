"""Lints which exit codes the transitions of a state take: COMPLETED of a step, and all that a decision can give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from batchrun.definition.components import Component
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.states import Edge, FlowOutline, State
from batchrun.domain.flow import matches
from batchrun.errors import did_you_mean


def lint_exit_codes(
    flow: FlowOutline, edges: Sequence[Edge], deciders: Mapping[DocumentPath, Component], findings: Findings
) -> None:
    """Adds exit codes that no transition takes.

    Args:
        flow: the flow.
        edges: its transitions.
        deciders: by the place of their state.
        findings: gets what is wrong.
    """
    for state in flow.states:
        of_state = [edge for edge in edges if edge.source == state.name]
        if "decision" in state.node:
            _decision(state, of_state, deciders.get(state.path), findings)
        else:
            _step(state, of_state, findings)


def _step(state: State, edges: Sequence[Edge], findings: Findings) -> None:
    written = [edge.path for edge in edges if edge.path is not None]
    if written and not any(matches(edge.on, "COMPLETED") for edge in edges):
        message = f"no transition of step {state.name!r} takes COMPLETED, so the job fails when the step completes"
        hint = f"add {{from: {state.name}, to: …}} or {{from: {state.name}, end: COMPLETED}}"
        findings.add((*written[0], "from"), message, hint)


def _decision(state: State, edges: Sequence[Edge], decider: Component | None, findings: Findings) -> None:
    """Without transitions a decision's codes must be such as the order or the end of the flow takes."""
    options = decider.parse() if decider is not None and not findings.is_wrong(decider.path) else None
    rule = decider.spec.exit_codes if decider is not None else None
    if options is None or rule is None:
        return
    codes = list(rule(options))
    patterns = [edge.on for edge in edges] or ["COMPLETED*"]
    missed = [code for code in codes if not any(matches(pattern, code) for pattern in patterns)]
    if missed:
        told = f"no transition of decision {state.name!r} takes {' or '.join(map(repr, missed))}"
        hint = f"add {{from: {state.name}, on: {missed[0]}, to: …}}"
        findings.add((*state.path, "decision"), f"{told}, so the job fails when it decides so", hint, key=True)
    for edge in edges:
        if edge.path is not None and not any(matches(edge.on, code) for code in (*codes, "FAILED")):
            message = f"decision {state.name!r} never gives {edge.on!r}"
            hint = did_you_mean(edge.on, codes) or f"it gives {', '.join(codes)}"
            findings.warn((*edge.path, "on"), message, hint)
