"""What a job does and promises, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExplainedParameter:
    """A parameter of the job.

    Attributes:
        default: as text, with references still in it; None where there is none.
    """

    name: str
    type: str
    required: bool
    identifying: bool
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class ExplainedDatabase:
    """A database of the job.

    Attributes:
        url: without its password; with the references that are not known before the launch.
        holds_repository: it is the SQLite file that the repository is in.
    """

    name: str
    url: str
    holds_repository: bool


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """A state of the flow.

    Attributes:
        kind: as `StepDefinition.kind`.
        does: what it does, in one line.
        guarantee: `exactly once`, `effectively once` or `at least once`; None for a state that writes nothing itself.
        why: what the guarantee rests on, or what a restart does with the state.
        rules: how often it may start, how long it may take, what it makes of errors; each in words.
        costs: what costs speed, each in a sentence.
        listeners: those of its own, in words.
        leads_to: its transitions in words.
        flows: the states of each flow inside it.
    """

    name: str
    kind: str
    does: str
    guarantee: str | None
    why: str
    rules: Sequence[str] = ()
    costs: Sequence[str] = ()
    listeners: Sequence[str] = ()
    leads_to: Sequence[str] = ()
    flows: Sequence[Sequence[ExplainedStep]] = ()


@dataclass(frozen=True, slots=True)
class JobExplanation:
    """A whole job.

    Attributes:
        start: the state where it begins.
        steps: those of its own flow, in order of declaration.
    """

    job_name: str
    description: str
    start: str
    parameters: Sequence[ExplainedParameter]
    databases: Sequence[ExplainedDatabase]
    listeners: Sequence[str]
    steps: Sequence[ExplainedStep]

    def walk(self) -> Iterator[ExplainedStep]:
        """Yields all steps, each followed by those inside it."""
        return _walk(self.steps)


def _walk(steps: Sequence[ExplainedStep]) -> Iterator[ExplainedStep]:
    for step in steps:
        yield step
        for flow in step.flows:
            yield from _walk(flow)
