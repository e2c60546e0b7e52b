"""Rows that go from one PostgreSQL table into another as the text in which they came, and when they may not."""

from __future__ import annotations

import json
import shutil
import signal
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchrun.components.databases.postgres_text import TextParser
from batchrun.domain.execution import StepCounts
from batchrun.errors import InputError
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import Database
from tests.faults import places
from tests.integration.databases.conftest import World
from tests.support.postgres import new_database
from tests.support.project import Project

TYPES = {
    "id": "bigint PRIMARY KEY",
    "small": "smallint",
    "n": "numeric(20,4)",
    "any_n": "numeric",
    "f": "double precision",
    "r": "real",
    "b": "boolean",
    "s": "text",
    "v": "varchar(40)",
    "c": "char(3)",
    "x": "bytea",
    "d": "date",
    "c_at": "time",
    "t": "timestamp",
    "z": "timestamptz",
    "i": "interval",
    "u": "uuid",
    "j": "json",
    "jb": "jsonb",
    "a": "integer[]",
    "at": "text[]",
}
TABLES = [f"CREATE TABLE {name} ({', '.join(map(' '.join, TYPES.items()))})" for name in ("source", "target")]
EVERYTHING = "SELECT source::text FROM source ORDER BY id"


def moved(world: World, *, parsed: bool = False, limit: int = 3, query: str = "SELECT * FROM source") -> int:
    """Reads the source and writes the target, as a step does that has no processors."""
    reader = world.reader(query=query, key=["id"], page_size=5)
    count = 0
    try:
        reader.open(None)
        with world.writing(table="target") as writing:
            while (chunk := reader.read(limit)) is not None:
                assert writing.writer.takes_text(chunk)
                read = chunk.with_frame(chunk.frame) if parsed else chunk
                assert writing.writer.takes_text(read) is not parsed
                prepared = writing.writer.prepare(read)
                writing.store.begin()
                count += writing.writer.write(prepared)
                writing.checkpoint = writing.checkpoint.after(1, chunk.position, {}, StepCounts())
                writing.store.commit(writing.checkpoint)
            writing.store.forget()
    finally:
        reader.close()
    return count


def kept(world: World) -> list[tuple[Any, ...]]:
    return world.sql(EVERYTHING.replace("source", "target"))


@pytest.fixture
def tables(postgres: World) -> World:
    for table in TABLES:
        postgres.sql(table)
    return postgres


def unparsed(self: TextParser, lines: Any) -> Any:
    raise AssertionError("rows were parsed")


