"""A purge of a large repository: short transactions, whole instances, and room for others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text, update

from batchrun.domain.purge import PurgeCriteria
from batchrun.domain.status import BatchStatus
from batchrun.operations.purging import Purge
from batchrun.repository import look, open_repository
from batchrun.repository.database import Database
from batchrun.repository.purging import EXECUTIONS_AT_ONCE
from batchrun.repository.sql import SqlJobRepository
from batchrun.repository.tables import job_execution, metadata
from batchrun.testing.repository.parts import add_step, begin_ended, request, save
from tests.support.history import fill

MANY = 3_000


@pytest.fixture
def repository(repository_url: str) -> Iterator[SqlJobRepository]:
    fill(repository_url, MANY)
    with closing(open_repository(repository_url)) as opened:
        yield opened


def test_nothing_of_an_instance_is_left(repository: SqlJobRepository, repository_url: str) -> None:
    statuses = [BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.STOPPED]
    purge = Purge(repository, lambda _executions: None, pause=lambda _seconds: None)
    assert len(purge.execute(purge.plan(PurgeCriteria(statuses=statuses)))) == MANY
    with closing(Database(repository_url)) as database, database.reading() as connection:
        for name in set(metadata.tables) - {"repository", "job_counter"}:
            assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == 0, name


def test_jobs_run_while_a_purge_does(repository: SqlJobRepository) -> None:
    purge = Purge(repository, lambda _executions: None)
    purging = threading.Thread(target=lambda: purge.execute(purge.plan(PurgeCriteria())))
    purging.start()
    made = 0
    while purging.is_alive() or not made:
        execution = repository.begin(request("other", number=str(made)))
        repository.save_progress(execution, add_step(repository, execution))
        save(repository, execution, BatchStatus.FAILED)
        made += 1
    purging.join()
    left = {each.status for each in repository.find_executions()}
    assert left == {BatchStatus.FAILED, BatchStatus.STOPPED}
    assert made > 1


def test_a_long_instance_goes_in_parts_and_cannot_be_restarted_in_between(
    repository: SqlJobRepository, repository_url: str
) -> None:
    first = begin_ended(repository, BatchStatus.FAILED)
    with closing(Database(repository_url)) as database, database.writing() as connection:
        long = update(job_execution).where(job_execution.c.id <= EXECUTIONS_AT_ONCE + 10)
        connection.execute(long.values(instance_id=first.instance.id, job_name="load", status=BatchStatus.FAILED))
    [instance] = repository.find_purgeable(PurgeCriteria(["load"], [BatchStatus.FAILED]))
    assert instance.execution_count == EXECUTIONS_AT_ONCE + 11
    assert len(repository.purge([instance])) == EXECUTIONS_AT_ONCE
    assert repository.find_execution(first.id).status is BatchStatus.ABANDONED
    assert len(repository.purge([instance])) == 11
    assert repository.purge([instance]) == []
    assert begin_ended(repository, BatchStatus.FAILED).instance.id != first.instance.id


def test_the_database_tells_how_much_it_holds(repository: SqlJobRepository, repository_url: str) -> None:
    running = repository.begin(request())
    held = look(repository_url).contents
    assert held is not None
    assert (held.instances, held.executions, held.running) == (MANY + 1, MANY + 1, 1)
    assert held.bytes > MANY * 1_000
    assert held.oldest_at is not None
    assert held.oldest_at < running.created_at
