"""The reader `query` on SQLite, by both copies of it, on PostgreSQL and by SQLAlchemy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batchrun.components.databases.alchemy import connect_alchemy
from batchrun.components.readers import query as query_reader
from batchrun.components.readers.query import QueryItemReader, QueryOptions
from batchrun.domain.execution import JsonObject
from batchrun.errors import DatabaseError, InputError
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import Database
from tests.integration.databases.conftest import KINDS, World
from tests.support.postgres import new_schema


@pytest.fixture(params=[*KINDS, "sqlalchemy"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A database of each kind, and PostgreSQL as any other database is read."""
    if request.param in ("adbc", "sqlite3"):
        database = Database("db", f"sqlite:///{tmp_path}/data.db", holds_repository=request.param == "sqlite3")
        yield World(request.param, database, tmp_path)
        return
    with new_schema(request.getfixturevalue("postgres_url")) as url:
        if request.param == "sqlalchemy":
            alchemy = Database("db", url.replace("postgresql:", "postgresql+psycopg:"))
            monkeypatch.setattr(query_reader, "connect", lambda _database: connect_alchemy(alchemy))
        yield World(request.param, Database("db", url), tmp_path)


def fill(world: World, count: int) -> None:
    world.sql("CREATE TABLE t (id integer PRIMARY KEY, name text, half integer)")
    world.write(
        pl.DataFrame(
            {
                "id": range(1, count + 1),
                "name": [f"n{place}" if place % 3 else None for place in range(count)],
                "half": [place // 2 for place in range(count)],
            }
        ),
        table="t",
    )


def chunks(reader: QueryItemReader, limit: int, position: JsonObject | None = None) -> list[Chunk]:
    try:
        reader.open(json.loads(json.dumps(position)))
        found = []
        while (chunk := reader.read(limit)) is not None:
            found.append(chunk)
        assert reader.read(limit) is None
        return found
    finally:
        reader.close()


def ids(found: list[Chunk]) -> list[int]:
    return [row["id"] for chunk in found for row in chunk.rows]


BY_KEY: dict[str, Any] = {"key": ["id"], "page_size": 4}
BY_SKIP: dict[str, Any] = {"restart": "skip"}
WAYS = pytest.mark.parametrize("way", [BY_KEY, BY_SKIP], ids=["key", "skip"])


@WAYS
@pytest.mark.parametrize("limit", [1, 3, 4, 10, 11, 50])
def test_every_row_comes_once_in_order(world: World, way: dict[str, Any], limit: int) -> None:
    fill(world, 10)
    found = chunks(world.reader(query="SELECT * FROM t ORDER BY id", **way), limit)
    assert ids(found) == list(range(1, 11))
    assert found[0].rows[0] == {"id": 1, "name": None, "half": 0}
    assert [chunk.progress for chunk in found][-1] == 10
    assert all(len(chunk) <= limit for chunk in found)


@WAYS
@pytest.mark.parametrize("committed", [1, 2, 3])
def test_restart_goes_on_behind_the_last_committed_chunk(world: World, way: dict[str, Any], committed: int) -> None:
    fill(world, 10)
    query = "SELECT * FROM t ORDER BY id"
    position = chunks(world.reader(query=query, **way), 3)[committed - 1].position
    found = chunks(world.reader(query=query, **way), 4, position)
    assert ids(found) == list(range(3 * committed + 1, 11))
    assert found[-1].progress == 10


@WAYS
def test_restart_behind_the_last_row_reads_nothing(world: World, way: dict[str, Any]) -> None:
    fill(world, 4)
    reader = world.reader(query="SELECT * FROM t ORDER BY id", **way)
    assert chunks(reader, 10, chunks(reader, 10)[-1].position) == []


@WAYS
def test_empty_result_reads_nothing(world: World, way: dict[str, Any]) -> None:
    fill(world, 0)
    assert chunks(world.reader(query="SELECT * FROM t ORDER BY id", **way), 3) == []


@WAYS
def test_one_column_of_nulls_keeps_its_rows(world: World, way: dict[str, Any]) -> None:
    fill(world, 7)
    query = "SELECT nullif(name, name) AS name FROM t" if way is BY_SKIP else "SELECT id FROM t"
    assert sum(map(len, chunks(world.reader(query=query, **way), 3))) == 7


@WAYS
def test_parameters_are_bound_by_name(world: World, way: dict[str, Any]) -> None:
    fill(world, 10)
    reader = world.reader(
        query="SELECT id, ':no' AS x, '100%' AS p FROM t WHERE id > :low AND id <= :high AND name <> :text -- :no\n;",
        parameters={"low": 2, "high": 9, "text": "'; DROP TABLE t; --"},
        **way,
    )
    found = chunks(reader, 3)
    assert sorted(ids(found)) == [3, 5, 6, 8, 9]
    assert (found[0].rows[0]["x"], found[0].rows[0]["p"]) == (":no", "100%")


def test_key_of_several_columns(world: World) -> None:
    fill(world, 9)
    reader = world.reader(query="SELECT * FROM t", key=["half", "id"], page_size=2)
    found = chunks(reader, 2)
    assert ids(found) == list(range(1, 10))
    assert ids(chunks(reader, 5, found[2].position)) == [7, 8, 9]


def test_key_that_is_not_unique_is_told_also_across_pages(world: World) -> None:
    fill(world, 6)
    world.sql("UPDATE t SET half = id")
    world.sql("UPDATE t SET half = 2 WHERE id = 3")
    with pytest.raises(InputError, match=r"the key \(half\) is not unique: \(2\) comes twice"):
        chunks(world.reader(query="SELECT * FROM t", key=["half"], page_size=2), 2)


def test_null_in_a_key_is_told_before_anything_is_read(world: World) -> None:
    fill(world, 6)
    with pytest.raises(InputError, match=r"the key \(name\) is null in some rows"):
        chunks(world.reader(query="SELECT * FROM t", key=["name"]), 1)


def test_unknown_key_or_declared_column_is_told_with_the_near_one(world: World) -> None:
    fill(world, 1)
    for options in ({"key": ["idd"]}, {"key": ["id"], "columns": {"naem": "string"}}):
        reader = world.reader(query="SELECT * FROM t", **options)
        with pytest.raises(InputError, match="the query has no column") as told:
            reader.open(None)
        reader.close()
        assert str(told.value.hint) in ("did you mean 'id'?", "did you mean 'name'?")


@pytest.mark.parametrize(
    ("query", "message"),
    [("SELECT * FROM nowhere", "nowhere"), ("SELECT id FRM t", "FRM|syntax"), ("SELECT idd FROM t", "idd")],
)
def test_query_that_the_database_refuses_is_told_in_its_words(world: World, query: str, message: str) -> None:
    fill(world, 1)
    reader = world.reader(query=query, **BY_KEY)
    with pytest.raises(InputError, match=rf"database 'db': .*{message}") as told:
        reader.open(None)
    reader.close()
    assert "\n" not in str(told.value)


def test_origins_name_the_key_or_the_row(world: World) -> None:
    fill(world, 5)
    by_key = chunks(world.reader(query="SELECT * FROM t", key=["half", "id"]), 3)[1]
    assert (by_key.origin(0), by_key.span) == ("db half, id (1, 4)", "db half, id (1, 4) to (2, 5)")
    by_row = chunks(world.reader(query="SELECT * FROM t ORDER BY id", **BY_SKIP), 3)[1]
    assert (by_row.origin(1), by_row.span) == ("db row 5", "db rows 4 to 5")


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("d", "date", [date(2026, 7, 30), date(2026, 7, 31)]),
        ("t", "timestamp", [datetime(2026, 7, 31), datetime(2026, 7, 31, 0, 0, 0, 1)]),
        ("z", "timestamptz", [datetime(2026, 7, 31, tzinfo=UTC), datetime(2026, 7, 31, 0, 0, 0, 1, tzinfo=UTC)]),
        (
            "n",
            "numeric(30,10)",
            [Decimal("12345678901234567890.0000000001"), Decimal("12345678901234567890.0000000002")],
        ),
        ("f", "double precision", [0.1, 0.1 + 2**-54]),
        ("s", "text", ["", "'"]),
        ("i", "bigint", [2**62, 2**62 + 1]),
        ("u", "uuid", ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]),
        ("b", "bytea", [b"\0", b"\0\0"]),
    ],
)
def test_keys_of_any_type_hold_exactly_over_a_restart(
    postgres: World, monkeypatch: pytest.MonkeyPatch, name: str, kind: str, values: list[Any]
) -> None:
    postgres.sql(f"CREATE TABLE k ({name} {kind} PRIMARY KEY)")
    for value in values:
        postgres.sql("INSERT INTO k VALUES (:value)", value=value)
    alchemy = Database("db", postgres.database.url.replace("postgresql:", "postgresql+psycopg:"))
    for connect in (query_reader.connect, lambda _database: connect_alchemy(alchemy)):
        if kind == "uuid" and connect is not query_reader.connect:
            continue
        monkeypatch.setattr(query_reader, "connect", connect)
        reader = postgres.reader(query="SELECT * FROM k", key=[name])
        first, second = chunks(reader, 1)
        assert [first.rows[0][name], second.rows[0][name]] == values
        assert [row[name] for chunk in chunks(reader, 1, first.position) for row in chunk.rows] == values[1:]


