"""Where a run is to die: copied beside a job, whose components and listeners pass by its places.

A place is `STEP VISIT POINT`, such as `load 2 before_step`. The file `die` names the one at which the process kills
itself, which differs in nothing from a kill -9 that comes at that moment. What is passed is noted in the file `passed`.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.listeners import after_chunk, after_job, after_step, before_chunk, before_job, before_step


def _pass(place: str) -> None:
    with Path("passed").open("a") as passed:
        passed.write(f"{place}\n")
    try:
        dies = Path("die").read_text() == place
    except FileNotFoundError:
        return
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)


@before_job
def job_begins(execution: JobExecution) -> None:
    _pass("job 1 before_job")


@after_job
def job_ends(execution: JobExecution) -> None:
    _pass("job 1 after_job")


@before_step
def step_begins(step: StepExecution) -> None:
    _pass(f"{step.step_name} {step.visit} before_step")


@after_step
def step_ends(step: StepExecution) -> None:
    _pass(f"{step.step_name} {step.visit} after_step")


@before_chunk
def chunk_begins(step: StepExecution) -> None:
    _pass(f"{step.step_name} {step.visit} before_chunk {step.counts.commit + 1}")


@after_chunk
def chunk_ends(step: StepExecution) -> None:
    _pass(f"{step.step_name} {step.visit} after_chunk {step.counts.commit}")


def inside(name: str, visit: int) -> None:
    """A tasklet's body."""
    _pass(f"{name} {visit} inside")


def way(name: str, steps: dict[str, dict[str, int]], last: int, *, again: str = "AGAIN") -> str:
    """A decider: `AGAIN` before its last visit."""
    visit = steps[name]["visit"]
    _pass(f"{name} {visit} inside")
    return again if visit < last else "ON"
