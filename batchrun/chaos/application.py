"""The application of a run on copies: its components and repository come to boundaries, and it touches copies only."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from batchrun.app import Application
from batchrun.chaos.boundaries import Boundaries
from batchrun.chaos.copies import OutsideError, copied, refuse_other_places
from batchrun.chaos.watching import WatchedRepository, WatchedSink, WatchedTasklet, watched_writer
from batchrun.chaos.workplace import Workplace
from batchrun.domain.definition import ComponentDefinition
from batchrun.operations.assembly import Assembly
from batchrun.operations.scope import StepScope
from batchrun.spi.repository import JobRepository
from batchrun.spi.scope import Database
from batchrun.spi.source import ChunkParts, FaultParts, StepStart
from batchrun.spi.tasklet import Tasklet

_ONLY_READ = frozenset({"reader", "processor", "decider"})
"""Roles that may look at what lies outside of the copies."""


class ChaosApplication(Application):
    """Runs the copied project's jobs on copies of their databases."""

    def __init__(self, workplace: Workplace, boundaries: Boundaries, lease: timedelta | None = None) -> None:
        super().__init__(workplace.project, workplace.repository_url, logging.INFO, is_project=True)
        self._workplace = workplace
        self._boundaries = boundaries
        self._lease = lease
        self._watched: JobRepository | None = None

    @property
    def repository(self) -> JobRepository:
        """The workplace's repository, whose commits are boundaries."""
        if self._watched is None:
            watched = WatchedRepository(super().repository, self._boundaries, self._lease)
            self._watched = cast(JobRepository, watched)
        return self._watched

    def _assembly(self, *arguments: Any, **named: Any) -> Assembly:
        made = super()._assembly(*arguments, **named)
        own = {each.name: getattr(made, each.name) for each in fields(Assembly)}
        return WatchedAssembly(**own, workplace=self._workplace, boundaries=self._boundaries)


@dataclass
class WatchedAssembly(Assembly):
    """Builds components that come to boundaries and reach nothing but copies."""

    workplace: Workplace = field(kw_only=True)
    boundaries: Boundaries = field(kw_only=True)

    def chunk_parts(self, start: StepStart) -> ChunkParts:
        """Returns a chunk step's components, its writer watched."""
        parts = super().chunk_parts(start)
        return replace(parts, writer=watched_writer(parts.writer, self.boundaries, start.definition.name))

    def fault_parts(self, start: StepStart) -> FaultParts:
        """Returns a chunk step's policies, and its reject sink watched."""
        parts = super().fault_parts(start)
        if parts.rejects is None:
            return parts
        return replace(parts, rejects=WatchedSink(parts.rejects, self.boundaries, start.definition.name))

    def tasklet(self, start: StepStart) -> Tasklet:
        """Returns a step's tasklet, watched."""
        return WatchedTasklet(super().tasklet(start), self.boundaries, start.definition.name)

    def _build(self, component: ComponentDefinition, roots: Mapping[str, Any], scope: StepScope) -> Any:
        if component.role not in _ONLY_READ:
            own = {each.name: getattr(scope, each.name) for each in fields(StepScope)}
            scope = _GuardedScope(**own, workplace=self.workplace, role=component.role)
        return super()._build(component, roots, scope)

    def _options(self, component: ComponentDefinition, roots: Mapping[str, Any]) -> Any:
        options = super()._options(component, roots)
        refuse_other_places(options, self.workplace)
        if component.role == "reject_sink" and (table := getattr(options, "table", None)):
            self.workplace.note("reject tables", {"database": getattr(options, "database", ""), "table": table})
        return options

    def _database(self, name: str) -> Database:
        return copied(super()._database(name), self.workplace)


@dataclass(frozen=True)
class _GuardedScope(StepScope):
    """The scope of what may write: paths lead into the workplace only."""

    workplace: Workplace = field(kw_only=True)
    role: str = field(kw_only=True)

    def path(self, path: str) -> Path:
        """Returns the copy's path.

        Raises:
            OutsideError: it lies elsewhere.
        """
        here = self.workplace.mapped(super().path(path))
        if not self.workplace.holds(here):
            error = OutsideError(
                f"the {self.role} of step {self.step_name!r} would work on {here}, outside of the project",
                "give a path in the project for the output",
            )
            self.workplace.note("refusals", {"message": str(error), "hint": error.hint})
            raise error
        if self.role == "reject_sink":
            self.workplace.note("reject files", {"path": str(here)})
        return here
