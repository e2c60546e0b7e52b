"""Rows that go from one PostgreSQL table into another as the text in which they came, and when they may not."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchrun.components.databases.postgres_copy import BINARY_HEADER, BINARY_TRAILER, COPY_BINARY, COPY_TEXT
from batchrun.components.databases.postgres_decoding import to_text
from batchrun.components.databases.postgres_items import bare
from batchrun.components.databases.postgres_text import TextParser
from batchrun.domain.execution import StepCounts
from batchrun.errors import InputError
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import Database
from batchrun.spi.text import ItemText
from tests.integration.databases.conftest import World
from tests.integration.databases.passing import AS_BINARY, EVERYTHING, ONLY_TEXT, TABLES, TYPES, fill, kept, make_tables
from tests.support.postgres import new_database


def moved(
    world: World,
    *,
    parsed: bool = False,
    limit: int = 3,
    query: str = "SELECT * FROM source",
    form: str = COPY_TEXT,
    order: dict[str, Any] | None = None,
) -> int:
    """Reads the source and writes the target, as a step does that has no processors."""
    reader = world.reader(query=query, **(order or {"key": ["id"], "page_size": 5}))
    count = 0
    try:
        reader.open(None)
        with world.writing(table="target") as writing:
            reader.agree(writing.writer.takes_text)
            while (chunk := reader.read(limit)) is not None:
                assert chunk.text is not None
                assert writing.writer.takes_text(chunk.text)
                assert chunk.text.form == form
                read = chunk.with_frame(chunk.frame) if parsed else chunk
                prepared = writing.writer.prepare(read)
                writing.store.begin()
                count += writing.writer.write(prepared)
                writing.checkpoint = writing.checkpoint.after(1, chunk.position, {}, StepCounts())
                writing.store.commit(writing.checkpoint)
            writing.store.forget()
    finally:
        reader.close()
    return count


@pytest.fixture
def tables(postgres: World) -> World:
    return make_tables(postgres)


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


ORDERS = [{"key": ["id"], "page_size": 5}, {"key": ["s", "id"], "page_size": 5}, {"restart": "skip"}]


@pytest.mark.parametrize("order", ORDERS, ids=["key", "keys", "skip"])
def test_rows_go_in_the_binary_format_where_their_types_have_one(
    tables: World, monkeypatch: pytest.MonkeyPatch, order: dict[str, Any]
) -> None:
    fill(tables)
    monkeypatch.setattr(TextParser, "frame", unparsed)
    assert moved(tables, query=AS_BINARY, form=COPY_BINARY, order=order) == 21
    assert kept(tables) == tables.sql(EVERYTHING)


def test_the_binary_format_without_rows(tables: World) -> None:
    for order in ORDERS:
        assert moved(tables, query=AS_BINARY, form=COPY_BINARY, order=order) == 0


@pytest.mark.parametrize("order", ORDERS, ids=["key", "keys", "skip"])
def test_a_restart_goes_on_in_either_format(tables: World, order: dict[str, Any]) -> None:
    fill(tables)
    read: list[list[str]] = []
    for forms in ((COPY_TEXT, COPY_BINARY), (COPY_BINARY, COPY_TEXT), (COPY_TEXT, COPY_TEXT)):
        position, lines, at = None, [], 0
        for form, most in zip(forms, (2, 100), strict=True):
            reader = tables.reader(query=AS_BINARY, **order)
            reader.open(position)
            reader.agree(lambda text, form=form: text.form == form)
            while most and (chunk := reader.read(4)) is not None:
                text, most, position, at = text_of(chunk), most - 1, chunk.position, at + len(chunk)
                kinds = [bare(kind) for kind in text.columns.values()]
                data = to_text(text.data, kinds) if form == COPY_BINARY else text.data
                fields = [dict(zip(text.columns, line.split(b"\t"), strict=True)) for line in data.splitlines()]
                lines += [each["id"].decode() for each in fields]
                assert chunk.origin(0).endswith(f"({lines[-len(chunk)]})" if len(order.get("key", [])) == 1 else "")
            reader.close()
        assert at == 21
        read.append(lines)
    assert read[0] == read[1] == read[2]


def test_a_key_that_comes_twice_is_seen_in_the_binary_format(tables: World) -> None:
    tables.sql("INSERT INTO source (id, small, s) VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 2, 'b')")
    for key in (["small"], ["s"], ["small", "s"]):
        with pytest.raises(InputError, match=r"is not unique: \((2|b)?,? ?(2|b)\) comes twice"):
            moved(tables, query=AS_BINARY, form=COPY_BINARY, order={"key": key})


def rows_of(reader: Any) -> list[dict[str, Any]]:
    try:
        return [row for chunk in iter(lambda: reader.read(1), None) for row in chunk.rows]
    finally:
        reader.close()


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    ("kind", "values"),
    [("numeric", "(1.0), (1.00)"), ("float8", "(0), ('-0')"), ("interval", "('1 day'), ('24:00')")],
)
def test_keys_that_are_equal_and_not_written_alike_are_not_unique(
    postgres: World, kind: str, values: str, takes: bool
) -> None:
    postgres.sql(f"CREATE TABLE source (k {kind})")
    postgres.sql(f"INSERT INTO source VALUES {values}")
    reader = postgres.reader(query="SELECT * FROM source", key=["k"], page_size=1)
    reader.open(None)
    reader.agree(lambda text: takes)
    with pytest.raises(InputError, match="is not unique"):
        rows_of(reader)


@pytest.mark.parametrize("order", [{"key": ["id"]}, {"key": ["s", "id"]}, {"restart": "skip"}], ids=str)
def test_a_page_that_begins_with_a_byte_order_mark_keeps_it(tables: World, order: dict[str, Any]) -> None:
    tables.sql("INSERT INTO source (id, s) SELECT i, chr(65279) || 'x' FROM generate_series(1, 3) i")
    query, paged = "SELECT s, id FROM source", {**order, **({"page_size": 1} if "key" in order else {})}
    assert moved(tables, parsed=True, query=query, form=COPY_BINARY, order=order) == 3
    assert tables.sql("SELECT DISTINCT s FROM target") == [("\ufeffx",)]
    reader = tables.reader(query=query, **paged)
    reader.open(None)
    assert [row["s"] for row in rows_of(reader)] == ["\ufeffx"] * 3


def test_the_encoding_that_a_url_asks_for_changes_nothing(tables: World, tmp_path: Path) -> None:
    tables.sql("INSERT INTO source (id, s) VALUES (1, 'é€')")
    mark = "&" if "?" in tables.database.url else "?"
    other = World("postgres", Database("db", f"{tables.database.url}{mark}client_encoding=latin1"), tmp_path)
    for parsed in (False, True):
        other.sql("TRUNCATE target")
        assert moved(other, parsed=parsed) == 1
        assert tables.sql("SELECT s FROM target") == [("é€",)]


@pytest.mark.parametrize("order", [{"key": ["id"], "page_size": 2}, {"restart": "skip"}], ids=["key", "skip"])
def test_a_column_of_the_source_that_changes_its_type_is_not_passed_on(tables: World, order: dict[str, Any]) -> None:
    tables.sql("INSERT INTO source (id, small, f) SELECT i, i, i FROM generate_series(1, 6) i")
    reader = tables.reader(query="SELECT id, small, f FROM source", **order)
    reader.open(None)
    reader.agree(lambda text: True)
    if "key" in order:
        assert text_of(reader.read(2)).form == COPY_BINARY
    tables.sql("ALTER TABLE source ALTER f TYPE bigint, ADD COLUMN more int")
    with pytest.raises(InputError, match="the type of column 'f' has changed"):
        reader.read(2)
    reader.close()
    reader.open(None)
    reader.agree(lambda text: True)
    assert reader.read(2).rows[1] == {"id": 2, "small": 2, "f": 2}
    reader.close()


def test_a_stream_is_given_up_before_its_end(tables: World) -> None:
    tables.sql("INSERT INTO source (id) SELECT generate_series(1, 50000)")
    for takes in (True, False):
        reader = tables.reader(query="SELECT id FROM source", restart="skip")
        reader.open(None)
        reader.agree(lambda text, takes=takes: takes)
        assert len(reader.read(2)) == 2
        reader.close()


def test_pages_come_as_text_once_somebody_has_looked(tables: World) -> None:
    tables.sql("INSERT INTO source (id) SELECT generate_series(1, 20)")
    reader = tables.reader(query=AS_BINARY, key=["id"], page_size=5)
    reader.open(None)
    reader.agree(lambda text: True)
    forms = []
    try:
        while (chunk := reader.read(5)) is not None:
            forms.append(text_of(chunk).form)
            if len(forms) == 2:
                assert chunk.rows[0]["id"] == 6
                assert list(chunk.rows[0]) == [name for name in reversed(TYPES) if name not in ONLY_TEXT]
    finally:
        reader.close()
    assert forms == [COPY_BINARY] * 2 + [COPY_TEXT] * 2


def test_the_binary_format_made_text_is_what_the_server_sends_as_text(tables: World) -> None:
    fill(tables)
    chosen = f"SELECT * FROM ({AS_BINARY}) AS chosen ORDER BY id"
    assert _decoded(tables, chosen) == _sent(tables, chosen)


def _decoded(world: World, query: str) -> list[list[str]]:
    names, kinds = _kinds(world, query)
    data = _copied(world, f"COPY ({query}) TO STDOUT (FORMAT binary)")
    text = to_text(data.removeprefix(BINARY_HEADER).removesuffix(BINARY_TRAILER), kinds)
    return [_evened(line, names) for line in text.decode().split("\n")[:-1]]


def _sent(world: World, query: str) -> list[list[str]]:
    names, _ = _kinds(world, query)
    text = _copied(world, f"COPY ({query}) TO STDOUT")
    return [_evened(line, names) for line in text.decode().split("\n")[:-1]]


def _copied(world: World, sql: str) -> bytes:
    with psycopg.connect(world.database.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'")
        with cursor.copy(sql.encode()) as copy:
            return b"".join(map(bytes, copy))


def _kinds(world: World, query: str) -> tuple[list[str], list[str]]:
    reader = world.reader(query=query, restart="skip")
    reader.open(None)
    shown: list[ItemText] = []
    reader.agree(lambda text: bool(shown.append(text)))
    reader.close()
    assert shown
    return list(shown[0].columns), [bare(kind) for kind in shown[0].columns.values()]


def _evened(line: str, names: list[str]) -> list[str]:
    """Evens out how a float is written."""
    fields = line.split("\t")
    return [
        repr(float(value)) if name in ("f", "r") and value != r"\N" else value
        for name, value in zip(names, fields, strict=True)
    ]


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


def text_of(chunk: Chunk) -> ItemText:
    assert chunk.text is not None
    return chunk.text


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
        assert not writing.writer.takes_text(text_of(only_chunk(postgres, query=query)))


@pytest.mark.parametrize("options", [{"mode": "upsert", "key": ["id"]}, {"key": ["id"]}])
def test_a_writer_that_has_to_know_keys_looks_at_them(tables: World, options: dict[str, Any]) -> None:
    tables.sql("INSERT INTO source (id) VALUES (1)")
    with tables.writing(table="target", **options) as writing:
        assert not writing.writer.takes_text(text_of(only_chunk(tables)))


def test_a_declared_type_is_held_to(tables: World) -> None:
    tables.sql("INSERT INTO source (id, s) VALUES (1, 'x')")
    chunk = only_chunk(tables, columns={"s": "integer"})
    with tables.writing(table="target") as writing:
        assert not writing.writer.takes_text(text_of(chunk))
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
