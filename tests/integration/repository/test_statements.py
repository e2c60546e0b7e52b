"""What the tables themselves guarantee, and that no question of a run or a reader walks through the history."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ClauseElement, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from batchrun.domain.selection import ExecutionFilter
from batchrun.domain.status import BatchStatus
from batchrun.errors import RepositoryUnreachableError
from batchrun.repository import open_repository, rows, statements
from batchrun.repository.columns import epoch_now
from batchrun.repository.database import Database
from batchrun.repository.finding import execution_ids, later_execution_id
from batchrun.repository.sql import SqlJobRepository
from batchrun.repository.tables import job_execution
from batchrun.testing.repository.parts import add_step, request, save


@pytest.fixture
def repository(repository_url: str) -> Iterator[SqlJobRepository]:
    with closing(open_repository(repository_url)) as opened:
        yield opened


@pytest.fixture
def database(repository_url: str, repository: SqlJobRepository) -> Iterator[Database]:
    """The same database, for what another process does in a transaction of its own."""
    with closing(Database(repository_url)) as opened:
        yield opened


def test_the_database_itself_forbids_two_running_executions(repository: SqlJobRepository, database: Database) -> None:
    first = repository.begin(request())
    second = {**rows.new_execution_values(first), "lease_until_epoch": 0}
    with pytest.raises(RepositoryUnreachableError) as refused, database.writing() as connection:
        connection.execute(insert(job_execution).values(second))
    assert isinstance(refused.value.__cause__, IntegrityError)
    save(repository, first, BatchStatus.FAILED)
    with database.writing() as connection:
        connection.execute(insert(job_execution).values({**second, "status": BatchStatus.STARTED}))


_QUESTIONS = {
    "last execution": (statements.lock_last_execution, "ix_job_execution_instance_id_id (instance_id=?)"),
    "step starts": (
        statements.count_steps,
        "ix_step_execution_instance_id_step_name_id (instance_id=? AND step_name=?)",
    ),
    "a job's history": (
        execution_ids(ExecutionFilter(job_names=["load"]), 20),
        "ix_job_execution_job_name_id (job_name=?)",
    ),
    "history by status": (
        execution_ids(ExecutionFilter(statuses=[BatchStatus.FAILED]), 20),
        "ix_job_execution_status_id (status=?)",
    ),
    "history by job and status": (
        execution_ids(ExecutionFilter(job_names=["load"], statuses=[BatchStatus.FAILED]), 20),
        "ix_job_execution_job_name_status_id (job_name=? AND status=?)",
    ),
    "history by parameter": (
        execution_ids(ExecutionFilter(parameters={"day": ["1"]}), 20),
        "ix_job_parameter_name_value (name=? AND <expr>=?)",
    ),
    "later execution": (later_execution_id, "ix_job_execution_instance_id_id (instance_id=? AND id>?)"),
}
_SPAN = ExecutionFilter(since=datetime(2026, 7, 1, tzinfo=UTC), until=datetime(2026, 7, 2, tzinfo=UTC))


@pytest.mark.parametrize(("question", "index"), _QUESTIONS.values(), ids=_QUESTIONS)
def test_an_index_answers_in_order(sqlite_url: str, question: ClauseElement, index: str) -> None:
    compiled = question.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    plan = _plan(sqlite_url, str(compiled), dict.fromkeys(compiled.params, 1), compiled.positiontup or [])
    assert any(index in line for line in plan), plan
    assert not [line for line in plan if line.startswith("SCAN") or "TEMP B-TREE" in line], plan


def test_an_index_answers_history_by_time(sqlite_url: str) -> None:
    compiled = execution_ids(_SPAN, 20).compile(dialect=sqlite.dialect())
    plan = _plan(sqlite_url, str(compiled), dict.fromkeys(compiled.params, 1), compiled.positiontup or [])
    assert any("ix_job_execution_created_at_id (created_at>?)" in line for line in plan), plan
    assert any("ix_job_execution_created_at_id (created_at<?)" in line for line in plan), plan
    assert any("INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in line for line in plan), plan


def _plan(url: str, statement: str, values: dict[str, Any], order: list[str]) -> list[str]:
    with closing(open_repository(url)), closing(Database(url)) as database, database.reading() as connection:
        parameters = tuple(values[name] for name in order)
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def test_a_purged_execution_takes_all_that_belongs_to_it(repository: SqlJobRepository, database: Database) -> None:
    execution = repository.begin(request(day="1"))
    parent = add_step(repository, execution)
    add_step(repository, execution, "copy:p1", parent_id=parent.id)
    with database.writing() as connection:
        connection.execute(job_execution.delete())
        for table in ("job_parameter", "step_execution"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    assert repository.begin(request(day="1")).id > execution.id


def test_a_lease_is_counted_from_now_in_seconds(repository: SqlJobRepository, database: Database) -> None:
    execution = repository.begin(request(lease=timedelta(seconds=100)))
    repository.renew_lease(execution, timedelta(seconds=30.5))
    with database.reading() as connection:
        left = connection.execute(select(job_execution.c.lease_until_epoch - epoch_now())).scalar_one()
        by_our_clock = connection.execute(select(job_execution.c.lease_until_epoch)).scalar_one() - time.time()
    assert 25 < left <= 30.5
    assert by_our_clock == pytest.approx(left, abs=1)


def test_what_must_not_be_lost_waits_for_the_disk(sqlite_url: str) -> None:
    with closing(Database(sqlite_url)) as database, database.writing() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