def test_postgres_types_come_as_they_are(postgres: World) -> None:
    query = """
    SELECT 1::int2 AS i, 1.5::float8 AS f, 'NaN'::float8 AS nan, '-Infinity'::float4 AS inf, 1.50::numeric(12,2) AS n,
        true AS b, '\\x00ff'::bytea AS x, date '2026-07-31' AS d, time '08:30' AS c,
        timestamp '2026-07-31 08:00:00.5' AS t, timestamptz '2026-07-31 08:00+09' AS z, '' AS empty,
        NULL::text AS nothing,        E'a\\n",\\\\' AS s, '{"a": 1}'::jsonb AS j, ARRAY[1, 2] AS a, sum(2.25) AS total
    """
    (chunk,) = chunks(postgres.reader(query=query, **BY_SKIP), 10)
    (row,) = chunk.rows
    assert row.pop("nan") != row.get("nan")
    assert row == {
        "i": 1,
        "f": 1.5,
        "inf": float("-inf"),
        "n": Decimal("1.50"),
        "b": True,
        "x": b"\0\xff",
        "d": date(2026, 7, 31),
        "c": time(8, 30),
        "t": datetime(2026, 7, 31, 8, 0, 0, 500000),
        "z": datetime(2026, 7, 30, 23, tzinfo=UTC),
        "empty": "",
        "nothing": None,
        "s": 'a\n",\\',
        "j": '{"a": 1}',
        "a": "{1,2}",
        "total": Decimal("2.25"),
    }
    assert chunk.frame.schema["n"] == pl.Decimal(12, 2)


