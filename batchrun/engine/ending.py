"""How a step, a flow or a job ends: a status for the machine and an exit status for the flow around it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.flow import matches
from batchrun.domain.status import FAILED, STOPPED, BatchStatus, ExitStatus


class Ending(NamedTuple):
    """How something ended."""

    status: BatchStatus
    exit_status: ExitStatus


def stopped(description: str = "") -> Ending:
    """Returns the ending of what a request to stop has ended."""
    return Ending(BatchStatus.STOPPED, ExitStatus(STOPPED.code, description))


def failed(description: str, before: JobExecution | StepExecution | None = None) -> Ending:
    """Returns the ending of what has failed; where it had failed before, what is known of that comes first."""
    described = ExitStatus(FAILED.code, description)
    if before is not None and before.status is BatchStatus.FAILED:
        described = before.exit_status.and_(described)
    return Ending(BatchStatus.FAILED, described)


def is_completed(step: StepExecution) -> bool:
    """Tells whether a step ended so that its flow goes on without asking for transitions: COMPLETED*."""
    return step.status is BatchStatus.COMPLETED and matches("COMPLETED*", step.exit_status.code)


def of_last(step: StepExecution) -> Ending:
    """Returns how a flow ends behind its last step: COMPLETED* completes it, anything else fails it."""
    if is_completed(step):
        return Ending(BatchStatus.COMPLETED, step.exit_status)
    described = step.exit_status.description or f"ended with exit code {step.exit_status.code}"
    return Ending(BatchStatus.FAILED, ExitStatus(step.exit_status.code, f"step {step.step_name!r}: {described}"))


def of_all(endings: Sequence[Ending]) -> Ending:
    """Returns how the branches of a parallel state ended together: the most severe, whatever their order.

    Of exit codes of one severity the last by its text is kept, so that COMPLETED WITH SKIPS hides behind no COMPLETED.
    """
    in_order = sorted((each.exit_status for each in endings), key=lambda each: (each.severity, each.code))
    return Ending(max(each.status for each in endings), reduce(ExitStatus.and_, in_order))
