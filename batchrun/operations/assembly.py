"""Builds a step's components: resolves their types in the registry, binds their options, constructs them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from batchrun.binding import BindingError, Secrets, bind, references
from batchrun.definition import LoadedJob
from batchrun.domain.definition import ChunkDefinition, ComponentDefinition, StepDefinition, TaskletDefinition
from batchrun.domain.execution import JobExecution
from batchrun.domain.parameters import JobParameters
from batchrun.errors import DefinitionError, Problem
from batchrun.operations.scope import StepScope, resolve_database
from batchrun.registry import LocalModules, Registry
from batchrun.spi.repository import JobRepository
from batchrun.spi.scope import Database
from batchrun.spi.source import ChunkParts
from batchrun.spi.tasklet import Tasklet

LAUNCH_ROOTS = ("params", "env", "secrets")
"""Roots of references that are resolved before anything is written; the others open with their scope."""


@dataclass(slots=True)
class Assembly:
    """Builds the components of one launched job; the ComponentSource of its run.

    Attributes:
        project: the job's project folder.
        repository: where the run is kept.
        repository_url: tells whether a SQLite file holds the repository too.
    """

    job: LoadedJob
    parameters: JobParameters
    registry: Registry
    project: Path
    repository: JobRepository
    repository_url: str
    secrets: Secrets = field(default_factory=Secrets)

    def check(self) -> None:
        """Binds and parses whatever is known at launch, so that a mistake in it is told before anything runs.

        Raises:
            DefinitionError: with all problems.
        """
        problems: list[Problem] = []
        for name in self.job.definition.databases:
            _collect(problems, lambda name=name: self._database(name))  # type: ignore[misc]
        for component in _components(self.job.definition.steps):
            if all(each.root in LAUNCH_ROOTS for each in references(component.options)):
                _collect(problems, lambda each=component: self._options(each, self._launch_roots()))  # type: ignore[misc]
        if problems:
            raise DefinitionError(problems)

    def chunk_parts(self, execution: JobExecution, step: StepDefinition, should_stop: Callable[[], bool]) -> ChunkParts:
        """Returns the reader, processors and writer of a chunk step."""
        work = step.work
        assert isinstance(work, ChunkDefinition)
        scope = self._scope(execution, step, should_stop)
        return ChunkParts(
            reader=self._build(work.reader, execution, scope),
            processors=[self._build(each, execution, scope) for each in work.processors],
            writer=self._build(work.writer, execution, scope),
        )

    def tasklet(self, execution: JobExecution, step: StepDefinition, should_stop: Callable[[], bool]) -> Tasklet:
        """Returns the tasklet of a tasklet step."""
        assert isinstance(step.work, TaskletDefinition)
        built: Tasklet = self._build(step.work.tasklet, execution, self._scope(execution, step, should_stop))
        return built

    def _build(self, component: ComponentDefinition, execution: JobExecution, scope: StepScope) -> Any:
        made = self.registry.component(component.role, component.type)
        return made(self._options(component, self._roots(execution)), scope)

    def _options(self, component: ComponentDefinition, roots: Mapping[str, Any]) -> Any:
        spec = self.registry.spec(component.role, component.type)
        try:
            options = spec.parse(bind(component.options, roots))
        except BindingError as error:
            raise DefinitionError([self._problem(component.path, error.at, str(error), error.hint)]) from error
        except msgspec.ValidationError as error:
            message, _, place = str(error).partition(" - at `$")
            at = tuple(re.findall(r"[A-Za-z0-9_]+", place))
            message = f"{component.role} {component.type!r}: {message[:1].lower()}{message[1:]}"
            raise DefinitionError([self._problem(component.path, at, message)]) from error
        if found := options.check():
            raise DefinitionError([self._problem(component.path, each.at, each.message, each.hint) for each in found])
        return options

    def _problem(self, path: str, at: tuple[str | int, ...], message: str, hint: str | None = None) -> Problem:
        document = self.job.document
        return document.problem((*document.parse_path(path), *at), message, hint)

    def _scope(self, execution: JobExecution, step: StepDefinition, should_stop: Callable[[], bool]) -> StepScope:
        definition = self.job.definition
        return StepScope(
            job_name=definition.name,
            step_name=step.name,
            repository_id=self.repository.id,
            instance_id=execution.instance.id,
            execution_id=execution.id,
            log=logging.getLogger(f"batchrun.job.{definition.name}.{step.name}"),
            project=self.project,
            databases={name: self._database(name) for name in definition.databases},
            modules=LocalModules(self.job.path.parent),
            should_stop=should_stop,
        )

    def _database(self, name: str) -> Database:
        try:
            url = bind(self.job.definition.databases[name], self._launch_roots())
        except BindingError as error:
            raise DefinitionError([self._problem(f"databases.{name}", (), str(error), error.hint)]) from error
        return resolve_database(name, str(url), self.project, self.repository_url)

    def _launch_roots(self) -> dict[str, Any]:
        return {"params": dict(self.parameters), "env": dict(os.environ), "secrets": self.secrets}

    def _roots(self, execution: JobExecution) -> dict[str, Any]:
        about = {"id": execution.id, "instance_id": execution.instance.id, "job_name": execution.job_name}
        steps = {
            step.step_name: {**step.counts.as_dict(), "status": step.status.name, "exit_code": step.exit_status.code}
            for step in execution.steps
        }
        return {**self._launch_roots(), "execution": about, "steps": steps}


def _components(steps: Iterator[StepDefinition] | Any) -> Iterator[ComponentDefinition]:
    for step in steps:
        if isinstance(step.work, ChunkDefinition):
            yield from (step.work.reader, *step.work.processors, step.work.writer)
        else:
            yield step.work.tasklet


def _collect(problems: list[Problem], attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except DefinitionError as error:
        problems.extend(error.problems)
