"""A component's scope for its tests, on a folder that the test gives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from batchrun.operations.scope import StepScope
from batchrun.registry import LocalModules
from batchrun.spi.scope import Database


def scope_in(
    folder: Path,
    *,
    databases: Mapping[str, Database] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    repository_url: str = "sqlite:///repository.db",
) -> StepScope:
    """Returns the scope of step `step` of job `job`, with the folder as its project and job folder."""
    return StepScope(
        job_name="job",
        step_name="step",
        repository_id="0123456789abcdef",
        repository_url=repository_url,
        instance_id=1,
        execution_id=1,
        log=logging.getLogger("batchrun.job.job.step"),
        project=folder,
        databases=databases or {},
        modules=LocalModules(folder),
        should_stop=should_stop,
    )
