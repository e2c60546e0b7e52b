"""Lints included flows against the job: it must declare the parameters that they need."""

from __future__ import annotations

from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline
from batchrun.domain.parameters import ParameterType
from batchrun.errors import did_you_mean


def check_included(outline: Outline, findings: Findings) -> None:
    """Adds parameters that an included flow needs, and that the job lacks or declares with another type."""
    for state in outline.states:
        included = state.node.get("include")
        needed = included.get("parameters") if isinstance(included, dict) else None
        for name, wanted in needed.items() if isinstance(needed, dict) else ():
            path = (*state.path, "include", "parameters", name)
            declared = outline.parameters.get(name)
            if declared is None:
                hint = did_you_mean(name, outline.parameters) or "declare it under parameters: of the job"
                findings.add(path, f"the job has no parameter {name!r}, which this flow needs", hint, key=True)
                continue
            kind = declared.get("type", ParameterType.STRING)
            expected = wanted.get("type") if isinstance(wanted, dict) else None
            if expected is not None and expected != kind:
                message = f"the job's parameter {name!r} is of type {kind}, and this flow needs {expected}"
                findings.add((*path, "type"), message, "one of the two must change")
