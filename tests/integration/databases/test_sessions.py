"""Sessions as a bisecting writer, a stop and other processes meet them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from batchrun.components.databases import RefusedError, TableName, connect
from batchrun.components.databases.alchemy import upsert_statement
from batchrun.domain.tolerance import ErrorRules
from batchrun.errors import DatabaseError, WriteError
from batchrun.spi.scope import Database
from tests.integration.databases.conftest import World

TABLE = TableName("t")
HOLD_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO t VALUES (1)")
print("locked", flush=True)
time.sleep(0.4)
connection.execute("COMMIT")
"""


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_bad_item_is_found_by_bulk_writes_between_savepoints(world: World, mode: str) -> None:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n <> 613))")
    frame = pl.DataFrame({"id": range(1000), "n": range(1000)})
    refused: list[int] = []
    with world.session() as session:

        def write(part: pl.DataFrame) -> None:
            session.savepoint()
            try:
                encoded = session.encode(part, session.describe(TABLE))
                if mode == "insert":
                    session.insert(TABLE, encoded)
                else:
                    session.upsert(TABLE, encoded, ["id"])
            except RefusedError:
                session.rollback_to_savepoint()
                if part.height == 1:
                    refused.append(part["n"][0])
                    return
                half = part.height // 2
                write(part[:half])
                write(part[half:])
            else:
                session.release()

        session.begin()
        write(frame)
        session.commit()
    assert refused == [613]
    assert world.sql("SELECT count(*), sum(n) FROM t") == [(999, sum(range(1000)) - 613)]


def test_a_broken_constraint_goes_by_the_name_that_jobs_use_for_it(world: World) -> None:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY)")
    with world.session() as session:
        session.begin()
        with pytest.raises(RefusedError) as refused:
            session.insert(TABLE, session.encode(pl.DataFrame({"id": [1, 1]}), None))
        session.rollback()
    assert ErrorRules(["IntegrityError"]).mean(refused.value)


def test_refused_item_of_an_upsert_is_found_on_sqlite(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL)")
    with sqlite.session() as session:
        session.begin()
        with pytest.raises(RefusedError, match=r"NOT NULL constraint failed: t\.n") as refused:
            session.upsert(TABLE, session.encode(pl.DataFrame({"id": [1, 2], "n": [1, None]}), None), ["id"])
    assert refused.value.index == 1


def test_place_of_a_refused_item_is_left_out_where_triggers_confuse_it(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE log (id integer)")
    sqlite.sql("CREATE TABLE t (id integer PRIMARY KEY)")
    sqlite.sql("CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); INSERT INTO log VALUES (2); END")
    with sqlite.session() as session:
        session.begin()
        with pytest.raises(RefusedError) as refused:
            session.insert(TABLE, session.encode(pl.DataFrame({"id": [1, 2, 1]}), None))
    assert refused.value.index is None


def test_interrupt_calls_pythons_handler_and_does_not_cancel_the_statement(sqlite: World) -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: calls.append(number))
    interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with sqlite.session() as session:
            interrupt.start()
            count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)"
            assert session.fetch(f"{count} SELECT count(*) FROM n") == [(3_000_000,)]
            interrupt.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert calls == [signal.SIGINT]


def test_lock_of_another_process_is_waited_for(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE t (id integer PRIMARY KEY)")
    path = str(sqlite.folder / "data.db")
    other = subprocess.Popen([sys.executable, "-c", HOLD_LOCK, path], stdout=subprocess.PIPE)
    with other, sqlite.session() as session:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        session.begin()
        session.execute("INSERT INTO t VALUES (2)")
        session.commit()
    assert sqlite.sql("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_lost_connection_is_an_error_of_the_database(postgres: World) -> None:
    with postgres.session() as session:
        session.begin()
        ((process,),) = session.fetch("SELECT pg_backend_pid()")
        postgres.sql("SELECT pg_terminate_backend(:process)", process=process)
        with pytest.raises(DatabaseError, match=r"database 'db': .*terminat"):
            session.execute("SELECT 1")
        session.rollback()


def test_missing_right_to_create_the_checkpoint_table_says_what_it_is_for(postgres: World) -> None:
    role = f"reader_{os.getpid()}"
    postgres.sql(f"CREATE ROLE {role} LOGIN")
    try:
        postgres.sql("CREATE TABLE t (id integer)")
        ((schema,),) = postgres.sql("SELECT current_schema()")
        postgres.sql(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
        address = postgres.database.url.partition("@")[2]
        postgres.database = Database("db", f"postgresql://{role}@{address}")
        with pytest.raises(DatabaseError, match="the checkpoint table batchrun_checkpoint cannot be used") as told:
            postgres.write(pl.DataFrame({"id": [1]}), table="t")
        assert "permission denied for schema" in str(told.value)
    finally:
        postgres.database = Database("db", f"postgresql://postgres@{address}")
        postgres.sql(f"DROP OWNED BY {role}")
        postgres.sql(f"DROP ROLE {role}")


def test_mysql_gets_its_own_upsert() -> None:
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    table = sa.table("t", sa.column("id"), sa.column("n"))

    def compiled(statement: Any) -> str:
        return " ".join(str(statement.compile(dialect=mysql.dialect())).split())

    assert compiled(upsert_statement("mysql", table, ["id"])).endswith("ON DUPLICATE KEY UPDATE n = VALUES(n)")
    assert compiled(upsert_statement("mysql", table, ["id", "n"])).endswith("id = VALUES(id), n = VALUES(n)")


def test_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(DatabaseError, match="needs the Python package") as told:
        connect(Database("db", "oracle://me:s3cret@host/x"))
    assert str(told.value.hint).startswith("pip install ")


def test_sqlite_enforces_foreign_keys_where_the_url_says_so(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE parent (id integer PRIMARY KEY)")
    sqlite.sql("CREATE TABLE t (id integer REFERENCES parent)")
    sqlite.write(pl.DataFrame({"id": [1]}), table="t")
    strict = replace(sqlite, database=replace(sqlite.database, url=f"{sqlite.database.url}?foreign_keys=on"))
    with strict.writing(table="t") as writing, pytest.raises(WriteError, match="FOREIGN KEY constraint failed"):
        writing.commit(pl.DataFrame({"id": [2]}))
    assert sqlite.sql("SELECT id FROM t") == [(1,)]


@pytest.mark.parametrize(
    ("query", "message", "hint"),
    [
        ("foreign_key=on", "its URL says foreign_key, which SQLite does not know", "did you mean 'foreign_keys'?"),
        (
            "timeout=9",
            "its URL says timeout, which",
            "there are mode, cache, immutable, nolock, psow, vfs, foreign_keys",
        ),
        ("foreign_keys=maybe", "its URL says foreign_keys=maybe", "it is on or off"),
    ],
)
def test_what_sqlite_would_leave_out_of_its_url_is_told(sqlite: World, query: str, message: str, hint: str) -> None:
    with pytest.raises(DatabaseError, match=message) as error:
        connect(replace(sqlite.database, url=f"{sqlite.database.url}?{query}"), create=True)
    assert error.value.hint == hint
