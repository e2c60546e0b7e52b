"""Which steps act where no copy stands for the original, so that they cannot be run to measure them."""

from __future__ import annotations

from collections.abc import Callable

from batchrun.copies.effects import OUTSIDE, acting
from batchrun.definition import LoadedJob
from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    ComponentDefinition,
    StepDefinition,
    TaskletDefinition,
)

_PACKAGE = "batchrun."


def is_builtin(job: LoadedJob, component: ComponentDefinition) -> bool:
    """Tells whether a component is batchrun's own: its paths and databases can be held to copies."""
    return bool(job.registry.component(component.role, component.type).__module__.startswith(_PACKAGE))


def acts_outside(job: LoadedJob, step: StepDefinition) -> str:
    """Returns how a step acts outside of the copies, such as `acts outside of copies (http)`, or nothing."""
    match step.work:
        case TaskletDefinition(tasklet) if tasklet.type in OUTSIDE:
            return f"acts outside of copies ({tasklet.type})"
        case ChunkDefinition(writer=writer) if not is_builtin(job, writer):
            return f"writes by {writer.type}, which may write anywhere"
    return ""


def child_acts_outside(step: StepDefinition, job: LoadedJob, load: Callable[[str], LoadedJob]) -> str:
    """Returns how the child job of a step acts outside of the copies, or nothing."""
    if not isinstance(step.work, ChildJobDefinition):
        return ""
    child = job.children.get(step.work.job) or load(step.work.job)
    found = next(acting(child, load), None)
    return "" if found is None else f"launches {found[0]}, whose step {found[1]!r} acts outside of copies ({found[2]})"
