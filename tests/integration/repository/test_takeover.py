"""The moments at which two owners of one execution meet in PostgreSQL; SQLite has one writer at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import insert

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import BatchStatus
from batchrun.errors import ExecutionRunningError, FencedError
from batchrun.repository import open_repository, rows, statements
from batchrun.repository.begin import Beginning
from batchrun.repository.database import Database
from batchrun.repository.sql import SqlJobRepository
from batchrun.repository.tables import job_execution
from batchrun.testing.repository.parts import DAY, LAPSED, add_step, begin_ended, request


@pytest.fixture
def repository(fresh_postgres_database: str) -> Iterator[SqlJobRepository]:
    with closing(open_repository(fresh_postgres_database)) as opened:
        yield opened


@pytest.fixture
def database(fresh_postgres_database: str, repository: SqlJobRepository) -> Iterator[Database]:
    """The same database, for what another process does in a transaction of its own."""
    with closing(Database(fresh_postgres_database)) as opened:
        yield opened


class Meeting:
    """Another process's transaction that stays open while a call waits for it."""

    def __init__(self, url: str, pool: ThreadPoolExecutor) -> None:
        self._url = url
        self._pool = pool

    def waiting(self, call: Callable[[], object]) -> Future[object]:
        """Starts the call and returns when it waits for a lock."""
        future = self._pool.submit(call)
        pause = threading.Event()
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not future.done():
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ).fetchone()
                if row != (0,):
                    return future
                pause.wait(0.005)
        return future


@pytest.fixture
def meeting(fresh_postgres_database: str) -> Iterator[Meeting]:
    with ThreadPoolExecutor(1) as pool:
        yield Meeting(fresh_postgres_database, pool)


_WRITES = {
    "save_progress": SqlJobRepository.save_progress,
    "save_step": SqlJobRepository.save_step,
    "save_job": lambda repository, execution, _step: repository.save_job(execution),
    "add_step": SqlJobRepository.add_step,
}


@pytest.mark.parametrize("write", _WRITES)
def test_a_write_that_meets_a_takeover_is_fenced(
    repository: SqlJobRepository, database: Database, meeting: Meeting, write: str
) -> None:
    old = repository.begin(request(lease=LAPSED))
    step = add_step(repository, old)
    step.status = old.status = BatchStatus.COMPLETED
    with database.writing() as connection:
        Beginning(connection, request(owner=DAY)).execute()
        writing = meeting.waiting(lambda: _WRITES[write](repository, old, step))
        assert not writing.done()
    with pytest.raises(FencedError):
        writing.result()
    stored = repository.find_execution(old.id)
    assert (stored.status, stored.steps[0].status) == (BatchStatus.FAILED, BatchStatus.FAILED)


def test_an_owner_begins_a_step_while_a_launch_is_decided_on_its_instance(
    repository: SqlJobRepository, database: Database, meeting: Meeting
) -> None:
    """The launch goes on to the owner's execution, which a step that waited for the instance would hold: a deadlock."""
    execution = repository.begin(request())
    key = {"b_job_name": execution.job_name, "b_identity": execution.instance.identity}
    with database.writing() as connection:
        assert connection.execute(statements.find_instance, key).one().id == execution.instance.id
        beginning = meeting.waiting(lambda: add_step(repository, execution))
        assert beginning.done()


def test_a_takeover_that_meets_the_end_finds_it_ended(
    repository: SqlJobRepository, database: Database, meeting: Meeting
) -> None:
    old = repository.begin(request(lease=LAPSED))
    values = {"status": BatchStatus.FAILED, "exit_description": "ended by itself"}
    with database.writing() as connection:
        connection.execute(job_execution.update().where(job_execution.c.id == old.id).values(values))
        beginning = meeting.waiting(lambda: repository.begin(request(owner=DAY)))
        assert not beginning.done()
    begun = beginning.result()
    assert isinstance(begun, JobExecution)
    assert begun.restart_of == old.id
    assert repository.find_execution(old.id).exit_status.description == "ended by itself"


def test_where_only_the_index_forbids_it_the_winner_is_named(
    repository: SqlJobRepository, database: Database, meeting: Meeting
) -> None:
    first = begin_ended(repository, BatchStatus.FAILED)
    winner = {**rows.new_execution_values(first), "status": BatchStatus.STARTED, "owner_pid": 99}
    with database.writing() as connection:  # without the locks that `begin` takes
        inserted = connection.execute(
            insert(job_execution).values({**winner, "lease_until_epoch": 1e12}).returning(job_execution.c.id)
        ).scalar_one()
        beginning = meeting.waiting(lambda: repository.begin(request()))
        assert not beginning.done()
    with pytest.raises(ExecutionRunningError, match="pid 99") as refused:
        beginning.result()
    assert refused.value.execution_id == inserted
