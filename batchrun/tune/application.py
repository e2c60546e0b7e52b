"""The application of a measurement: it reads a sample of the real source, and writes to copies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from batchrun.binding import BindingError, bind
from batchrun.copies.application import ONLY_READ, CopyApplication, CopyAssembly, GuardedScope, values
from batchrun.copies.databases import OutsideError, refuse_other_places
from batchrun.copies.scratch_schema import is_postgres, only_read
from batchrun.copies.workplace import Workplace
from batchrun.definition import LoadedJob
from batchrun.domain.definition import ComponentDefinition
from batchrun.domain.execution import JsonObject
from batchrun.domain.parameters import JobParameters
from batchrun.errors import DefinitionError
from batchrun.operations.assembly import Assembly
from batchrun.operations.scope import StepScope, resolve_database
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import Extent, ItemReader
from batchrun.spi.scope import Database
from batchrun.spi.source import ChunkParts, StepStart
from batchrun.spi.tasklet import Tasklet
from batchrun.spi.text import ItemText, TextReader
from batchrun.tune.acting import acts_outside, is_builtin
from batchrun.tune.needs import Needs
from batchrun.tune.shapes import can_copy, shape_of


@dataclass(frozen=True, slots=True)
class Sample:
    """How much of a step's source is read.

    Attributes:
        items: at most.
        seconds: after which no more is read; None is any time.
    """

    items: int
    seconds: float | None = None


class SampledReader:
    """An ItemReader that comes to its end early."""

    def __init__(self, inner: ItemReader, sample: Sample) -> None:
        self._inner = inner
        self._sample = sample
        self._count = 0
        self._ends_at: float | None = None

    def open(self, position: JsonObject | None) -> Extent:
        """Begins at the position."""
        extent = self._inner.open(position)
        if self._sample.seconds is not None and self._ends_at is None:
            self._ends_at = time.monotonic() + self._sample.seconds
        return extent

    def agree(self, takes: Callable[[ItemText], bool]) -> None:
        """Settles on a form of text, where the reader has several."""
        if isinstance(self._inner, TextReader):
            self._inner.agree(takes)

    def read(self, limit: int) -> Chunk | None:
        """Returns the next chunk, or None at the end of the sample."""
        most = min(limit, self._sample.items - self._count)
        if most <= 0 or (self._ends_at is not None and time.monotonic() >= self._ends_at):
            return None
        chunk = self._inner.read(most)
        self._count += 0 if chunk is None else len(chunk)
        return chunk

    def close(self) -> None:
        """Gives back what `open` took."""
        self._inner.close()


@dataclass(frozen=True, slots=True)
class Samples:
    """How much is read by the steps, and what they may do.

    Attributes:
        by_step: of the steps that are measured.
        others: of all other chunk steps, those of child jobs among them.
        with_effects: steps that act outside of the copies may run.
    """

    by_step: Mapping[str, Sample]
    others: Sample
    with_effects: bool = False


class TuneApplication(CopyApplication):
    """Runs the copied project's jobs on samples."""

    def __init__(self, workplace: Workplace, samples: Samples, repository_url: str) -> None:
        """Connects to nothing yet.

        Args:
            workplace: where it runs.
            samples: how much is read.
            repository_url: of the real repository, which may share a file with a database.
        """
        super().__init__(workplace)
        self._samples = samples
        self._real_repository = repository_url

    def _assembly(self, *arguments: Any, **named: Any) -> Assembly:
        made = super()._assembly(*arguments, **named)
        return TuneAssembly(**values(made), samples=self._samples, real_repository=self._real_repository)


