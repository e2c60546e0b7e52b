"""Scratch schemas: a copy of what a URL's schema holds, independent of the original."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from batchrun.copies.scratch_schema import connected, copy_schema, drop_schema, in_schema

ORIGINAL = """
CREATE TABLE parents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE CHECK (name <> 'bad'));
CREATE TABLE "Odd ones" (
    id serial PRIMARY KEY, parent int REFERENCES parents, twice int GENERATED ALWAYS AS (parent * 2) STORED);
CREATE VIEW both_of_them AS SELECT name, twice FROM parents JOIN "Odd ones" ON parent = parents.id;
INSERT INTO parents (name) VALUES ('a'), ('b');
INSERT INTO "Odd ones" (parent) VALUES (1), (2), (2);
"""
ADDING = 'INSERT INTO "Odd ones" (parent) VALUES (%s) RETURNING id'
COPY = "batchrun_copies_of_a_test"


def test_a_copy_has_rows_constraints_views_and_numbers_of_its_own(fresh_postgres_schema: str) -> None:
    import psycopg

    with connected(fresh_postgres_schema) as connection:
        connection.execute(ORIGINAL)
    copy = in_schema(fresh_postgres_schema, COPY)
    copy_schema(fresh_postgres_schema, COPY)
    copy_schema(fresh_postgres_schema, COPY)
    try:
        with connected(copy) as connection:
            assert connection.execute("SELECT * FROM both_of_them ORDER BY name").fetchall() == [
                ("a", 2),
                ("b", 4),
                ("b", 4),
            ]
            connection.execute("INSERT INTO parents (name) VALUES ('c')")
            assert connection.execute(ADDING, (3,)).fetchone() == (4,)
        for refused in ("INSERT INTO parents (name) VALUES ('bad')", ADDING.replace("%s", "9")):
            with psycopg.connect(copy) as raw, pytest.raises(psycopg.IntegrityError):
                raw.execute(refused)
        with connected(fresh_postgres_schema) as connection:
            assert connection.execute("SELECT count(*) FROM parents").fetchone() == (2,)
            assert connection.execute(ADDING, (1,)).fetchone() == (4,)
    finally:
        drop_schema(fresh_postgres_schema, COPY)


NUMBERED = """
CREATE SEQUENCE counter START 5 INCREMENT 10 MAXVALUE 1000;
CREATE SEQUENCE "it's ""odd"" here";
CREATE SCHEMA {other};
CREATE SEQUENCE {other}.counter;
CREATE TABLE numbered (
    id serial,
    a bigint DEFAULT nextval('counter'),
    b text DEFAULT 'n-' || nextval('counter')::text,
    c bigint DEFAULT nextval('"it''s ""odd"" here"'),
    d bigint DEFAULT nextval('{other}.counter'),
    at timestamptz DEFAULT now());
INSERT INTO numbered DEFAULT VALUES;
CREATE TABLE {other}.outside (a int);
CREATE VIEW of_outside AS SELECT a FROM {other}.outside;
CREATE VIEW of_inside AS SELECT at FROM numbered;
"""
NUMBERS = "INSERT INTO numbered DEFAULT VALUES RETURNING id, a, b, c, d"


@pytest.fixture
def copy(fresh_postgres_schema: str) -> Iterator[str]:
    """The URL of a copy of what NUMBERED makes."""
    other = f"batchrun_other_{uuid.uuid4().hex}"
    with connected(fresh_postgres_schema) as connection:
        connection.execute(NUMBERED.format(other=other))
    copy_schema(fresh_postgres_schema, COPY)
    try:
        yield in_schema(fresh_postgres_schema, COPY)
    finally:
        drop_schema(fresh_postgres_schema, COPY)
        drop_schema(fresh_postgres_schema, other)


def test_nothing_is_written_through_a_view_to_what_is_no_copy(copy: str) -> None:
    import psycopg

    with psycopg.connect(copy) as connection:
        assert connection.execute("INSERT INTO of_inside VALUES (now())").rowcount == 1
        assert connection.execute("SELECT count(*) FROM of_outside").fetchone() == (0,)
        with pytest.raises(psycopg.Error, match="cannot insert into view"):
            connection.execute("INSERT INTO of_outside VALUES (1)")


def test_no_sequence_of_the_original_counts_for_a_copy(copy: str, fresh_postgres_schema: str) -> None:
    with connected(copy) as connection:
        assert connection.execute(NUMBERS).fetchone() == (2, 25, "n-35", 2, 2)
        assert connection.execute("SELECT nextval('counter')").fetchone() == (45,)
        assert connection.execute("SELECT currval(pg_get_serial_sequence('numbered', 'id'))").fetchone() == (2,)
    with connected(fresh_postgres_schema) as connection:
        assert connection.execute(NUMBERS).fetchone() == (2, 25, "n-35", 2, 2)