def test_numeric_of_no_size_that_outgrows_its_first_rows_is_told(postgres: World) -> None:
    query = "SELECT i AS id, CASE WHEN i = 3 THEN 0.123 ELSE 0.5 END::numeric AS x FROM generate_series(1, 3) i"
    with pytest.raises(InputError, match="does not fit the decimals of its first rows") as told:
        _ = [chunk.frame for chunk in chunks(postgres.reader(query=query, key=["id"], page_size=1), 1)]
    assert 'columns: {x: "decimal(38,18)"}' in str(told.value.hint)
    declared = postgres.reader(query=query, key=["id"], page_size=1, columns={"x": "decimal(38,18)"})
    assert [row["x"] for chunk in chunks(declared, 1) for row in chunk.rows] == [
        Decimal("0.5"),
        Decimal("0.5"),
        Decimal("0.123"),
    ]


def test_declared_types_hold_on_sqlite(sqlite: World) -> None:
    sqlite.write(
        pl.DataFrame(
            {
                "id": [1, 2],
                "d": [date(2026, 7, 31), None],
                "n": pl.Series([Decimal("1.10"), Decimal("3.00")], dtype=pl.Decimal(12, 2)),
                "z": [datetime(2026, 7, 31, 8, 0, 0, 5, tzinfo=UTC), None],
                "b": [True, False],
            }
        ),
        table="t",
        create=True,
    )
    types = {"d": "date", "n": "decimal(12,2)", "z": "timestamp", "b": "boolean"}
    (chunk,) = chunks(sqlite.reader(query="SELECT * FROM t", key=["id"], columns=types), 9)
    assert chunk.rows == [
        {
            "id": 1,
            "d": date(2026, 7, 31),
            "n": Decimal("1.10"),
            "z": datetime(2026, 7, 31, 8, 0, 0, 5, tzinfo=UTC),
            "b": True,
        },
        {"id": 2, "d": None, "n": Decimal("3.00"), "z": None, "b": False},
    ]