def test_rows_are_passed_on_without_a_look(tables: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.sql(
        """INSERT INTO source VALUES
        (1, -3, 1.5, 'NaN', 'NaN', '-Infinity', true, '', 'null', 'a', '\\x00ff', 'infinity', '24:00', '-infinity',
         '0044-03-15 BC', '-1 mon +2 days -03:00', '00000000-0000-0000-0000-000000000001', '{"a":  1}', '{"a": 1}',
         '{1,NULL}', '{"a,\\"b",NULL,"NULL",""}'),
        (2, 3, -0.0001, 1e-40, 0.1, 1e-45, false, E'a\\tb\\n\\r\\\\N\\b\\f\\v"\\\\.', E'\\\\N', '', '', '0001-01-01',
         '00:00:00.000001', '9999-12-31 23:59:59.999999', '2026-07-31 08:00+09',
         '1 year', NULL, '""', 'null', '{}', '{}')
        """
    )
    tables.sql("INSERT INTO source (id) SELECT generate_series(3, 17)")
    monkeypatch.setattr(TextParser, "frame", unparsed)
    assert moved(tables) == 17
    assert kept(tables) == tables.sql(EVERYTHING)


SETTINGS = {
    "datestyle": "SQL, DMY",
    "timezone": "Asia/Seoul",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
    "intervalstyle": "sql_standard",
}


def test_the_servers_settings_change_nothing(postgres_url: str, tmp_path: Path) -> None:
    with new_database(postgres_url) as url:
        world = World("postgres", Database("db", url), tmp_path)
        for table in TABLES:
            world.sql(table)
        world.sql(
            "INSERT INTO source (id, f, x, d, t, z, i) VALUES (1, 0.1 + 0.2, '\\x00ff', '2026-01-02', '2026-01-02', "
            "'2026-01-02 03:04:05+00', '-1 day +02:00')"
        )
        with psycopg.connect(url, autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {name} = '{value}'".encode())
        assert moved(world) == 1
        columns = "SELECT id, f, x, d, t, z, i FROM"
        assert world.sql(f"SELECT count(*) FROM ({columns} source INTERSECT {columns} target) AS same") == [(1,)]


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
FLOATS = st.floats(allow_subnormal=False)
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1))
ROW = st.fixed_dictionaries(
    {},
    optional={
        "small": st.integers(-(2**15), 2**15 - 1),
        "n": st.decimals(-(10**15), 10**15, places=4),
        "f": FLOATS,
        "r": st.floats(width=32, allow_subnormal=False),
        "b": st.booleans(),
        "s": TEXTS,
        "v": TEXTS,
        "c": TEXTS.map(lambda text: text[:3]),
        "x": st.binary(max_size=20),
        "d": st.dates(date(1000, 1, 1)),
        "c_at": st.times(),
        "t": MOMENTS,
        "z": MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
        "u": st.uuids(),
        "jb": TEXTS.map(lambda text: json.dumps({"text": text}, ensure_ascii=False).replace("\\u0000", "")),
        "at": st.lists(st.none() | TEXTS, max_size=3),
    },
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12))
def test_rows_passed_on_are_those_that_were_parsed(tables: World, rows: list[dict[str, Any]]) -> None:
    with psycopg.connect(tables.database.url, autocommit=True) as connection:
        connection.execute("TRUNCATE source, target")
        for number, row in enumerate(rows):
            names = ["id", *row]
            marks = ", ".join(["%s"] * len(names))
            connection.execute(
                f"INSERT INTO source ({', '.join(names)}) VALUES ({marks})".encode(), [number, *row.values()]
            )
    there = tables.sql(EVERYTHING)
    for parsed in (False, True):
        tables.sql("TRUNCATE target")
        assert moved(tables, parsed=parsed) == len(rows)
        assert kept(tables) == there


def only_chunk(world: World, **options: Any) -> Chunk:
    reader = world.reader(**{"query": "SELECT * FROM source", "key": ["id"], **options})
    try:
        reader.open(None)
        chunk = reader.read(10)
        assert chunk is not None
        return chunk
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("target", "query"),
    [
        ("id bigint, v timestamptz", "SELECT 1::bigint AS id, timestamp '2026-01-01' AS v"),
        ("id bigint, v text", "SELECT 1::bigint AS id, true AS v"),
        ("id bigint, v text", "SELECT 1::bigint AS id, 1e20::float8 AS v"),
        ("id bigint, v integer", "SELECT 1::bigint AS id, '7'::text AS v"),
        ("id bigint, v integer[]", "SELECT 1::bigint AS id, '{1}'::text AS v"),
    ],
)
def test_into_a_column_of_another_type_goes_what_was_parsed(postgres: World, target: str, query: str) -> None:
    postgres.sql(f"CREATE TABLE target ({target})")
    with postgres.writing(table="target") as writing:
        assert not writing.writer.takes_text(only_chunk(postgres, query=query))


@pytest.mark.parametrize("options", [{"mode": "upsert", "key": ["id"]}, {"key": ["id"]}])
def test_a_writer_that_has_to_know_keys_looks_at_them(tables: World, options: dict[str, Any]) -> None:
    tables.sql("INSERT INTO source (id) VALUES (1)")
    with tables.writing(table="target", **options) as writing:
        assert not writing.writer.takes_text(only_chunk(tables))


