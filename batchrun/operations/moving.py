"""Puts an export into its place on this machine: paths of the project it left become those of the project here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from batchrun.definition import LoadedJob, read_moved_paths, refuse_identifying
from batchrun.domain.carrying import moved_value
from batchrun.domain.execution import JobExecution
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType, ParameterValue
from batchrun.errors import DefinitionError, JobInCodeError, Problem
from batchrun.operations.export_file import Export
from batchrun.operations.project import JOBS_FOLDER, find_job

Move = Callable[[str], str]
"""Returns where a path is now."""


def placed(
    export: Export, job: LoadedJob, given: Mapping[str, object], project: Path
) -> tuple[Export, Mapping[str, object]]:
    """Returns the export with its files as they are here, and those parameters that are left to give to the restart.

    Args:
        export: as it was read.
        job: read from its file here.
        given: parameters; an identifying one may be a path, which tells anew where something is.
        project: the project folder here.

    Raises:
        DefinitionError: a path is wrong.
        UsageError: another identifying parameter is given.
    """
    paths = read_moved_paths(job, given, Path.cwd())
    left = {name: value for name, value in given.items() if name not in paths}
    refuse_identifying(job, left)
    assert job.path is not None, "an export has a job file"
    return _moved(export, project, job.path, paths), left


def _moved(export: Export, project: Path, job_file: Path, given: Mapping[str, ParameterValue]) -> Export:
    """Returns the export with its paths moved: what was inside the project it left has its place in this one."""

    def move(path: str) -> str:
        return _moved_path(path, Path(export.project), project)

    known = {**_known_paths(export.last, move), **_given_paths(export.last.parameters, given)}

    def move_own(parameter: JobParameter) -> ParameterValue:
        return given[parameter.name] if parameter.name in given else moved_value(parameter, move, {})

    def move_childs(parameter: JobParameter) -> ParameterValue:
        return moved_value(parameter, move, known)

    own, *children = export.instances
    moved_own = own.moved(move_own, lambda _file: str(job_file))
    return replace(
        export, project=str(project), instances=(moved_own, *(each.moved(move_childs, move) for each in children))
    )


def found_job(export: Export, project: Path, job: str | None = None) -> Path:
    """Returns where the job's file is on this machine.

    Args:
        export: as it was read.
        project: the project folder here.
        job: its path or name, where it has another place in the project than it had.

    Raises:
        JobInCodeError: the job was built in code, so there is no file.
        DefinitionError: there is none of that name, or none where it should be.
    """
    if job is not None:
        return find_job(job, project / JOBS_FOLDER)
    last = export.last
    if not last.job_file:
        raise JobInCodeError(last.job_name, last.id)
    path = Path(_moved_path(last.job_file, Path(export.project), project))
    if not path.exists():
        message = f"the file of job {last.job_name!r} is not there; where the export was made it was {last.job_file}"
        raise DefinitionError([Problem(message, str(path), hint="--job FILE tells where it is here")])
    return path


def _moved_path(path: str, old: Path, new: Path) -> str:
    """Returns where a path of the old project is in the new one; by name alone, since the old one may be far away."""
    if old == new or not Path(path).is_relative_to(old):
        return path
    return os.path.normpath(new / Path(path).relative_to(old))


def _known_paths(last: JobExecution, move: Move) -> dict[str, str]:
    """Returns the job's own paths that move, which it may have handed on to child jobs as texts."""
    paths = [each.value for each in last.parameters.all() if each.type is ParameterType.PATH]
    return {path: move(path) for path in paths if isinstance(path, str) and move(path) != path}


def _given_paths(parameters: JobParameters, given: Mapping[str, ParameterValue]) -> dict[str, str]:
    pairs = ((parameters.get(name), value) for name, value in given.items())
    return {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}