def test_column_of_mixed_values_is_read_as_exact_text_where_text_comes_first(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE m (id integer PRIMARY KEY, x)")
    sqlite.sql("INSERT INTO m VALUES (1, 'a'), (2, 12345678901), (3, 0.1), (4, NULL), (5, 7)")
    found = chunks(sqlite.reader(query="SELECT * FROM m", key=["id"], page_size=2), 2)
    assert [row["x"] for chunk in found for row in chunk.rows] == ["a", "12345678901", "0.1", None, "7"]


def test_column_that_turns_from_number_to_text_is_told(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE m (id integer PRIMARY KEY, x)")
    sqlite.sql("INSERT INTO m VALUES (1, NULL), (2, 7), (3, 'a')")
    reader = sqlite.reader(query="SELECT * FROM m", key=["id"], page_size=1)
    with pytest.raises(InputError, match="column 'x' was Int64 in the first rows and is String now") as told:
        chunks(reader, 1)
    assert told.value.hint == "declare its type, as in columns: {x: string}"
    declared = sqlite.reader(query="SELECT * FROM m", key=["id"], page_size=1, columns={"x": "string"})
    assert [row["x"] for chunk in chunks(declared, 1) for row in chunk.rows] == [None, "7", "a"]


@WAYS
def test_step_may_write_into_the_file_that_it_reads(sqlite: World, way: dict[str, Any]) -> None:
    fill(sqlite, 30)
    sqlite.sql("PRAGMA journal_mode = delete") if sqlite.kind == "none" else None
    reader = sqlite.reader(query="SELECT id, name FROM t ORDER BY id", **way)
    ready: list[Chunk] = []
    reader.open(None)
    with sqlite.writing(table="copied", create=True) as writing:
        writing.store.session.fetch("PRAGMA busy_timeout = 2000")
        while (chunk := reader.read(7)) is not None:
            ready.append(chunk)
            other = threading.Thread(target=lambda: ready.append(reader.read(1)))  # type: ignore[arg-type]
            writing.write(chunk.frame)
            other.start()
            other.join()
            writing.checkpoint = writing.checkpoint.after(1, None, {}, writing.checkpoint.counts)
            writing.store.commit(writing.checkpoint)
    reader.close()
    assert sorted(ids([chunk for chunk in ready if chunk is not None])) == list(range(1, 31))


def test_closing_in_the_middle_ends_the_query(world: World) -> None:
    fill(world, 5000)
    reader = world.reader(query="SELECT * FROM t ORDER BY id", **BY_SKIP)
    reader.open(None)
    assert len(reader.read(10) or []) == 10
    reader.close()
    world.sql("DELETE FROM t")


def test_missing_file_is_told(tmp_path: Path) -> None:
    world = World("adbc", Database("db", f"sqlite:///{tmp_path}/none.db"), tmp_path)
    with pytest.raises(DatabaseError, match="there is no file"):
        world.reader(query="SELECT 1 AS id", key=["id"]).open(None)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "a restart could not tell which rows are done: the rows of a query have no order of their own"),
        ({"key": ["id"], "restart": "skip"}, "either `key` or `restart: skip`, not both"),
        ({"key": ["id"], "query": "DELETE FROM t"}, "the query is no SELECT"),
        ({"key": ["id"], "query": "SELECT :day"}, "no value for the parameter :day"),
        ({"key": ["id"], "columns": {"x": "integr"}}, "unknown column type 'integr'"),
    ],
)
def test_options_that_do_not_fit_are_told(options: dict[str, Any], message: str) -> None:
    parsed = QueryOptions(**{"database": "db", "query": "SELECT 1", **options})
    assert [problem.message for problem in parsed.check()] == [message]


def test_a_position_is_told_by_the_key_or_the_row(world: World) -> None:
    fill(world, 5)
    by_key, by_row = (
        world.reader(query="SELECT * FROM t", key=["half", "id"]),
        world.reader(query="SELECT 1", **BY_SKIP),
    )
    position = chunks(by_key, 3)[0].position
    assert by_key.describe_position(position) == "db behind half, id (1, 3)"
    assert by_row.describe_position({"read": 4}) == "row 5 of db"
