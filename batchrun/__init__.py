"""Spring Batch for Python, declared in YAML: restartable jobs that lose nothing and write nothing twice.

    import batchrun

    execution = batchrun.launch("jobs.d/load.yaml", input="flights.csv")

What is named here is imported where it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchrun.version import __version__

if TYPE_CHECKING:
    from batchrun.domain.execution import JobExecution, StepExecution
    from batchrun.domain.status import BatchStatus, ExitStatus
    from batchrun.embedding import (
        Component,
        Job,
        Parameter,
        Run,
        Step,
        Transition,
        deciders,
        history,
        launch,
        processors,
        readers,
        restart,
        show,
        start,
        tasklets,
        validate,
        writers,
    )
    from batchrun.errors import BatchrunError
    from batchrun.spi.listener import Listener

__all__ = [
    "BatchStatus",
    "BatchrunError",
    "Component",
    "ExitStatus",
    "Job",
    "JobExecution",
    "Listener",
    "Parameter",
    "Run",
    "Step",
    "StepExecution",
    "Transition",
    "__version__",
    "deciders",
    "history",
    "launch",
    "processors",
    "readers",
    "restart",
    "show",
    "start",
    "tasklets",
    "validate",
    "writers",
]

_ELSEWHERE = {
    "BatchStatus": "batchrun.domain.status",
    "BatchrunError": "batchrun.errors",
    "ExitStatus": "batchrun.domain.status",
    "JobExecution": "batchrun.domain.execution",
    "Listener": "batchrun.spi.listener",
    "StepExecution": "batchrun.domain.execution",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(_ELSEWHERE.get(name, "batchrun.embedding")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
