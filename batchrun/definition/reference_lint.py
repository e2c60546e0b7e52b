"""Lints late-binding references: each must be well formed and name something that will be there."""

from __future__ import annotations

from collections.abc import Sequence

from batchrun.binding import BindingError, Reference, parse, texts
from batchrun.definition.components import Component, notations, options_schema
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline, Part
from batchrun.definition.states import State
from batchrun.domain.execution import STEP_FACTS
from batchrun.domain.parameters import RUN_ID, ParameterType
from batchrun.errors import did_you_mean

LAUNCH_ROOTS = ("params", "env", "secrets")
"""Known when a job is launched, before any step."""

JOB_ROOTS = (*LAUNCH_ROOTS, "execution", "job")
"""Known when a job starts."""

STEP_ROOTS = (*LAUNCH_ROOTS, "execution", "job", "step", "steps")
"""Known when a step starts."""

REJECT_ROOTS = (*LAUNCH_ROOTS, "execution")
"""Known wherever the rejects of a step are read again, by whomever."""

_EXECUTION = ("id", "instance_id", "job_name")


def lint_references(outline: Outline, components: Sequence[Component], findings: Findings) -> None:
    """Adds malformed references and those that name nothing, wherever a file may hold references."""
    lint = _ReferenceLint(outline, findings)
    for name, parameter in outline.parameters.items():
        roots = ("env", "secrets") if parameter.get("type") == ParameterType.SECRET else ("env",)
        lint.check(parameter.get("default"), ("parameters", name, "default"), roots)
    for name, url in outline.databases.items():
        lint.check(url, ("databases", name), LAUNCH_ROOTS)
    for part in outline.components():
        lint.check(part.node, part.path, _roots(part), part.state)
    for state in outline.states:
        if isinstance(state.node.get("job"), dict):
            lint.check(state.node["job"].get("parameters"), (*state.path, "job", "parameters"), STEP_ROOTS, state)
    for component in components:
        _lint_notations(component, findings)


def _roots(part: Part) -> Sequence[str]:
    if part.role == "reject_sink":
        return REJECT_ROOTS
    return JOB_ROOTS if part.state is None else STEP_ROOTS


def _lint_notations(component: Component, findings: Findings) -> None:
    """A reference in an expression or in SQL would be pasted into its text."""
    for at, notation, text in notations(options_schema(component.spec.options), component.options):
        if "${" not in text:
            continue
        path = (*component.path, *at)
        if notation == "expression":
            findings.add(path, "an expression holds no references", "they would be pasted into its text", part="${")
        elif notation == "sql":
            findings.warn(
                path, "this reference is pasted into the SQL text", "give values as :name with parameters", part="${"
            )


class _ReferenceLint:
    def __init__(self, outline: Outline, findings: Findings) -> None:
        self.outline = outline
        self.findings = findings

    def check(self, value: object, path: DocumentPath, roots: Sequence[str], state: State | None = None) -> None:
        """Checks the references of a value; those of a step name other steps as its flow does."""
        for at, text in texts(value):
            try:
                parts = parse(text)
            except BindingError as error:
                self.findings.add((*path, *at), error.message, error.hint, part=error.reference)
                continue
            for part in parts:
                if isinstance(part, Reference) and (wrong := self._wrong(part, roots, state)):
                    self.findings.add((*path, *at), *wrong, part=part.text)

    def _wrong(self, reference: Reference, roots: Sequence[str], state: State | None) -> tuple[str, str | None] | None:
        """Returns message and hint of a reference that will name nothing."""
        root, name = reference.root, ".".join(reference.path)
        if root == "secrets" and root not in roots:
            return f"{reference.text} stands only in the default of a parameter of type secret", "type: secret"
        if root not in roots:
            hint = did_you_mean(root, roots) or f"known here: {', '.join(roots)}"
            return f"{reference.text}: {root!r} is not known here", hint
        if not name:
            return f"{reference.text} is no single value", f"name what you mean: ${{{root}.…}}"
        if root == "params" and name == RUN_ID and name not in self.outline.parameters:
            return f"unknown parameter {name!r}", f"declare it under parameters: {RUN_ID}: {{type: integer}}"
        if root == "params" and name not in self.outline.parameters:
            return f"unknown parameter {name!r}", _one_of(name, list(self.outline.parameters), "the job's parameters")
        if roots is REJECT_ROOTS and reference.text == "${execution.id}":
            return "the rejects of all executions of a job instance stand in one place", "${execution.instance_id}"
        if root == "execution" and name not in _EXECUTION:
            return f"{reference.text} names nothing", _one_of(name, _EXECUTION, "an execution has")
        if root in ("job", "step") and (reference.path[0] != "context" or len(reference.path) == 1):
            return f"{reference.text} names nothing", f"write ${{{root}.context.KEY}}"
        if root == "steps":
            return self._wrong_step(reference, self._names(state))
        return None

    def _names(self, state: State | None) -> list[str]:
        return list((self.outline.job if state is None else state.namespace).visible())

    def _wrong_step(self, reference: Reference, names: Sequence[str]) -> tuple[str, str | None] | None:
        name, attribute = ".".join(reference.path[:-1]), reference.path[-1]
        if len(reference.path) == 1:
            return f"{reference.text} is no single value", f"a step has {', '.join(STEP_FACTS)}"
        if name not in names:
            return f"unknown step {name!r}", _one_of(name, names, "the steps")
        if attribute not in STEP_FACTS:
            return f"{reference.text} names nothing", _one_of(attribute, STEP_FACTS, "a step has")
        return None


def _one_of(word: str, words: Sequence[str], title: str) -> str | None:
    if not words:
        return "declare it under parameters:" if title == "the job's parameters" else None
    return did_you_mean(word, words) or f"{title}: {', '.join(words)}"
