"""Explains a job by its definition and the specs of its components; connects to nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchrun.binding import BindingError, bind
from batchrun.components.databases.connection import masked
from batchrun.definition import LoadedJob
from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    ComponentDefinition,
    DecisionDefinition,
    FlowDefinition,
    ListenerDefinition,
    ParameterDefinition,
    StepDefinition,
    TaskletDefinition,
)
from batchrun.domain.parameters import MASK, ParameterType, value_text
from batchrun.operations.explanation.costs import Costs
from batchrun.operations.explanation.guarantee import guarantee_of
from batchrun.operations.explanation.record import (
    ExplainedDatabase,
    ExplainedParameter,
    ExplainedStep,
    JobExplanation,
)
from batchrun.operations.explanation.wording import component_words, rule_words, transitions_words
from batchrun.operations.scope import resolve_database
from batchrun.registry import Registry


def explain(job: LoadedJob, project: Path, repository_url: str) -> JobExplanation:
    """Returns what a job does and promises.

    Args:
        job: read and found right.
        project: relative SQLite files are in this folder.
        repository_url: tells whether a database is in the repository's file.
    """
    definition, registry = job.definition, job.registry
    databases = [_database(name, url, project, repository_url) for name, url in definition.databases.items()]
    shared = {each.name for each in databases if each.holds_repository}
    steps = _Steps(registry, Costs(registry, shared, definition.listeners))
    return JobExplanation(
        job_name=definition.name,
        description=definition.description,
        start=definition.flow.start,
        parameters=[_parameter(each) for each in definition.parameters],
        databases=databases,
        listeners=_listeners(definition.listeners, registry),
        steps=steps.of_flow(definition.flow),
    )


def _parameter(parameter: ParameterDefinition) -> ExplainedParameter:
    is_secret, default = parameter.type is ParameterType.SECRET, parameter.default
    hides = is_secret and not (isinstance(default, str) and "${" in default)
    text = None if default is None else MASK if hides else value_text(default)
    return ExplainedParameter(
        parameter.name,
        parameter.type.value,
        parameter.required,
        parameter.identifying and not is_secret,
        text,
        parameter.description,
    )


def _database(name: str, url: str, project: Path, repository_url: str) -> ExplainedDatabase:
    """Resolves the environment alone: parameters come with a launch, and secrets are not to be shown."""
    try:
        known = str(bind(url, {"env": dict(os.environ)}))
    except BindingError:
        return ExplainedDatabase(name, masked(url), holds_repository=False)
    database = resolve_database(name, known, project, repository_url)
    return ExplainedDatabase(name, masked(database.url), database.holds_repository)


def _listeners(listeners: Sequence[ListenerDefinition], registry: Registry) -> list[str]:
    return [
        component_words(each.component, registry) + (" (a failure of it is only logged)" if each.is_lenient else "")
        for each in listeners
    ]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Explains the states of flows."""

    registry: Registry
    costs: Costs

    def of_flow(self, flow: FlowDefinition) -> list[ExplainedStep]:
        return [self._step(flow, state) for state in flow.states]

    def _step(self, flow: FlowDefinition, state: StepDefinition) -> ExplainedStep:
        components = _components(state)
        promised, why = guarantee_of(state, self.registry)
        return ExplainedStep(
            state.name,
            state.kind,
            self._does(state, components),
            promised,
            why,
            rule_words(state),
            self.costs.of(state, components),
            _listeners(state.listeners, self.registry),
            transitions_words(flow, state.name),
            [self.of_flow(each) for each in state.flows],
        )

    def _does(self, state: StepDefinition, components: Sequence[ComponentDefinition]) -> str:
        told = [component_words(each, self.registry) for each in components]
        match state.work:
            case ChunkDefinition():
                items = state.work.completion.items
                return f"{' > '.join(told)}, {items:,} items a commit"
            case ChildJobDefinition(job, parameters):
                return f"launches {job}" + (f" with {', '.join(parameters)}" if parameters else "")
            case FlowDefinition():
                return "runs a flow of its own"
            case _:
                return told[0] if told else f"runs {len(state.flows)} branches at the same time"


def _components(state: StepDefinition) -> list[ComponentDefinition]:
    """Returns the components of the state's work, in the order that items pass through them."""
    match state.work:
        case ChunkDefinition():
            return [state.work.reader, *state.work.processors, state.work.writer]
        case TaskletDefinition(component) | DecisionDefinition(component):
            return [component]
        case _:
            return []
