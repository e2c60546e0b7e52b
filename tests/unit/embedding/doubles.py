"""A job of parts in memory, built in code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batchrun import Job, Parameter, Step
from batchrun.testing.memory import ListItemReader, MemoryItemWriter, MemoryTarget


def numbers(target: MemoryTarget, *processors: Any, items: Sequence[int] = range(5)) -> Job:
    """Returns a job that writes numbers, in chunks of two."""
    return Job(
        "numbers",
        parameters={"day": Parameter("date")},
        steps=[
            Step(
                "copy",
                chunk=2,
                reader=lambda: ListItemReader([{"n": each} for each in items]),
                processors=processors,
                writer=lambda: MemoryItemWriter(target),
            )
        ],
    )
