"""Makes tasklets and calls them as a step does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from batchrun.registry import Registry
from batchrun.spi.tasklet import RepeatStatus, StepContribution, Tasklet
from batchrun.testing.scope import scope_in


def make(folder: Path, type: str, *, should_stop: Callable[[], bool] = lambda: False, **options: Any) -> Tasklet:
    registry = Registry(folder)
    parsed = registry.spec("tasklet", type).parse(options)
    assert parsed.check() == []
    tasklet: Tasklet = registry.component("tasklet", type)(parsed, scope_in(folder, should_stop=should_stop))
    return tasklet


def run(tasklet: Tasklet, contribution: StepContribution | None = None) -> tuple[RepeatStatus | None, StepContribution]:
    """Makes one call, with the context that the contribution brings."""
    contribution = contribution or StepContribution()
    try:
        assert tasklet.open() is None
        return tasklet.execute(contribution), contribution
    finally:
        tasklet.close()


def problems(type: str, **options: Any) -> list[str]:
    return [str(each.message) for each in Registry().spec("tasklet", type).parse(options).check()]
