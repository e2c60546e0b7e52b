"""The parameters of a launch or restart: given ones made typed and complete, checked, and put to the validators."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchrun.binding import BindingError, Secrets, bind
from batchrun.definition.given import GivenValue
from batchrun.definition.loaded import LoadedJob
from batchrun.definition.parameter_checks import ParameterChecks
from batchrun.definition.parameter_declaration import has_references
from batchrun.definition.parameter_values import ParameterValueError, absolute, convert
from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.parameters import RUN_ID, JobParameter, JobParameters, ParameterType, ParameterValue
from batchrun.errors import DefinitionError, Problem, UsageError, did_you_mean


def read_parameters(
    job: LoadedJob,
    given: Mapping[str, Any],
    cwd: Path,
    *,
    project: Path | None = None,
    secrets: Secrets | None = None,
    previous: JobParameters | None = None,
    numbers_runs: bool = False,
) -> JobParameters:
    """Returns the typed parameters of a launch, in the order of their declaration, or of a restart.

    Args:
        job: declares them.
        given: by name, texts, values of Python's own types, or `GivenValue`s of a parameter file.
        cwd: where a given path is relative to.
        project: where a default path is relative to; None is `cwd`.
        secrets: resolves the defaults of secrets, and gets to know all that are given.
        previous: the parameters of the execution that a restart continues; what is not given anew stays as it was
            there, but for secrets, which are not kept.
        numbers_runs: the launch gets a `run.id` of its own, here a provisional 1.

    Raises:
        DefinitionError: with all problems: unknown, missing and ill-typed ones, those that break a constraint, and
            those that a validator refuses.
    """
    reader = _ParameterReader(job, given, cwd, project or cwd, Secrets() if secrets is None else secrets, previous)
    parameters = reader.read(numbers_runs=numbers_runs)
    if reader.problems:
        raise DefinitionError([reader.masked(each) for each in reader.problems])
    return parameters


def refuse_identifying(job: LoadedJob, given: Mapping[str, Any]) -> None:
    """Refuses what would make a restart another job instance.

    Raises:
        UsageError: an identifying parameter is given.
    """
    identifying = [each.name for each in job.definition.parameters if each.identifying and each.name in given]
    if identifying:
        raise UsageError(
            f"a restart cannot change the identifying parameter {identifying[0]!r}: it names another job instance",
            hint="batchrun launch starts that one",
        )


def read_moved_paths(job: LoadedJob, given: Mapping[str, Any], cwd: Path) -> dict[str, ParameterValue]:
    """Returns those of the given values that are identifying paths: a path tells where something is, and that may move.

    Raises:
        DefinitionError: with all problems of theirs.
    """
    reader = _ParameterReader(job, given, cwd, cwd, Secrets(), None)
    declared = [each for each in job.definition.parameters if each.name in given and each.identifying]
    paths = [each for each in declared if ParameterType.PATH in (each.type, each.items)]
    values = {each.name: reader.parameter(each).value for each in paths}
    if reader.problems:
        raise DefinitionError(reader.problems)
    return values


class _ParameterReader:
    """Reads one launch's parameters and keeps what is wrong with them."""

    def __init__(
        self,
        job: LoadedJob,
        given: Mapping[str, Any],
        cwd: Path,
        project: Path,
        secrets: Secrets,
        previous: JobParameters | None,
    ) -> None:
        self.job = job
        self.given = given
        self.cwd = cwd
        self.project = project
        self.secrets = secrets
        self.previous = {} if previous is None else {each.name: each for each in previous.all()}
        self.is_restart = previous is not None
        self.checks = ParameterChecks(job.registry.modules)
        self.problems: list[Problem] = []

    def masked(self, problem: Problem) -> Problem:
        mask = self.secrets.mask
        hint, source = problem.hint and mask(problem.hint), problem.source and mask(problem.source)
        return replace(problem, message=mask(problem.message), hint=hint, source=source)

    def read(self, *, numbers_runs: bool) -> JobParameters:
        self._refuse_unknown()
        kept = {name: each for name, each in self.previous.items() if each.type is not ParameterType.SECRET}
        for declared in self.job.definition.parameters:
            if declared.name == RUN_ID and numbers_runs:
                self._check_run_id(declared)
            elif self._is_to_be_read(declared, kept):
                kept[declared.name] = self.parameter(declared)
        parameters = JobParameters(list(kept.values()))
        if not self.problems:
            self._validate_together(parameters)
        return parameters.with_run_id(1) if numbers_runs else parameters

    def _is_to_be_read(self, declared: ParameterDefinition, kept: Mapping[str, JobParameter]) -> bool:
        """Tells what a launch reads, and a restart anew: what is given, secrets, and what the file has got since."""
        if not self.is_restart:
            return True
        is_new = declared.name in self.given or declared.name not in kept or declared.type is ParameterType.SECRET
        return is_new and not declared.identifying

    def _refuse_unknown(self) -> None:
        names = [each.name for each in self.job.definition.parameters]
        for name, given in self.given.items():
            if name not in names:
                listed = f"the job's parameters: {', '.join(names)}" if names else "the job declares none"
                message, hint = f"unknown parameter {name!r}", did_you_mean(name, names) or listed
                is_placed = isinstance(given, GivenValue)
                problem = given.problem(message, hint) if is_placed else Problem(message, self.job.title, hint=hint)
                self.problems.append(problem)

    def _check_run_id(self, declared: ParameterDefinition) -> None:
        if declared.type is not ParameterType.INTEGER or not declared.identifying:
            message = f"parameter {RUN_ID!r} numbers the runs, so it must be an integer that identifies"
            self._add(declared, message, f"declare it as {RUN_ID}: {{type: integer}}")

    def parameter(self, declared: ParameterDefinition) -> JobParameter:
        value: ParameterValue = None
        try:
            value = self._value(declared)
        except (ParameterValueError, BindingError) as error:
            is_kept = not self.is_restart or declared.type is not ParameterType.SECRET
            why = "" if is_kept or declared.name in self.given else f" {_NOT_KEPT}"
            self._add(declared, f"parameter {declared.name!r}{why}: {error}", error.hint)
        for refusal in () if value is None else self.checks.alone(declared, value):
            self._add(declared, *refusal)
        return JobParameter(declared.name, value, declared.type, declared.identifying, declared.items)

    def _value(self, declared: ParameterDefinition) -> ParameterValue:
        given, folder = self.given.get(declared.name), self.cwd
        if isinstance(given, GivenValue):
            given, folder = given.value, given.folder
        if given is None:
            return self._value_not_given(declared)
        if declared.type is ParameterType.SECRET:
            self.secrets.hide(str(given))
        return _placed(convert(given, declared), declared, folder)

    def _value_not_given(self, declared: ParameterDefinition) -> ParameterValue:
        if declared.required:
            self._miss(declared)
            return None
        value = declared.default
        if has_references(value):
            value = self._bound(declared)
        elif value is None and self._is_forgotten(declared):
            self._miss(declared)
        return _placed(value, declared, self.project)

    def _bound(self, declared: ParameterDefinition) -> ParameterValue:
        roots: dict[str, Any] = {"env": dict(os.environ)}
        if declared.type is not ParameterType.SECRET:
            return convert(bind(declared.default, roots), declared)
        value = convert(bind(declared.default, {**roots, "secrets": self.secrets}), declared)
        self.secrets.hide(str(value))
        return value

    def _is_forgotten(self, declared: ParameterDefinition) -> bool:
        """Tells whether the execution that is to be continued had a secret, which nobody has kept."""
        before = self.previous.get(declared.name)
        return before is not None and before.value is not None

    def _miss(self, declared: ParameterDefinition) -> None:
        about = f" ({declared.description.rstrip('.')})" if declared.description else ""
        if self.is_restart and declared.type is ParameterType.SECRET:
            message = f"parameter {declared.name!r}{about} {_NOT_KEPT}"
        else:
            message = f"parameter {declared.name!r} is required{about}"
        self._add(declared, message, f"give it as {declared.name}={_PLACEHOLDERS.get(declared.type, 'VALUE')}")

    def _validate_together(self, parameters: JobParameters) -> None:
        for index, validator in enumerate(self.job.definition.validators):
            for refusal in self.checks.together(validator, parameters):
                self.problems.append(self.job.document.problem(("validators", index), *refusal))

    def _add(self, declared: ParameterDefinition, message: str, hint: str | None = None) -> None:
        """Adds a problem where the value was given, or else where the parameter is declared."""
        given = self.given.get(declared.name)
        if isinstance(given, GivenValue):
            self.problems.append(given.problem(message, hint))
        else:
            self.problems.append(self.job.document.problem(("parameters", declared.name), message, hint, key=True))


def _placed(value: ParameterValue, declared: ParameterDefinition, folder: Path) -> ParameterValue:
    """Returns the value with its paths absolute."""
    if isinstance(value, tuple) and declared.items is ParameterType.PATH:
        return tuple(absolute(str(each), folder) for each in value)
    is_path = declared.type is ParameterType.PATH and isinstance(value, str)
    return absolute(str(value), folder) if is_path else value


_NOT_KEPT = "is a secret, which is not kept, so a restart needs it again"

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
