"""What a component of a run gets to know: the ComponentScope of a step, on plain data of the job's project."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from batchrun.errors import DefinitionError, Problem
from batchrun.registry import LocalModules
from batchrun.spi.scope import Database

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class StepScope:
    """The scope of one step execution's components.

    Attributes:
        project: relative paths are relative to this folder.
        databases: by name in the job file, resolved.
        modules: Python files beside the job.
    """

    job_name: str
    step_name: str
    repository_id: str
    repository_url: str
    instance_id: int
    execution_id: int
    log: logging.Logger
    project: Path
    databases: Mapping[str, Database]
    modules: LocalModules
    should_stop: Callable[[], bool]

    def path(self, path: str) -> Path:
        """Returns the absolute path; relative ones are relative to the project folder."""
        return self.project / path

    def database(self, name: str) -> Database:
        """Returns the database of that name.

        Raises:
            DefinitionError: the job file declares none of it.
        """
        try:
            return self.databases[name]
        except KeyError:
            known = ", ".join(self.databases) or "none"
            problem = Problem(f"there is no database {name!r}", self.job_name, hint=f"the job's databases: {known}")
            raise DefinitionError([problem]) from None

    def load(self, reference: str) -> Callable[..., Any]:
        """Returns what `module:name` names; modules beside the job file come first."""
        return self.modules.load(reference)

    def module(self, name: str) -> ModuleType:
        """Returns a module; files beside the job come first."""
        return self.modules.module(name)


def resolve_database(name: str, url: str, project: Path, repository_url: str) -> Database:
    """Returns a database with the path of a SQLite file made absolute, and whether the repository is in it."""
    if not url.startswith(_SQLITE) or url.startswith(f"{_SQLITE}:memory:") or url == _SQLITE:
        return Database(name, url)
    path, mark, query = url.removeprefix(_SQLITE).partition("?")
    absolute = (project / path).resolve()
    return Database(name, f"{_SQLITE}{absolute}{mark}{query}", holds_repository=_same_file(absolute, repository_url))


def _same_file(path: Path, repository_url: str) -> bool:
    if not repository_url.startswith(_SQLITE):
        return False
    repository = Path(repository_url.removeprefix(_SQLITE).partition("?")[0]).resolve()
    return path == repository or (path.exists() and repository.exists() and path.samefile(repository))
