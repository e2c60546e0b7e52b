"""Lints child jobs: each must be a job that can be read, and get the parameters that it needs, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from batchrun.binding import texts
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.loaded import LoadedJob
from batchrun.definition.outline import Outline
from batchrun.definition.parameter_values import ParameterValueError, convert
from batchrun.domain.definition import ParameterDefinition
from batchrun.errors import DefinitionError, did_you_mean

ReadChild = Callable[[str], LoadedJob]
"""Reads a child job, given by its path or name; raises DefinitionError."""


def lint_child_jobs(outline: Outline, read: ReadChild, findings: Findings) -> None:
    """Adds child jobs that cannot be read, with what is wrong in their files, and parameters that do not fit them."""
    for state in outline.states:
        job, path = state.node.get("job"), (*state.path, "job")
        name, given = (job.get("name"), job.get("parameters", {})) if isinstance(job, dict) else (job, {})
        place = (*path, "name") if isinstance(job, dict) else path
        if not isinstance(name, str) or not name or findings.is_wrong(place):
            continue
        try:
            child = read(name)
        except DefinitionError as error:
            _tell(place, error, findings)
            continue
        if isinstance(given, dict):
            _check_parameters(child, given, path, place, findings)


def _tell(place: DocumentPath, error: DefinitionError, findings: Findings) -> None:
    """Tells what is wrong in the child's file at its own places, and what has none where the child is named."""
    findings.problems += [each for each in error.problems if each.has_place]
    for problem in error.problems:
        if not problem.has_place:
            findings.add(place, problem.message, problem.hint)


def _check_parameters(
    child: LoadedJob, given: Mapping[str, Any], path: DocumentPath, place: DocumentPath, findings: Findings
) -> None:
    job_name, declared = child.definition.name, {each.name: each for each in child.definition.parameters}
    for name, value in given.items():
        at = (*path, "parameters", name)
        if name in declared:
            _check_value(declared[name], value, at, findings)
            continue
        listed = f"its parameters: {', '.join(declared)}" if declared else "it declares none"
        hint = did_you_mean(name, declared) or listed
        findings.add(at, f"job {job_name!r} has no parameter {name!r}", hint, key=True)
    for parameter in declared.values():
        if parameter.required and given.get(parameter.name) is None:
            about = f" ({parameter.description.rstrip('.')})" if parameter.description else ""
            message = f"job {job_name!r} needs the parameter {parameter.name!r}{about}"
            findings.add(place, message, f"give it as in job: {{name: …, parameters: {{{parameter.name}: …}}}}")


def _check_value(declared: ParameterDefinition, value: Any, path: DocumentPath, findings: Findings) -> None:
    if any(True for _ in texts(value)):
        return
    try:
        convert(value, declared)
    except ParameterValueError as error:
        findings.add(path, f"parameter {declared.name!r}: {error}", error.hint)
