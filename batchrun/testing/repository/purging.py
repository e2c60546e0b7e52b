"""What a purge deletes: whole instances, judged by their last executions, and never what a restart would need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from batchrun.domain.execution import JobExecution
from batchrun.domain.purge import PurgeCriteria
from batchrun.domain.status import BatchStatus
from batchrun.errors import NoSuchExecutionError
from batchrun.spi.repository import JobRepository
from batchrun.testing.repository.parts import RUNNING, Opened, add_step, begin_ended, request, save

_DAY = timedelta(days=1)
_NEVER_AGAIN = [BatchStatus.COMPLETED, BatchStatus.ABANDONED, BatchStatus.UNKNOWN]


def _ended(repository: JobRepository, status: BatchStatus, days_ago: int, **options: Any) -> JobExecution:
    execution = repository.begin(request(**options))
    execution.ended_at = datetime.now(UTC) - days_ago * _DAY
    save(repository, execution, status)
    return execution


def _found(repository: JobRepository, **criteria: Any) -> list[int]:
    return [each.last_execution_id for each in repository.find_purgeable(PurgeCriteria(**criteria))]


def _purge(repository: JobRepository, **criteria: Any) -> list[int]:
    """Returns the ids of the executions that were deleted."""
    instances = repository.find_purgeable(PurgeCriteria(**criteria))
    purged = []
    while some := repository.purge(instances):
        purged += [execution.id for execution in some]
    return sorted(purged)


class PurgingContract(Opened):
    """`find_purgeable` and `purge`."""

    def test_what_never_starts_again_may_go(self, repository: JobRepository) -> None:
        made = [begin_ended(repository, status, day=status.name).id for status in BatchStatus]
        assert _found(repository) == [made[status] for status in sorted(_NEVER_AGAIN)]

    @pytest.mark.parametrize("status", [BatchStatus.FAILED, BatchStatus.STOPPED])
    def test_what_can_be_restarted_goes_only_where_its_status_is_asked_for(
        self, repository: JobRepository, status: BatchStatus
    ) -> None:
        execution = begin_ended(repository, status)
        assert _found(repository) == []
        assert _found(repository, statuses=[status]) == [execution.id]

    @pytest.mark.parametrize("status", RUNNING)
    def test_what_runs_never_goes(self, repository: JobRepository, status: BatchStatus) -> None:
        begin_ended(repository, status)
        assert _found(repository, statuses=list(BatchStatus)) == []

    def test_an_instance_is_judged_by_its_last_execution_and_goes_as_a_whole(self, repository: JobRepository) -> None:
        first, second = (begin_ended(repository, BatchStatus.FAILED, day="1").id for _ in range(2))
        done = begin_ended(repository, BatchStatus.COMPLETED, day="1").id
        unfinished = begin_ended(repository, BatchStatus.FAILED, day="2").id
        [instance] = repository.find_purgeable(PurgeCriteria())
        assert instance[1:] == ("load", BatchStatus.COMPLETED, done, 3)
        assert _purge(repository) == [first, second, done]
        assert [each.id for each in repository.find_executions()] == [unfinished]
        with pytest.raises(NoSuchExecutionError):
            repository.find_execution(done)

    def test_age_counts_from_the_end(self, repository: JobRepository) -> None:
        old = _ended(repository, BatchStatus.COMPLETED, 100, day="1").id
        _ended(repository, BatchStatus.COMPLETED, 80, day="2")
        assert _found(repository, ended_before=datetime.now(UTC) - 90 * _DAY) == [old]

    def test_the_newest_of_each_job_stay(self, repository: JobRepository) -> None:
        load = [begin_ended(repository, BatchStatus.COMPLETED, day=str(day)).id for day in range(4)]
        report = [
            begin_ended(repository, BatchStatus.COMPLETED, job_name="report", day=str(day)).id for day in range(2)
        ]
        assert _found(repository, keep_last=1) == [*load[:3], report[0]]
        assert _found(repository, keep_last=3) == load[:1]
        assert _found(repository, keep_last=2, job_names=["report"]) == []

    def test_jobs_are_chosen_by_name(self, repository: JobRepository) -> None:
        begin_ended(repository, BatchStatus.COMPLETED)
        report = begin_ended(repository, BatchStatus.COMPLETED, job_name="report").id
        assert _purge(repository, job_names=["report", "other"]) == [report]
        assert repository.job_names() == ["load"]

    def test_a_child_job_stays_while_its_parent_can_be_restarted(self, repository: JobRepository) -> None:
        parent = repository.begin(request("parent"))
        step = add_step(repository, parent)
        child = repository.begin(replace(request("child"), parent_step_id=step.id))
        save(repository, child, BatchStatus.COMPLETED)
        assert _found(repository) == []
        save(repository, parent, BatchStatus.FAILED)
        assert _found(repository) == []
        continued = begin_ended(repository, BatchStatus.COMPLETED, job_name="parent").id
        assert _found(repository) == [child.id, continued]
        assert _purge(repository, job_names=["parent"]) == [parent.id, continued]
        assert _found(repository) == [child.id]

    def test_an_instance_that_was_restarted_meanwhile_stays(self, repository: JobRepository) -> None:
        failed = begin_ended(repository, BatchStatus.FAILED)
        instances = repository.find_purgeable(PurgeCriteria(statuses=[BatchStatus.FAILED]))
        running = repository.begin(request())
        assert repository.purge(instances) == []
        assert [each.id for each in repository.find_executions()] == [running.id, failed.id]
        add_step(repository, running)

    def test_what_was_purged_can_be_launched_again_as_a_new_instance(self, repository: JobRepository) -> None:
        done = begin_ended(repository, BatchStatus.COMPLETED)
        add_step(repository, repository.begin(request(day="2")))
        assert _purge(repository) == [done.id]
        again = repository.begin(request())
        assert again.id > done.id
        assert again.instance.id > done.instance.id
        assert again.restart_of is None

    def test_a_purge_of_many_is_many_short_transactions(self, repository: JobRepository) -> None:
        for _ in range(3):
            begin_ended(repository, BatchStatus.FAILED, day="1")
        made = [begin_ended(repository, BatchStatus.COMPLETED, day=str(day)).id for day in range(2, 9)]
        assert len(_purge(repository)) == len(made)
        assert repository.purge(repository.find_purgeable(PurgeCriteria())) == []
