"""The writer `table` on SQLite, by both copies of it, and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batchrun.components.writers.table import SPEC, TableOptions
from batchrun.errors import DatabaseError, FencedError, WriteError
from batchrun.spi.scope import Database
from batchrun.spi.spec import OptionsError
from tests.integration.databases.conftest import World

ITEMS = pl.DataFrame({"id": [1, 2, 3], "name": ["a", "", None]})


def test_created_table_holds_the_items(world: World) -> None:
    assert world.write(ITEMS.head(2), ITEMS.tail(1), table="t", create=True) == 3
    assert world.sql("SELECT id, name FROM t ORDER BY id") == [(1, "a"), (2, ""), (3, None)]


def test_values_of_every_type_hold_exactly(postgres: World) -> None:
    frame = pl.DataFrame(
        {
            "n": pl.Series([Decimal("12345678901234567890.12"), None], dtype=pl.Decimal(38, 2)),
            "d": [date(1, 1, 1), date(9999, 12, 31)],
            "t": [datetime(2026, 7, 31, 8, 0, 0, 123456), None],
            "z": pl.Series([datetime(2026, 7, 31, 8, tzinfo=UTC), None]).dt.convert_time_zone("Asia/Seoul"),
            "c": [time(23, 59, 59, 999999), time(0)],
            "b": [True, False],
            "x": [b"\0\xff", b""],
            "f": [0.1 + 0.2, float("nan")],
            "g": [float("inf"), -5e-324],
            "i": [2**63 - 1, -(2**63)],
            "s": ['",\\\r\n\t', "\\N"],
        }
    )
    postgres.write(frame, table="t", create=True)
    first, second = postgres.sql("SELECT * FROM t ORDER BY d")
    assert repr([*first]) == repr([*frame.with_columns(pl.col("z").dt.convert_time_zone("Etc/UTC")).row(0)])
    assert repr([*second]) == repr([*frame.row(1)])


def test_both_copies_of_sqlite_store_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "n": pl.Series([Decimal("1.50"), Decimal("2.00"), None], dtype=pl.Decimal(12, 2)),
            "d": [date(2026, 7, 31)] * 3,
            "t": [datetime(2026, 7, 31, 8), datetime(2026, 7, 31, 8, 0, 0, 5), None],
            "b": [True, False, None],
            "x": [b"\0", None, b""],
            "f": [0.1, 1e300, None],
            "s": ["", None, "é"],
        }
    )
    stored = []
    for kind in ("adbc", "sqlite3"):
        database = Database("db", f"sqlite:///{tmp_path}/{kind}.db", holds_repository=kind == "sqlite3")
        world = World(kind, database, tmp_path)
        world.write(frame, table="t", create=True)
        columns = ", ".join(f"quote({name}), typeof({name})" for name in frame.columns)
        stored.append(
            world.sql(f"SELECT {columns} FROM t") + world.sql("SELECT sql FROM sqlite_master WHERE name = 't'")
        )
    assert stored[0] == stored[1]
    assert stored[0][0][:6] == ("1.5", "real", "'2026-07-31'", "text", "'2026-07-31 08:00:00'", "text")


def test_columns_that_the_items_lack_get_their_defaults(world: World) -> None:
    world.sql("CREATE TABLE t (id integer, kind text DEFAULT 'new', name text)")
    world.write(ITEMS, table="t")
    assert world.sql("SELECT DISTINCT kind FROM t") == [("new",)]


def test_column_that_the_table_lacks_is_told_before_anything_is_written(world: World) -> None:
    world.sql("CREATE TABLE t (id integer, named text)")
    with pytest.raises(DatabaseError, match="table t has no column 'name', which the items have") as told:
        world.write(ITEMS, table="t")
    assert str(told.value.hint).startswith("did you mean 'named'?")
    assert world.sql("SELECT count(*) FROM t") == [(0,)]


def test_missing_table_is_told_with_the_near_one(world: World) -> None:
    world.sql("CREATE TABLE trades (id integer)")
    with pytest.raises(DatabaseError, match="there is no table trade") as told:
        world.write(ITEMS, table="trade")
    assert told.value.hint == "did you mean 'trades'?; `create: true` makes it"


def test_names_that_need_quotes_work(world: World) -> None:
    frame = pl.DataFrame({"select": [1], 'a"b': ["x"], "Größe": [2.5], "a b": [None]})
    for mode in ("insert", "upsert", "replace"):
        world.write(frame, table='"or der"', mode=mode, key=["select"], create=True) if mode != "insert" else None
    assert world.sql('SELECT "select", "a""b", "Größe", "a b" FROM "or der"') == [(1, "x", 2.5, None)]


def test_table_in_a_schema(postgres: World) -> None:
    postgres.sql("CREATE SCHEMA IF NOT EXISTS batchrun_other")
    try:
        postgres.write(ITEMS, table="batchrun_other.t", create=True)
        postgres.write(ITEMS, table="batchrun_other.t", mode="replace")
        assert postgres.sql("SELECT count(*) FROM batchrun_other.t") == [(3,)]
    finally:
        postgres.sql("DROP SCHEMA batchrun_other CASCADE")


def test_upsert_sets_the_other_columns(world: World) -> None:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY, name text, kept text DEFAULT 'kept')")
    world.write(ITEMS, table="t", mode="upsert", key=["id"])
    changed = pl.DataFrame({"name": ["z", "new"], "id": [2, 4]})
    assert world.write(changed, table="t", mode="upsert", key=["id"]) == 2
    assert world.sql("SELECT id, name, kept FROM t ORDER BY id") == [
        (1, "a", "kept"),
        (2, "z", "kept"),
        (3, None, "kept"),
        (4, "new", "kept"),
    ]


def test_upsert_takes_the_last_item_of_a_key(world: World) -> None:
    frame = pl.DataFrame({"a": [1, 1, 2, 1], "b": ["x", "y", "x", "x"], "v": [1, 2, 3, 4]})
    assert world.write(frame, frame, table="t", mode="upsert", key=["b", "a"], create=True) == 8
    assert world.sql("SELECT a, b, v FROM t ORDER BY a, b") == [(1, "x", 4), (1, "y", 2), (2, "x", 3)]


def test_upsert_twice_in_one_transaction(world: World) -> None:
    with world.writing(table="t", mode="upsert", key=["id"], create=True) as writing:
        prepared = [writing.writer.prepare(_chunk(ITEMS.slice(place, 1))) for place in range(3)]
        writing.store.begin()
        for each in prepared:
            writing.writer.write(each)
        writing.store.commit(writing.checkpoint.after(1, None, {}, writing.checkpoint.counts))
    assert world.sql("SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]


def _chunk(frame: pl.DataFrame) -> Any:
    from tests.integration.databases.conftest import chunk_of

    return chunk_of(frame)


def test_upsert_of_nothing_but_the_key(world: World) -> None:
    for _ in range(2):
        world.write(ITEMS.select("id"), table="t", mode="upsert", key=["id"], create=True)
    assert world.sql("SELECT count(*) FROM t") == [(3,)]


def test_upsert_without_a_unique_index_says_which_to_create(world: World) -> None:
    world.sql("CREATE TABLE t (id integer, name text)")
    with pytest.raises(DatabaseError, match=r"no unique index on its key \(id\)") as told:
        world.write(ITEMS, table="t", mode="upsert", key=["id"])
    assert told.value.hint == 'CREATE UNIQUE INDEX "t_key" ON t ("id")'
    world.sql(told.value.hint)
    assert world.write(ITEMS, table="t", mode="upsert", key=["id"]) == 3


def test_null_in_a_key_is_told_with_its_origin(world: World) -> None:
    frame = pl.DataFrame({"id": [1, None], "name": ["a", "b"]})
    with pytest.raises(WriteError, match=r"in\.csv:3: the key \(id\) is null"):
        world.write(frame, table="t", mode="upsert", key=["id"], create=True)


def test_replace_deletes_what_was_there_with_the_first_commit(world: World) -> None:
    world.write(ITEMS, table="t", create=True)
    with world.writing(table="t", mode="replace") as writing:
        writing.write(ITEMS.head(1))
        writing.store.rollback()
        assert world.sql("SELECT count(*) FROM t") == [(3,)]
        writing.commit(ITEMS.head(1))
        writing.commit(ITEMS.slice(1, 1))
    assert world.sql("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_replace_does_not_delete_again_after_a_restart(world: World) -> None:
    world.write(ITEMS, table="t", create=True)
    with world.writing(1, table="t", mode="replace") as writing:
        writing.commit(ITEMS.head(1))
    with world.writing(2, table="t", mode="replace") as writing:
        writing.commit(ITEMS.tail(1))
        writing.writer.finish()
    assert world.sql("SELECT id FROM t ORDER BY id") == [(1,), (3,)]


def test_replace_deletes_where_every_item_was_filtered(world: World) -> None:
    world.write(ITEMS, table="t", create=True)
    world.write(ITEMS.clear(), table="t", mode="replace")
    assert world.sql("SELECT count(*) FROM t") == [(0,)]


def test_replace_by_an_empty_input_leaves_an_empty_table(world: World) -> None:
    world.write(ITEMS, table="t", create=True)
    world.write(table="t", mode="replace")
    assert world.sql("SELECT count(*) FROM t") == [(0,)]


def test_replace_by_an_empty_input_deletes_nothing_once_another_owner_has_taken_over(world: World) -> None:
    world.write(ITEMS, table="t", create=True)
    with world.writing(1, table="t", mode="replace") as woken:
        with world.writing(2, table="t", mode="replace") as successor:
            successor.commit(ITEMS.head(1))
            successor.store.forget()
        with pytest.raises(FencedError):
            woken.writer.finish()
    assert world.sql("SELECT id FROM t") == [(1,)]


def test_table_that_is_gone_at_a_restart_is_told_and_not_begun_in_the_middle(world: World) -> None:
    with world.writing(1, table="t", create=True) as writing:
        writing.commit(ITEMS.head(1))
    world.sql("DROP TABLE t")
    with pytest.raises(DatabaseError, match="table t, in which the step had come to its last commit, is gone"):
        world.writing(2, table="t", create=True).__enter__()


def test_table_that_no_item_has_made_yet_is_made_after_a_restart(world: World) -> None:
    with world.writing(1, table="t", create=True) as writing:
        writing.commit(ITEMS.clear())
    with world.writing(2, table="t", create=True) as writing:
        writing.commit(ITEMS)
    assert world.sql("SELECT count(*) FROM t") == [(3,)]


def test_replace_deletes_where_a_foreign_key_forbids_to_truncate(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    postgres.sql("CREATE TABLE child (id bigint REFERENCES t)")
    postgres.write(ITEMS, table="t")
    postgres.write(ITEMS.head(1), table="t", mode="replace")
    assert postgres.sql("SELECT id FROM t") == [(1,)]


def test_rollback_undoes_the_creation_too_and_the_next_attempt_creates_again(world: World) -> None:
    with world.writing(table="t", create=True) as writing:
        writing.write(ITEMS)
        writing.store.rollback()
        writing.commit(ITEMS)
    assert world.sql("SELECT count(*) FROM t") == [(3,)]


def test_refused_item_is_named_by_its_origin(world: World) -> None:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY, name text NOT NULL)")
    frame = pl.DataFrame({"id": [1, 2, 3], "name": ["a\nb", "b", None]})
    with pytest.raises(WriteError, match=r"in\.csv:4: table t: .*(NOT NULL|not-null)"):
        world.write(frame, table="t")
    assert world.sql("SELECT count(*) FROM t") == [(0,)]


def test_duplicate_is_told_with_the_databases_detail(world: World) -> None:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY, name text)")
    frame = pl.DataFrame({"id": [1, 2, 1], "name": ["a", "b", "c"]})
    with pytest.raises(WriteError) as told:
        world.write(frame, table="t")
    assert str(told.value) in (
        "in.csv:4: table t: UNIQUE constraint failed: t.id",
        'in.csv:4: table t: duplicate key value violates unique constraint "t_pkey"; Key (id)=(1) already exists.',
    )


def test_value_of_another_type_is_told_with_line_and_column(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id integer, name text)")
    with pytest.raises(WriteError) as told:
        postgres.write(pl.DataFrame({"name": ["x\ny", "b\n\n", "c\n"], "id": ["1", "2", "III"]}), table="t")
    expected = 'in.csv:4: table t: invalid input syntax for type integer: "III"; column id'
    assert str(told.value) == expected


def test_constraint_checked_at_commit_rolls_the_chunk_back(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED, name text)")
    with postgres.writing(table="t") as writing:
        with pytest.raises(WriteError, match=r"duplicate key value.*Key \(id\)=\(1\)"):
            writing.commit(pl.DataFrame({"id": [1, 1], "name": ["a", "b"]}))
        writing.checkpoint = writing.checkpoint.__class__(1)
        writing.commit(ITEMS)
    assert postgres.sql("SELECT count(*) FROM t") == [(3,)]


def test_old_owner_cannot_commit_its_items(world: World) -> None:
    with world.writing(1, table="t", create=True) as old, world.writing(2, table="t", create=True) as new:
        new.commit(ITEMS.head(1))
        old.writer.open(None)
        with pytest.raises(FencedError):
            old.commit(ITEMS)
        new.commit(ITEMS.tail(1))
    assert world.sql("SELECT id FROM t ORDER BY id") == [(1,), (3,)]


def test_datetime_without_zone_goes_into_timestamptz_as_utc(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (at timestamptz)")
    with postgres.session() as session:
        session.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {_database_name(postgres)} SET timezone = 'Asia/Seoul'")
        try:
            postgres.write(pl.DataFrame({"at": [datetime(2026, 7, 31, 8)]}), table="t")
        finally:
            session.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {_database_name(postgres)} RESET timezone")
    assert postgres.sql("SELECT at AT TIME ZONE 'UTC' FROM t") == [(datetime(2026, 7, 31, 8),)]


def _database_name(world: World) -> str:
    return str(world.sql("SELECT quote_ident(current_database())")[0][0])


def test_unreachable_server_and_wrong_user_are_one_line(postgres_url: str, tmp_path: Path) -> None:
    address = postgres_url.partition("@")[2]
    for url in ("postgresql://me:s3cret@127.0.0.1:1/x", f"postgresql://nobody_here:s3cret@{address}"):
        with pytest.raises(DatabaseError) as told:
            World("postgres", Database("db", url), tmp_path).write(ITEMS, table="t", create=True)
        assert "\n" not in str(told.value)
        assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///:memory:", "in memory is gone"),
        ("sqlite://", "is no SQLite URL"),
        ("sqlite+pysqlite:////tmp/x.db", "is no SQLite URL"),
        ("sqlite:////nowhere/x.db", "there is no folder /nowhere"),
        ("sqlite:////", "/ is a folder"),
        ("mysql+pymysql://me:s3cret@localhost/x", "needs the Python package 'pymysql'"),
        ("nothing://x", "Can't load plugin"),
    ],
)
def test_url_that_leads_nowhere_is_one_line(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message) as told:
        World("?", Database("db", url), tmp_path).write(ITEMS, table="t", create=True)
    assert "\n" not in str(told.value)
    assert "s3cret" not in str(told.value)


def test_file_that_is_no_database_is_told(sqlite: World) -> None:
    Path(sqlite.folder / "data.db").write_text("not a database, but long enough to look like one" * 50)
    with pytest.raises(DatabaseError, match="file is not a database"):
        sqlite.write(ITEMS, table="t", create=True)


def test_missing_file_is_told_and_not_made(sqlite: World) -> None:
    with pytest.raises(DatabaseError, match="there is no file"):
        sqlite.write(ITEMS, table="t")
    assert not (sqlite.folder / "data.db").exists()


def test_read_only_file_is_told(sqlite: World) -> None:
    sqlite.write(ITEMS, table="t", create=True)
    sqlite.database = Database("db", sqlite.database.url + "?mode=ro", sqlite.database.holds_repository)
    with pytest.raises(DatabaseError, match="attempt to write a readonly database") as told:
        sqlite.write(ITEMS, table="t")
    assert told.value.hint == "make the file and its folder writable, then restart"


def test_full_disk_is_told_and_the_chunk_undone(sqlite: World) -> None:
    sqlite.write(ITEMS, table="t", create=True)
    with sqlite.writing(table="t") as writing:
        writing.store.session.fetch("PRAGMA max_page_count = 8")
        with pytest.raises(DatabaseError, match="disk is full") as told:
            writing.commit(pl.DataFrame({"id": range(20_000), "name": ["x" * 100] * 20_000}))
    assert told.value.hint == "free some space, then restart"
    assert sqlite.sql("SELECT count(*) FROM t") == [(3,)]


def test_key_that_the_items_lack_is_an_error_of_the_file() -> None:
    assert SPEC.schema is not None
    options = TableOptions(database="db", table="t", mode="upsert", key=["idd"])
    with pytest.raises(OptionsError) as told:
        SPEC.schema(options, pl.Schema({"id": pl.Int64}))
    (problem,) = told.value.problems
    assert (problem.at, problem.hint) == (("key",), "did you mean 'id'?")


def test_options_that_do_not_fit_are_told() -> None:
    assert [each.at for each in TableOptions(database="d", table="a.b.c", mode="upsert").check()] == [
        ("key",),
        ("table",),
    ]
