"""The job that is run on copies: where it stands, and its parameters as a copy of the project can be given them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from batchrun.copies.effects import refuse_effects
from batchrun.copies.workplace import Workplace
from batchrun.definition import LoadedJob
from batchrun.definition.given import GivenValue
from batchrun.domain.parameters import ParameterType
from batchrun.errors import UsageError
from batchrun.operations.job_files import JobFiles


@dataclass(frozen=True, slots=True)
class Subject:
    """A job that is run on copies.

    Attributes:
        name: the job's.
        project: its project folder, absolute.
        job: its file in it, absolute.
        given: the parameters of its launch; no path in them is relative to the current directory.
        secrets: those of them that are secrets, which a restart is given anew.
    """

    name: str
    project: Path
    job: Path
    given: Mapping[str, object]
    secrets: frozenset[str] = frozenset()

    def given_in(self, workplace: Workplace) -> dict[str, object]:
        """Returns the parameters, with paths that lead into the project leading into its copy."""
        return {name: self._mapped(value, workplace) for name, value in self.given.items()}

    def _mapped(self, value: Any, workplace: Workplace) -> Any:
        match value:
            case str():
                is_path = value == str(self.project) or value.startswith(f"{self.project}{os.sep}")
                return str(workplace.project) + value.removeprefix(str(self.project)) if is_path else value
            case Path():
                return workplace.mapped(value)
            case list() | tuple():
                return [self._mapped(each, workplace) for each in value]
            case GivenValue():
                return replace(value, value=self._mapped(value.value, workplace))
        return value


def subject_of(loaded: LoadedJob, project: Path, given: Mapping[str, object], *, with_effects: bool) -> Subject:
    """Returns a job with its parameters as what runs on copies take.

    Args:
        loaded: from its file.
        project: its project folder.
        given: as `Application.launch` takes them.
        with_effects: steps that act outside of the copies are allowed.

    Raises:
        UsageError: the project cannot be copied, the job is no part of it, or a step acts outside.
    """
    project = project.resolve()
    assert loaded.path is not None
    job = loaded.path.resolve()
    if not job.is_relative_to(project):
        raise UsageError(
            f"the project is copied, and {job} is not in the project folder {project}",
            hint="an empty batchrun.toml makes the job's folder a project",
        )
    if project in (Path.home().resolve(), Path(project.anchor)):
        raise UsageError(
            f"the project folder is copied, and that is all of {project}",
            hint="an empty batchrun.toml makes the job's folder a project",
        )
    if not with_effects:
        refuse_effects(loaded, JobFiles(project, stays=True).child)
    kinds = {each.name: each.type for each in loaded.definition.parameters}
    placed = {name: _placed(value, kinds.get(name)) for name, value in given.items()}
    hidden = frozenset(name for name in placed if kinds.get(name) is ParameterType.SECRET)
    return Subject(loaded.definition.name, project, job, placed, hidden)


def _placed(value: object, kind: ParameterType | None) -> object:
    """Returns a value of a path as one that means the same from any folder."""
    if kind is ParameterType.PATH:
        match value:
            case str():
                return str((Path.cwd() / value).resolve())
            case GivenValue(value=str()):
                return str((value.folder / value.value).resolve())
    return value
