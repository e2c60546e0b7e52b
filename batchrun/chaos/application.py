"""The application of a trial: its components and repository come to boundaries, and it touches copies only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from batchrun.chaos.boundaries import Boundaries
from batchrun.chaos.watching import WatchedRepository, WatchedSink, WatchedTasklet, watched_writer
from batchrun.copies.application import CopyApplication, CopyAssembly, values
from batchrun.copies.workplace import Workplace
from batchrun.operations.assembly import Assembly
from batchrun.spi.repository import JobRepository
from batchrun.spi.source import ChunkParts, FaultParts, StepStart
from batchrun.spi.tasklet import Tasklet


class ChaosApplication(CopyApplication):
    """Runs jobs on copies, and comes to boundaries."""

    def __init__(self, workplace: Workplace, boundaries: Boundaries, lease: timedelta | None = None) -> None:
        super().__init__(workplace)
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
        return WatchedAssembly(**values(super()._assembly(*arguments, **named)), boundaries=self._boundaries)


@dataclass
class WatchedAssembly(CopyAssembly):
    """Builds components that come to boundaries."""

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
