"""Refuses jobs that act on what cannot be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from batchrun.definition import LoadedJob
from batchrun.domain.definition import ChildJobDefinition, TaskletDefinition
from batchrun.errors import UsageError

OUTSIDE = ("shell", "http", "launch")
"""Tasklets that act outside of what is copied."""


def refuse_effects(job: LoadedJob, load: Callable[[str], LoadedJob]) -> None:
    """Refuses a job with steps, its own or those of its child jobs, that act outside of the copies.

    Args:
        job: whose steps.
        load: reads a child job's file.

    Raises:
        UsageError: there are such steps; names them.
    """
    found = [f"step {step!r} of {job_name} ({kind})" for job_name, step, kind in acting(job, load)]
    if found:
        raise UsageError(
            f"it would repeat what acts outside of its copies: {', '.join(found)}",
            hint="--with-effects runs it all the same, each time anew",
        )


def acting(job: LoadedJob, load: Callable[[str], LoadedJob]) -> Iterator[tuple[str, str, str]]:
    """Yields the steps that act outside of the copies: the name of their job, their own, and what they are."""
    yield from _acting(job, load, set())


def _acting(job: LoadedJob, load: Callable[[str], LoadedJob], seen: set[str]) -> Iterator[tuple[str, str, str]]:
    name = job.definition.name
    if name in seen:
        return
    seen.add(name)
    for step in job.definition.steps:
        match step.work:
            case TaskletDefinition(component) if component.type in OUTSIDE:
                yield name, step.name, component.type
            case ChildJobDefinition():
                yield from _acting(job.children.get(step.work.job) or load(step.work.job), load, seen)
