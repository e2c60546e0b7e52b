"""Tables whose rows go from one to the other as they are, and rows that are worth a look."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.integration.databases.conftest import World

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
ONLY_TEXT = ("i", "a", "at")
"""Columns of types that go in no other form."""

AS_BINARY = f"SELECT {', '.join(name for name in reversed(TYPES) if name not in ONLY_TEXT)} FROM source"
EVERYTHING = "SELECT source::text FROM source ORDER BY id"

INTERESTING = r"""
INSERT INTO source (id, small, n, any_n, f, r, b, s, v, c, x, d, c_at, t, z, u, j, jb)
SELECT i, CASE i WHEN 1 THEN -32768 ELSE i END,
    ('{0,-0.0001,9999999999999999.9999,NaN,12345.6789}'::numeric[])[1 + i % 5],
    ('{0,0.000,10000,1e30,-1e-20,NaN,Infinity,-Infinity,123456789.00010000,0.00012}'::numeric[])[1 + i % 10],
    ('{0,-0,1e-300,1e300,0.1,NaN,Infinity,-Infinity,1e15,123456}'::float8[])[1 + i % 10],
    ('{0,0.1,1e-45,3.4028235e38,16777216,NaN,-Infinity,1e6,1.17549435e-38}'::real[])[1 + i % 9],
    i % 2 = 0, (ARRAY['', E'\\N', E'a\tb\n\r\b\f\v"\\.', 'ü€😀'])[1 + i % 4], 'null', 'a',
    (ARRAY['', '\x00ff5c'])[1 + i % 2]::bytea,
    ('{infinity,-infinity,0044-03-15 BC,0001-01-01,2000-02-29,1999-12-31,4713-01-01 BC,12345-06-07,2100-03-01,
       1900-02-28}'::date[])[1 + i % 10],
    ('{24:00,00:00:00.000001,23:59:59.999999,12:30:00.5}'::time[])[1 + i % 4],
    ('{infinity,-infinity,0044-03-15 12:00 BC,9999-12-31 23:59:59.999999,1970-01-01 00:00:01.5}'::timestamp[])
        [1 + i % 5],
    ('{2026-07-31 08:00+09,0001-01-01 00:00+00 BC,294276-12-31 23:59:59.999999+00}'::timestamptz[])[1 + i % 3],
    md5(i::text)::uuid, '{"a":  1}', '{"a": "ü"}'
FROM generate_series(1, 20) i;
INSERT INTO source (id, s) VALUES (21, '')
"""
"""Values at the ends of what their types hold, and rows of nothing but null."""


def fill(world: World) -> None:
    with psycopg.connect(world.database.url, autocommit=True) as connection:
        connection.execute(INTERESTING)


def kept(world: World) -> list[tuple[Any, ...]]:
    return world.sql(EVERYTHING.replace("source", "target"))


def make_tables(world: World) -> World:
    for table in TABLES:
        world.sql(table)
    return world
