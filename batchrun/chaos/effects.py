"""Refuses jobs that act on what cannot be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from batchrun.definition import LoadedJob
from batchrun.domain.definition import ChildJobDefinition, TaskletDefinition
from batchrun.errors import UsageError

OUTSIDE = ("shell", "http", "launch")
"""Tasklets that act outside of what chaos copies."""


def refuse_effects(job: LoadedJob, load: Callable[[str], LoadedJob]) -> None:
    """Refuses a job with steps, its own or those of its child jobs, that act outside of the copies.

    Args:
        job: whose steps.
        load: reads a child job's file.

    Raises:
        UsageError: there are such steps; names them.
    """
    found = list(_acting(job, load, set()))
    if found:
        raise UsageError(
            f"chaos would repeat what acts outside of its copies: {', '.join(found)}",
            hint="--with-effects runs it all the same, each time anew",
        )


def _acting(job: LoadedJob, load: Callable[[str], LoadedJob], seen: set[str]) -> Iterator[str]:
    name = job.definition.name
    if name in seen:
        return
    seen.add(name)
    for step in job.definition.steps:
        match step.work:
            case TaskletDefinition(component) if component.type in OUTSIDE:
                yield f"step {step.name!r} of {name} ({component.type})"
            case ChildJobDefinition():
                yield from _acting(job.children.get(step.work.job) or load(step.work.job), load, seen)
