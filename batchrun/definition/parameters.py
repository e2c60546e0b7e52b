"""The parameters of a launch: declared ones checked in the file, given ones made typed and complete."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from batchrun.binding import BindingError, bind
from batchrun.definition.findings import Findings
from batchrun.definition.loaded import LoadedJob
from batchrun.definition.outline import Outline
from batchrun.definition.parameter_values import ParameterValueError, absolute, convert, convert_default
from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType, ParameterValue
from batchrun.errors import DefinitionError, Problem, did_you_mean


def check_parameters(outline: Outline, findings: Findings) -> None:
    """Adds declared parameters whose default or choices do not fit their type."""
    for name, declared in outline.parameters.items():
        path = ("parameters", name)
        kind = declared.get("type", "string")
        if findings.is_wrong((*path, "type")) or findings.is_wrong((*path, "choices")):
            continue
        choices = declared.get("choices", [])
        if (kind == "choice") != bool(choices):
            message = "needs 'choices'" if kind == "choice" else "has 'choices', so its type must be choice"
            findings.add(path if kind == "choice" else (*path, "choices"), f"parameter {name!r} {message}")
            continue
        default = declared.get("default")
        if isinstance(default, str) and "${" in default:
            continue
        try:
            convert_default(default, ParameterType(kind), choices)
        except ParameterValueError as error:
            findings.add((*path, "default"), f"default of parameter {name!r}: {error}", error.hint)
        if declared.get("required") is True and default is not None:
            hint = "leave 'required' or 'default' out"
            findings.warn((*path, "default"), f"parameter {name!r} is required, so its default is never used", hint)


def read_parameters(
    job: LoadedJob, given: Mapping[str, str], cwd: Path, *, project: Path | None = None, only_given: bool = False
) -> JobParameters:
    """Returns the typed parameters of a launch, in the order of their declaration.

    Args:
        job: declares them.
        given: texts by name.
        cwd: where a given path is relative to.
        project: where a default path is relative to; None is `cwd`.
        only_given: leave out defaults, and do not miss required ones.

    Raises:
        DefinitionError: with all problems: unknown, missing and ill-typed ones.
    """
    reader = _ParameterReader(job, given, cwd, project or cwd)
    declared = job.definition.parameters
    reader.refuse_unknown()
    parameters = [reader.parameter(each) for each in declared if each.name in given or not only_given]
    if reader.problems:
        raise DefinitionError(reader.problems)
    return JobParameters(parameters)


class _ParameterReader:
    """Reads one launch's parameters and keeps what is wrong with them."""

    def __init__(self, job: LoadedJob, given: Mapping[str, str], cwd: Path, project: Path) -> None:
        self.job = job
        self.given = given
        self.cwd = cwd
        self.project = project
        self.problems: list[Problem] = []

    def refuse_unknown(self) -> None:
        names = [each.name for each in self.job.definition.parameters]
        for name in self.given:
            if name not in names:
                listed = f"the job's parameters: {', '.join(names)}" if names else "the job declares none"
                hint = did_you_mean(name, names) or listed
                self.problems.append(Problem(f"unknown parameter {name!r}", str(self.job.path), hint=hint))

    def parameter(self, declared: ParameterDefinition) -> JobParameter:
        value: ParameterValue = None
        try:
            value = self._value(declared)
        except (ParameterValueError, BindingError) as error:
            self._add(declared, f"parameter {declared.name!r}: {error}", error.hint)
        return JobParameter(declared.name, value, declared.type, declared.identifying)

    def _value(self, declared: ParameterDefinition) -> ParameterValue:
        if declared.name in self.given:
            return self._placed(convert(self.given[declared.name], declared.type, declared.choices), declared, self.cwd)
        if declared.required:
            about = f" ({declared.description.rstrip('.')})" if declared.description else ""
            message = f"parameter {declared.name!r} is required{about}"
            self._add(declared, message, f"give it as {declared.name}={_PLACEHOLDERS.get(declared.type, 'VALUE')}")
            return None
        value = declared.default
        if isinstance(value, str) and "${" in value:
            bound = bind(value, {"env": dict(os.environ)})
            value = convert(str(bound), declared.type, declared.choices)
        return self._placed(value, declared, self.project)

    def _placed(self, value: ParameterValue, declared: ParameterDefinition, folder: Path) -> ParameterValue:
        is_path = declared.type is ParameterType.PATH and isinstance(value, str)
        return absolute(str(value), folder) if is_path else value

    def _add(self, declared: ParameterDefinition, message: str, hint: str | None) -> None:
        self.problems.append(self.job.document.problem(("parameters", declared.name), message, hint, key=True))


_PLACEHOLDERS = {
    ParameterType.DATE: "2026-01-31",
    ParameterType.DATETIME: "2026-01-31T06:00:00",
    ParameterType.DURATION: "30s",
    ParameterType.PATH: "PATH",
    ParameterType.INTEGER: "NUMBER",
    ParameterType.FLOAT: "NUMBER",
    ParameterType.DECIMAL: "NUMBER",
    ParameterType.BOOLEAN: "true",
}
