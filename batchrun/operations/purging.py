"""Purges the repository: many short transactions, with room between them for those who run jobs meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from batchrun.domain.purge import PurgeableInstance, PurgeCriteria, PurgedExecution
from batchrun.domain.status import BatchStatus
from batchrun.operations.explorer import JobExplorer

if TYPE_CHECKING:
    from batchrun.spi.repository import JobRepository

_INSTANCES_AT_ONCE = 200
_LONGEST_PAUSE_SECONDS = 0.2


class PurgedJob(NamedTuple):
    """What a purge deletes, or would delete, of one job and one status of the instances' last executions."""

    job_name: str
    status: BatchStatus
    instance_count: int
    execution_count: int


@dataclass(frozen=True, slots=True)
class Purge:
    """Deletes instances with their executions and whatever belongs to these.

    Attributes:
        forget: called with the executions that have just been deleted, to delete what lies outside the repository.
        pause: waits for seconds.
    """

    repository: JobRepository
    forget: Callable[[Sequence[PurgedExecution]], None]
    pause: Callable[[float], None] = time.sleep

    def plan(self, criteria: PurgeCriteria) -> list[PurgeableInstance]:
        """Returns what would be deleted; `job_names` of the criteria may be patterns."""
        names = JobExplorer(self.repository).matching_names(criteria.job_names)
        if criteria.job_names and not names:
            return []
        chosen = PurgeCriteria(names, criteria.statuses, criteria.ended_before, criteria.keep_last)
        return self.repository.find_purgeable(chosen)

    def execute(self, instances: Sequence[PurgeableInstance]) -> list[PurgeableInstance]:
        """Deletes the instances and returns those of which something was deleted; others have changed meanwhile."""
        return [
            purged
            for begin in range(0, len(instances), _INSTANCES_AT_ONCE)
            for purged in self._delete(instances[begin : begin + _INSTANCES_AT_ONCE])
        ]

    def _delete(self, instances: Sequence[PurgeableInstance]) -> Iterator[PurgeableInstance]:
        gone: set[int] = set()
        while purged := self._delete_some(instances):
            gone.update(execution.id for execution in purged)
        yield from (each for each in instances if each.last_execution_id in gone)

    def _delete_some(self, instances: Sequence[PurgeableInstance]) -> list[PurgedExecution]:
        begin = time.monotonic()
        purged = self.repository.purge(instances)
        # As long as it took: who waits for SQLite's lock asks again after a while, and must find it free.
        self.pause(min(time.monotonic() - begin, _LONGEST_PAUSE_SECONDS))
        self.forget(purged)
        return purged


def by_job(instances: Sequence[PurgeableInstance]) -> list[PurgedJob]:
    """Counts instances and executions by job and status."""
    instance_counts: Counter[tuple[str, BatchStatus]] = Counter()
    execution_counts: Counter[tuple[str, BatchStatus]] = Counter()
    for each in instances:
        instance_counts[each.job_name, each.status] += 1
        execution_counts[each.job_name, each.status] += each.execution_count
    return [PurgedJob(*key, instance_counts[key], execution_counts[key]) for key in sorted(instance_counts)]
