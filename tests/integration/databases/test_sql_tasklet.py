"""The tasklet `sql` on SQLite, by both copies of it, and on PostgreSQL."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from batchrun.components.databases import connect
from batchrun.components.tasklets.sql import SqlOptions, SqlTasklet
from batchrun.domain.execution import Checkpoint
from batchrun.errors import DatabaseError, StepStoppedError
from batchrun.spi.scope import Database
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from tests.integration.databases.conftest import KEY, World


def run(tasklet: SqlTasklet, token: int = 1) -> StepContribution | None:
    """Runs a tasklet as a step does; None where its checkpoint says that it has finished."""
    contribution = StepContribution()
    try:
        store = tasklet.open()
        assert store is not None
        checkpoint = store.take_over(KEY, token, 1)
        if checkpoint.finished:
            return None
        store.begin()
        try:
            assert tasklet.execute(contribution) is RepeatStatus.FINISHED
        except BaseException:
            store.rollback()
            raise
        store.commit(checkpoint.after(1, None, {}, contribution.counts, finished=True))
        return contribution
    finally:
        tasklet.close()


@pytest.fixture
def trades(world: World) -> World:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY, day date, n integer)")
    for place, day in enumerate([date(2026, 7, 30), date(2026, 7, 31), date(2026, 7, 31)], 1):
        world.sql("INSERT INTO t VALUES (:id, :day, 0)", id=place, day=day)
    return world


def test_statements_run_in_one_transaction_and_rows_are_counted(trades: World) -> None:
    contribution = run(
        trades.tasklet(
            statement=[
                "CREATE TABLE done (id integer)",
                "INSERT INTO done SELECT id FROM t WHERE day = :day AND '%' = '%'",
                "UPDATE t SET n = n + :by -- :nothing",
                "SELECT 1",
                "WITH a AS (SELECT 1) SELECT * FROM a",
                "WITH a AS (SELECT 1 AS id) UPDATE t SET n = n + 1 WHERE id IN (SELECT id FROM a)",
                "DELETE FROM t WHERE id = 99;",
            ],
            parameters={"day": date(2026, 7, 31), "by": 5},
        )
    )
    assert contribution is not None
    assert contribution.counts.write == 6
    assert trades.sql("SELECT id FROM done ORDER BY id") == [(2,), (3,)]
    assert trades.sql("SELECT n FROM t ORDER BY id") == [(6,), (5,), (5,)]


def test_statement_takes_effect_once_however_often_it_is_tried(trades: World) -> None:
    tasklet: dict[str, Any] = {"statement": "UPDATE t SET n = n + 1"}
    assert run(trades.tasklet(**tasklet), 1) is not None
    assert run(trades.tasklet(**tasklet), 2) is None
    assert trades.sql("SELECT DISTINCT n FROM t") == [(1,)]


def test_refused_statement_undoes_those_before_it_and_is_named(trades: World) -> None:
    tasklet = trades.tasklet(statement=["DELETE FROM t", "UPDATE nowhere SET n = 1"])
    with pytest.raises(DatabaseError, match=r"database 'db': statement 2 of 2: .*nowhere") as told:
        run(tasklet)
    assert "\n" not in str(told.value)
    assert trades.sql("SELECT count(*) FROM t") == [(3,)]


def test_nothing_is_committed_before_the_checkpoint(trades: World) -> None:
    tasklet = trades.tasklet(statement="DELETE FROM t")
    store = tasklet.open()
    assert store is not None
    assert store.take_over(KEY, 1, 1) == Checkpoint(1)
    store.begin()
    tasklet.execute(StepContribution())
    tasklet.close()
    assert trades.sql("SELECT count(*) FROM t") == [(3,)]


def test_null_is_bound_too(trades: World) -> None:
    run(trades.tasklet(statement="UPDATE t SET n = :n WHERE :n IS NULL AND id = 1", parameters={"n": None}))
    assert trades.sql("SELECT id FROM t WHERE n IS NULL") == [(1,)]


@pytest.mark.parametrize(
    ("statement", "at"),
    [("UPDATE t SET n = :m", [("statement",), ("parameters", "n")]), ([], [("statement",), ("parameters", "n")])],
)
def test_options_that_do_not_fit_are_told(statement: str | list[str], at: list[tuple[str, ...]]) -> None:
    options = SqlOptions(database="db", statement=statement, parameters={"n": 1})
    assert [problem.at for problem in options.check()] == at


def calls(world: World, stop_after: int | None, token: int, **options: Any) -> list[StepContribution]:
    """Calls a tasklet as a step does, until it has finished or as often as `stop_after` says."""
    made: list[StepContribution] = []
    tasklet = world.tasklet(**options)
    try:
        store = tasklet.open()
        assert store is not None
        checkpoint = store.take_over(KEY, token, 1)
        while not checkpoint.finished and len(made) != stop_after:
            contribution = StepContribution(checkpoint.counts.copy())
            store.begin()
            finished = tasklet.execute(contribution) is RepeatStatus.FINISHED
            checkpoint = checkpoint.after(1, None, {}, contribution.counts, finished=finished)
            store.commit(checkpoint)
            made.append(contribution)
    finally:
        tasklet.close()
    return made


def test_it_repeats_until_nothing_changes_and_goes_on_after_a_stop(trades: World) -> None:
    batched: dict[str, Any] = {
        "statement": "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT :size)",
        "parameters": {"size": 1},
        "repeat": "until_unchanged",
    }
    assert [each.counts.write for each in calls(trades, 1, 1, **batched)] == [1]
    assert trades.sql("SELECT id FROM t ORDER BY id") == [(2,), (3,)]
    assert [each.counts.write for each in calls(trades, None, 2, **batched)] == [2, 3, 3]
    assert trades.sql("SELECT count(*) FROM t") == [(0,)]


ENDLESS = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n) SELECT i, :day, 0 FROM n"


def test_a_stop_cancels_the_running_statement_and_undoes_it(trades: World) -> None:
    begun = time.monotonic()
    tasklet = trades.tasklet(
        lambda: time.monotonic() > begun + 0.5,
        statement=["UPDATE t SET n = 7", ENDLESS],
        parameters={"day": date(2026, 7, 31)},
    )
    with pytest.raises(StepStoppedError, match="cancelled by the stop"):
        run(tasklet)
    assert time.monotonic() < begun + 20
    assert trades.sql("SELECT count(*), max(n) FROM t") == [(3, 0)]


def test_a_file_open_by_one_copy_of_sqlite_is_opened_by_the_same_one(tmp_path: Path) -> None:
    database = Database("db", f"sqlite:///{tmp_path}/data.db")
    with closing(connect(database, create=True)) as bulk:
        with closing(connect(database, interruptible=True)) as second:
            assert not second.cancel()
        assert not bulk.cancel()
    with closing(connect(database, interruptible=True)) as first, closing(connect(database)) as second:
        assert first.cancel()
        assert second.cancel()
