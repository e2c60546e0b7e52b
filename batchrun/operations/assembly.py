"""Builds a step's components: resolves their types in the registry, binds their options, constructs them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import msgspec

from batchrun.binding import BindingError, Secrets, bind, references
from batchrun.definition import LoadedJob
from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    ComponentDefinition,
    DecisionDefinition,
    JobDefinition,
    ListenerDefinition,
    TaskletDefinition,
)
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.errors import DefinitionError, Problem
from batchrun.operations.policies import PolicyBuilder
from batchrun.operations.rejects import DEFAULT_REJECT_SINK
from batchrun.operations.replaying import RejectReader
from batchrun.operations.scope import StepScope, resolve_database
from batchrun.spi.decider import Decider
from batchrun.spi.item import ItemReader
from batchrun.spi.rejects import RejectRecord, RejectSink
from batchrun.spi.repository import JobRepository
from batchrun.spi.scope import Database
from batchrun.spi.source import ChunkParts, FaultParts, HeardListener, StepStart
from batchrun.spi.tasklet import Tasklet

Builder = Callable[[ComponentDefinition], Any]

LAUNCH_ROOTS = ("params", "env", "secrets")
"""Roots of references that are resolved before anything is written; the others open with their scope."""


class ChildJobs(Protocol):
    """Launches child jobs."""

    def run(
        self, parent: Assembly, child: ChildJobDefinition, given: Mapping[str, Any], start: StepStart
    ) -> JobExecution:
        """Runs the child of a step with the given parameters, as `ComponentSource.run_child` says."""
        ...


@dataclass(slots=True)
class Assembly:
    """Builds the components of one launched job; the ComponentSource of its run.

    Attributes:
        project: the job's project folder.
        repository: where the run is kept.
        repository_url: tells whether a SQLite file holds the repository too.
        children: launches child jobs; None where there can be none.
        secrets: those that the parameters brought, and those that references name.
        replayed: yields the rejects that a replay reads in place of its source; None in any other job.
    """

    job: LoadedJob
    parameters: JobParameters
    project: Path
    repository: JobRepository
    repository_url: str
    secrets: Secrets = field(default_factory=Secrets)
    children: ChildJobs | None = None
    replayed: Callable[[], Iterator[RejectRecord]] | None = None

    def of_child(self, job: LoadedJob, parameters: JobParameters) -> Assembly:
        """Returns the assembly of a child job in the same project and repository."""
        return replace(self, job=job, parameters=parameters, replayed=None)

    def check(self) -> None:
        """Binds and parses whatever is known at launch, so that a mistake in it is told before anything runs.

        Raises:
            DefinitionError: with all problems.
        """
        problems: list[Problem] = []
        for name in self.job.definition.databases:
            _collect(problems, lambda name=name: self._database(name))  # type: ignore[misc]
        for component in _components(self.job.definition):
            if all(each.root in LAUNCH_ROOTS for each in references(component.options)):
                _collect(problems, lambda each=component: self._options(each, self._launch_roots()))  # type: ignore[misc]
        if problems:
            raise DefinitionError(problems)

    def take_run_id(self, run_id: int | None) -> None:
        """Takes the `run.id` that the repository has given, in place of a provisional one."""
        if run_id is not None:
            self.parameters = self.parameters.with_run_id(run_id)

    def reader(self, start: StepStart) -> ItemReader:
        """Returns the reader of a chunk step alone."""
        work = start.definition.work
        assert isinstance(work, ChunkDefinition)
        built: ItemReader = self._builder(start)(work.reader)
        if self.replayed is None:
            return built
        return RejectReader(
            self.replayed, built, self._scope(start.execution, start.definition.name, start.should_stop).log
        )

    def chunk_parts(self, start: StepStart) -> ChunkParts:
        """Returns the reader, processors and writer of a chunk step."""
        work = start.definition.work
        assert isinstance(work, ChunkDefinition)
        build, policies = self._builder(start), self._policies(start)
        processors = [build(each) for each in work.processors]
        return ChunkParts(self.reader(start), processors, build(work.writer), policies.completion(work.completion))

    def fault_parts(self, start: StepStart) -> FaultParts:
        """Returns the policies of a chunk step, and the sink of its rejects."""
        work = start.definition.work
        assert isinstance(work, ChunkDefinition)
        skip, retry = work.tolerance.skip, work.tolerance.retry
        policies, sink = self._policies(start), self._builder(start)(_rejects(work))
        return FaultParts(policies.skip(skip), policies.retry(retry), policies.backoff(retry.backoff), sink)

    def reject_sink(self, execution: JobExecution, step: StepExecution) -> RejectSink:
        """Returns the sink of a chunk step, for whoever reads what it keeps.

        Raises:
            DefinitionError: the job has no such step any more.
        """
        definition = next((each for each in self.job.definition.steps if each.name == step.step_name), None)
        if definition is None or not isinstance(definition.work, ChunkDefinition):
            raise DefinitionError([Problem(f"there is no chunk step {step.step_name!r}", self.job.title)])
        start = StepStart(execution, definition, step, {}, lambda: False)
        built: RejectSink = self._builder(start)(_rejects(definition.work))
        return built

    def tasklet(self, start: StepStart) -> Tasklet:
        """Returns the tasklet of a tasklet step."""
        work = start.definition.work
        assert isinstance(work, TaskletDefinition)
        built: Tasklet = self._builder(start)(work.tasklet)
        return built

    def decider(self, start: StepStart) -> Decider:
        """Returns the decider of a decision."""
        work = start.definition.work
        assert isinstance(work, DecisionDefinition)
        built: Decider = self._builder(start)(work.decider)
        return built

    def job_listeners(self, execution: JobExecution) -> Sequence[HeardListener]:
        """Returns the job's own listeners."""
        scope = self._scope(execution, "", lambda: False)
        roots = {**self._launch_roots(), **_job_roots(execution)}
        return self._listeners(self.job.definition.listeners, lambda each: self._build(each, roots, scope))

    def step_listeners(self, start: StepStart) -> Sequence[HeardListener]:
        """Returns the step's own listeners."""
        return self._listeners(start.definition.listeners, self._builder(start))

    def _listeners(self, declared: Sequence[ListenerDefinition], build: Builder) -> list[HeardListener]:
        return [HeardListener(part, each.is_lenient) for each in declared for part in build(each.component).parts()]

    def run_child(self, start: StepStart) -> JobExecution:
        """Launches the child job of a step, or continues it."""
        work = start.definition.work
        assert isinstance(work, ChildJobDefinition)
        assert self.children is not None
        return self.children.run(self, work, self.given_to_child(start), start)

    def given_to_child(self, start: StepStart) -> dict[str, Any]:
        """Returns the values that a step gives its child job as parameters.

        Raises:
            DefinitionError: a reference in them names nothing.
        """
        work = start.definition.work
        assert isinstance(work, ChildJobDefinition)
        try:
            given: dict[str, Any] = bind(work.parameters, self._step_roots(start))
        except BindingError as error:
            raise DefinitionError(
                [self._problem(work.path, ("parameters", *error.at), str(error), error.hint)]
            ) from error
        return given

    def _policies(self, start: StepStart) -> PolicyBuilder:
        work = start.definition.work
        assert isinstance(work, ChunkDefinition)
        scope = self._scope(start.execution, start.definition.name, start.should_stop)
        step = work.reader.path.removesuffix(".reader")
        return PolicyBuilder(scope, lambda at, *told: self._problem(step, at, *told))

    def _builder(self, start: StepStart) -> Builder:
        scope = self._scope(start.execution, start.definition.name, start.should_stop)
        roots = self._step_roots(start)
        return lambda component: self._build(component, roots, scope)

    def _build(self, component: ComponentDefinition, roots: Mapping[str, Any], scope: StepScope) -> Any:
        made = self.job.registry.component(component.role, component.type)
        return made(self._options(component, roots), scope)

    def _options(self, component: ComponentDefinition, roots: Mapping[str, Any]) -> Any:
        spec = self.job.registry.spec(component.role, component.type)
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
        document, mask = self.job.document, self.secrets.mask
        return document.problem((*document.parse_path(path), *at), mask(message), hint and mask(hint))

    def _scope(self, execution: JobExecution, step_name: str, should_stop: Callable[[], bool]) -> StepScope:
        definition = self.job.definition
        known_as = execution.instance.known_as(self.repository.id)
        return StepScope(
            job_name=definition.name,
            step_name=step_name,
            repository_id=known_as.repository_id,
            repository_url=self.repository_url,
            instance_id=known_as.instance_id,
            execution_id=execution.id,
            log=logging.getLogger(".".join(filter(None, ("batchrun.job", definition.name, step_name)))),
            project=self.project,
            databases={name: self._database(name) for name in definition.databases},
            modules=self.job.registry.modules,
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

    def _step_roots(self, start: StepStart) -> dict[str, Any]:
        own = {"step": {"context": start.step.context}, "steps": start.results}
        return {**self._launch_roots(), **_job_roots(start.execution), **own}


def _rejects(work: ChunkDefinition) -> ComponentDefinition:
    """Returns the step's reject sink, or the one that a step has which names none."""
    path = work.reader.path.removesuffix(".reader")
    return work.rejects or ComponentDefinition("reject_sink", DEFAULT_REJECT_SINK, {}, path)


def _job_roots(execution: JobExecution) -> dict[str, Any]:
    about = {"id": execution.id, "instance_id": execution.instance.first_id, "job_name": execution.job_name}
    return {"execution": about, "job": {"context": execution.context}}


def _components(job: JobDefinition) -> Iterator[ComponentDefinition]:
    """Yields all components of the job, in order of declaration."""
    for step in job.steps:
        match step.work:
            case ChunkDefinition():
                yield from (step.work.reader, *step.work.processors, step.work.writer, _rejects(step.work))
            case TaskletDefinition(component) | DecisionDefinition(component):
                yield component
        yield from (listener.component for listener in step.listeners)
    yield from (listener.component for listener in job.listeners)


def _collect(problems: list[Problem], attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except DefinitionError as error:
        problems.extend(error.problems)
