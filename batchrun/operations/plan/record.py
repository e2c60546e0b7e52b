"""What a launch or restart would do, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from batchrun.domain.execution import JobExecution


class Action(StrEnum):
    """What becomes of a step.

    SKIP: its result is taken from an earlier execution. RESUME: it goes on where it stands. RERUN: it has completed,
    and runs once more from its beginning. START: it begins. NOT_REACHED: the flow does not come there. BLOCKED: it
    cannot run, and fails the flow where that comes there.
    """

    SKIP = "skip"
    RESUME = "resume"
    RERUN = "rerun"
    START = "start"
    NOT_REACHED = "not reached"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What becomes of one step.

    Attributes:
        kind: as `StepDefinition.kind`.
        condition: when that is so, such as `when load has completed`; empty where it is certain.
        reason: why, or what it goes on from, in words; may be empty.
        execution_id: the execution that it is about: whose result is taken, or whose attempt is continued.
        position: where a RESUME goes on, in the reader's words.
        is_exact: the position is just that; else it may lie up to one commit further.
        child_id: of a step that is a job, the execution of it that is taken or continued.
        inside: the states of each flow inside it, unless it is skipped or not reached.
    """

    name: str
    kind: str
    action: Action
    condition: str = ""
    reason: str = ""
    execution_id: int | None = None
    position: str | None = None
    is_exact: bool = True
    child_id: int | None = None
    inside: Sequence[Sequence[PlannedStep]] = ()

    @property
    def is_certain(self) -> bool:
        """Tells whether it comes so whatever the other steps do."""
        return not self.condition


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What a launch or restart of a job would do.

    Attributes:
        last: the execution that would be continued; None where the instance is new.
        is_dead: nobody runs that execution, although it has not ended; it is recovered first.
        steps: those of the job's own flow, in order of declaration.
    """

    job_name: str
    last: JobExecution | None
    is_dead: bool
    steps: Sequence[PlannedStep] = field(default_factory=tuple)

    def walk(self) -> Iterator[PlannedStep]:
        """Yields all steps, each followed by those inside it."""
        return _walk(self.steps)


def _walk(steps: Sequence[PlannedStep]) -> Iterator[PlannedStep]:
    for step in steps:
        yield step
        for flow in step.inside:
            yield from _walk(flow)
