"""What a purge may delete: job instances as a whole, each judged by its last execution.

A restart needs all earlier executions of its instance, which know what is done already, and a launch refuses what has
completed only while its last execution is there. So an instance goes with all its executions or stays with all of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from batchrun.domain.status import BatchStatus


@dataclass(frozen=True, slots=True)
class PurgeCriteria:
    """Which instances are to go; what is left out does not matter.

    Attributes:
        job_names: the job is one of these.
        statuses: the last execution has one of these; none means any with which the instance never starts again.
        ended_before: the last execution ended before then.
        keep_last: the last execution is not among so many newest executions of its job.
    """

    job_names: Collection[str] = ()
    statuses: Collection[BatchStatus] = ()
    ended_before: datetime | None = None
    keep_last: int = 0

    @property
    def purged_statuses(self) -> frozenset[BatchStatus]:
        """The statuses to purge: never a running one, and one that can be restarted only where it is asked for."""
        asked = self.statuses or [status for status in BatchStatus if not status.is_restartable]
        return frozenset(status for status in asked if not status.is_running)


class PurgeableInstance(NamedTuple):
    """A job instance that may be deleted.

    Attributes:
        id: the instance's.
        status: that of its last execution.
        last_execution_id: the instance stays where it has a later one by the time of its deletion.
        execution_count: all its executions.
    """

    id: int
    job_name: str
    status: BatchStatus
    last_execution_id: int
    execution_count: int


class PurgedExecution(NamedTuple):
    """An execution that has been deleted, as far as its log and its rejects need it."""

    id: int
    instance_id: int
    job_file: str
