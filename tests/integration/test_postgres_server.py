"""The tests' own PostgreSQL server."""

from __future__ import annotations

import psycopg
import pytest


@pytest.mark.parametrize("turn", range(4))
def test_each_fresh_database_is_empty(fresh_postgres_database: str, turn: int) -> None:
    with psycopg.connect(fresh_postgres_database) as connection:
        connection.execute("CREATE TABLE only_here (turn integer)")
        count = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert count == (1,)