@dataclass
class TuneAssembly(CopyAssembly):
    """Builds components that read samples, from the originals unless an earlier step of the run has made the data."""

    samples: Samples = field(kw_only=True)
    real_repository: str = field(kw_only=True)
    _copied: dict[str, Database] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._needs = Needs.of(self.job.definition, partial(is_builtin, self.job))

    def of_child(self, job: LoadedJob, parameters: JobParameters) -> Assembly:
        """Returns the assembly of a child job, for which all tables have rows."""
        child = cast(TuneAssembly, super().of_child(job, parameters))
        child._needs.open_up()
        return child

    def chunk_parts(self, start: StepStart) -> ChunkParts:
        """Returns a chunk step's components, its reader one of a sample."""
        self._refuse_acting(start)
        parts = super().chunk_parts(start)
        sample = self.samples.by_step.get(start.definition.name, self.samples.others)
        return replace(parts, reader=SampledReader(parts.reader, sample))

    def tasklet(self, start: StepStart) -> Tasklet:
        """Returns a step's tasklet."""
        self._refuse_acting(start)
        return super().tasklet(start)

    def _refuse_acting(self, start: StepStart) -> None:
        what = acts_outside(self.job, start.definition)
        if what and not self.samples.with_effects:
            raise OutsideError(f"step {start.definition.name!r} {what}", "--with-effects runs it all the same")

    def _build(self, component: ComponentDefinition, roots: Mapping[str, Any], scope: StepScope) -> Any:
        is_trusted = component.role in ONLY_READ and is_builtin(self.job, component)
        if not is_trusted or scope.step_name in self._needs.reads_copies:
            scope = _CopyScope(**values(scope), workplace=self.workplace, role=component.role, assembly=self)
        else:
            scope = _ReadScope(**values(scope), workplace=self.workplace)
        return Assembly._build(self, component, roots, scope)

    def _options(self, component: ComponentDefinition, roots: Mapping[str, Any]) -> Any:
        options = Assembly._options(self, component, roots)
        if component.role not in ONLY_READ or self._needs.reads_copies:
            for name in self._needs.copied:  # before anything is built: its schemas are then known to be the originals
                if can_copy(self._database(name).url):
                    self.copy_of(name)
        if component.role not in ONLY_READ:
            refuse_other_places(options, self.workplace)
        return options

    def copy_of(self, name: str) -> Database:
        """Returns the copy of a database.

        Raises:
            OutsideError: it is of a kind that cannot be copied.
        """
        database = self._database(name)
        if database.url not in self._copied:
            self._copied[database.url] = shape_of(database, self.workplace, self._needs.databases[name])
        return replace(self._copied[database.url], name=name)

    def _database(self, name: str) -> Database:
        """Returns the original."""
        try:
            url = str(bind(self.job.definition.databases[name], self._launch_roots()))
        except BindingError as error:
            raise DefinitionError([self._problem(f"databases.{name}", (), str(error), error.hint)]) from error
        found = resolve_database(name, url, self.workplace.original, self.real_repository)
        return replace(found, url=found.url.replace(str(self.workplace.project), str(self.workplace.original)))


@dataclass(frozen=True)
class _CopyScope(GuardedScope):
    """The scope of what writes to copies, or reads what was written to them."""

    assembly: TuneAssembly = field(kw_only=True)

    def path(self, path: str) -> Path:
        """Returns the copy's path; what only reads may lead anywhere."""
        if self.role in ONLY_READ:
            return self.workplace.readable(StepScope.path(self, path))
        return super().path(path)

    def database(self, name: str) -> Database:
        """Returns the copy of a database."""
        super().database(name)
        return self.assembly.copy_of(name)


@dataclass(frozen=True)
class _ReadScope(StepScope):
    """The scope of what only reads originals: a file that is too large to be copied is read where it is."""

    workplace: Workplace = field(kw_only=True)

    def path(self, path: str) -> Path:
        """Returns the path of the copy, or of the original where that is not copied."""
        return self.workplace.readable(super().path(path))

    def database(self, name: str) -> Database:
        """Returns the original, of which nothing can be changed."""
        found = super().database(name)
        return replace(found, url=only_read(found.url)) if is_postgres(found.url) else found