def test_a_declared_type_is_held_to(tables: World) -> None:
    tables.sql("INSERT INTO source (id, s) VALUES (1, 'x')")
    chunk = only_chunk(tables, columns={"s": "integer"})
    with tables.writing(table="target") as writing:
        assert not writing.writer.takes_text(chunk)
    with pytest.raises(InputError, match="database 'db': column 's': the value 'x' is no integer"):
        _ = chunk.frame


def test_a_column_that_the_table_lacks_is_told_of_text_too(tables: World) -> None:
    tables.sql("INSERT INTO source (id) VALUES (1)")
    with tables.writing(table="target") as writing, pytest.raises(Exception, match="has no column 'extra'"):
        writing.writer.prepare(only_chunk(tables, query="SELECT id, 1 AS extra FROM source"))


def test_the_server_that_fails_behind_the_first_rows_is_told_and_the_connection_goes_on(postgres: World) -> None:
    query = "SELECT i AS id, 1 / (5000 - i) AS v FROM generate_series(1, 6000) i"
    with pytest.raises(InputError, match="division by zero"):
        only_chunk(postgres, query=query, key=["id"])
    reader = postgres.reader(query=query, restart="skip")
    reader.open(None)
    with pytest.raises(InputError, match="division by zero"):
        list(iter(lambda: reader.read(1000), None))
    reader.close()


def test_a_database_of_another_encoding_is_read_and_written(postgres_url: str, tmp_path: Path) -> None:
    with new_database(postgres_url) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        head, _, _ = url.rpartition("/")
        world = World("postgres", Database("db", f"{head}/latin"), tmp_path)
        try:
            for table in TABLES:
                world.sql(table)
            world.sql("INSERT INTO source (id, s) VALUES (1, chr(252))")
            for parsed in (False, True):
                world.sql("TRUNCATE target")
                assert moved(world, parsed=parsed) == 1
                assert kept(world) == world.sql(EVERYTHING)
            assert only_chunk(world).rows[0]["s"] == "ü"
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP DATABASE latin WITH (FORCE)")


JOB = """\
name: copy
databases: {target: "${env.TARGET}"}
listeners: [{type: python, module: places}]
steps:
  - name: load
    chunk: 100
    reader: {type: query, database: target, query: "SELECT * FROM source", key: [id], page_size: 300}
    writer: {type: table, database: target, table: target}
    skip: {errors: [CheckViolation]}
"""


@pytest.fixture
def copying(tables: World) -> tuple[Project, World]:
    project = Project.make(tables.folder / "project")
    project.write("jobs.d/copy.yaml", JOB)
    shutil.copy(str(places.__file__), project.folder / "jobs.d" / "places.py")
    tables.sql("INSERT INTO source (id, s) SELECT i, E'two\\nlines\\t' || i FROM generate_series(1, 1000) i")
    return project, tables


def test_rows_that_the_target_refuses_are_rejects_as_they_were_read(copying: tuple[Project, World]) -> None:
    project, world = copying
    world.sql("ALTER TABLE target ADD CHECK (id NOT IN (7, 250, 251))")
    ended = project.execution("launch", "copy", TARGET=world.database.url)
    assert ended["exit_code"] == "COMPLETED WITH SKIPS"
    assert len(kept(world)) == 997
    rejects = json.loads(project.batchrun("rejects", "1", "--output", "json").out)
    assert [(each["item"]["id"], each["item"]["s"]) for each in rejects] == [
        (number, f"two\nlines\t{number}") for number in (7, 250, 251)
    ]
    assert rejects[0]["origin"].endswith("id (7)")


@pytest.mark.parametrize("place", ["load 1 before_chunk 3", "load 1 after_chunk 4"])
def test_a_killed_copy_goes_on_behind_its_last_commit(copying: tuple[Project, World], place: str) -> None:
    project, world = copying
    die = project.write("die", place)
    project.batchrun("launch", "copy", expect=-signal.SIGKILL, TARGET=world.database.url)
    assert 0 < len(kept(world)) < 1000
    die.unlink()
    assert project.execution("launch", "copy", TARGET=world.database.url)["status"] == "COMPLETED"
    assert kept(world) == world.sql(EVERYTHING)
