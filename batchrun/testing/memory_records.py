"""Records of executions in memory: as they are read, and as they end when their owner is dead."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import TypeVar

from batchrun.domain.execution import JobExecution
from batchrun.domain.launch import dead
from batchrun.domain.status import BatchStatus

Record = TypeVar("Record")


def copied(record: Record) -> Record:
    """Returns a record that shares nothing with the other, as one that is read from a database.

    By pickle, which is five times as fast as deepcopy.
    """
    made: Record = pickle.loads(pickle.dumps(record, pickle.HIGHEST_PROTOCOL))
    return made


def read(stored: JobExecution) -> JobExecution:
    """Returns a copy; one that runs and has been asked to stop is STOPPING."""
    execution = copied(stored)
    if execution.stop_requested_at is not None and execution.status.is_running:
        execution.status = BatchStatus.STOPPING
    return execution


def recover(execution: JobExecution) -> None:
    """Sets an execution whose owner is dead to FAILED, with its running steps."""
    found = dead(execution.owner)
    execution.status, execution.exit_status, execution.ended_at = BatchStatus.FAILED, found, datetime.now(UTC)
    for step in execution.steps:
        if step.status.is_running:
            step.status, step.exit_status, step.ended_at = BatchStatus.FAILED, found, execution.ended_at
