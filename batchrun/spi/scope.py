"""The scope: what a component gets to know of the run it serves, and the resources it may use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from batchrun.domain.execution import StepExecution


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the job file, resolved.

    Attributes:
        name: as in `databases`.
        url: SQLAlchemy URL; the path of a SQLite file is absolute.
        holds_repository: it is the same SQLite file as the job repository, which only Python's sqlite3 may open.
    """

    name: str
    url: str
    holds_repository: bool = False


def log_of(scope: ComponentScope, step: StepExecution | None) -> logging.Logger:
    """Returns the logger of a step, also in the scope of a listener of the job, which hears of all of them."""
    return scope.log if scope.step_name or step is None else scope.log.getChild(step.step_name)


class ComponentScope(Protocol):
    """Given to a component's constructor beside its options.

    Attributes:
        job_name: the job's name.
        step_name: the step's name; empty for a listener of the job.
        repository_id: the own id of the job repository that the instance began in; with it, what a component leaves for
            a restart is told apart from what a run of another repository leaves in the same place.
        repository_url: where the job repository is, for what runs batchrun as a process of its own; it may hold a
            password, so it goes into that process's environment and nowhere else.
        instance_id: the job instance, in that repository.
        execution_id: the job execution.
        log: the step's logger, or the job's; never print, stdout belongs to results.
    """

    job_name: str
    step_name: str
    repository_id: str
    repository_url: str
    instance_id: int
    execution_id: int
    log: logging.Logger

    def path(self, path: str) -> Path:
        """Returns the absolute path; relative ones are relative to the project folder."""
        ...

    def database(self, name: str) -> Database:
        """Returns the database of that name in the job's `databases`.

        Raises:
            DefinitionError: there is none.
        """
        ...

    def load(self, reference: str) -> Callable[..., Any]:
        """Returns what `module:name` names; modules beside the job file come first.

        Raises:
            BatchrunError: there is no such module or name, or the module is broken; says which.
        """
        ...

    def module(self, name: str) -> ModuleType:
        """Returns a Python file beside the job, named without `.py`, or else an installed module.

        Raises:
            BatchrunError: there is none, or it is broken; says which.
        """
        ...

    def should_stop(self) -> bool:
        """Tells whether somebody asked the execution to stop; for work that waits."""
        ...
