"""kill -9 at random moments, then a restart: the target equals that of an uninterrupted run, every time.

A short form by default; `make faults` sets BATCHRUN_KILLS and BATCHRUN_KILL_ROWS for the long one.
"""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import FACTS, Load, write_input

KILLS = int(os.environ.get("BATCHRUN_KILLS", "3"))
ROWS = int(os.environ.get("BATCHRUN_KILL_ROWS", "150000"))


@pytest.fixture(scope="module")
def made_input(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Any, ...]]:
    path = tmp_path_factory.mktemp("input") / "rows.csv"
    return path, write_input(path, ROWS)


LEFT = "SELECT count(*) FROM batchrun_checkpoint"
"""A kill between a step's end and the deletion of its checkpoint leaves the row: out of date, and of no harm."""


def sqlite_facts(path: Path, *, most_left: int = 0) -> tuple[Any, ...]:
    with closing(sqlite3.connect(path)) as connection:
        count, distinct, ids, doubled, amount, length, day = connection.execute(FACTS).fetchone()
        assert connection.execute("SELECT count(*), max(n) FROM runs").fetchone() == (1, count)
        assert connection.execute(LEFT).fetchone()[0] <= most_left
    return count, distinct, ids, doubled, Decimal(amount).quantize(Decimal("0.01")), length, day


def postgres_facts(url: str, *, most_left: int = 0) -> tuple[Any, ...]:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(FACTS).fetchone()
        assert row is not None
        count, distinct, ids, doubled, amount, length, day = row
        assert connection.execute("SELECT count(*), max(n) FROM runs").fetchone() == (1, count)
        left = connection.execute(LEFT).fetchone()
        assert left is not None
        assert left[0] <= most_left
        connection.execute("DROP TABLE rows, runs, batchrun_checkpoint")
    return count, distinct, int(ids), int(doubled), amount, int(length), day.isoformat()


def test_a_killed_load_into_sqlite_is_exact(made_input: tuple[Path, tuple[Any, ...]], tmp_path: Path) -> None:
    path, facts = made_input
    chance = random.Random(20240229)
    duration = Load.make(tmp_path / "whole", path, "sqlite:///target.db", "sqlite:///repository.db").duration()
    assert sqlite_facts(tmp_path / "whole" / "target.db") == facts
    hits = 0
    for place in range(KILLS):
        folder = tmp_path / f"kill{place}"
        load = Load.make(folder, path, "sqlite:///target.db", "sqlite:///repository.db")
        hits += load.survive(duration, 1 + place % 3, chance)
        assert sqlite_facts(folder / "target.db", most_left=1) == facts
    assert hits >= KILLS // 2, "too few kills hit a running load to show anything"


def test_a_killed_load_into_postgresql_is_exact(
    made_input: tuple[Path, tuple[Any, ...]], tmp_path: Path, fresh_postgres_database: str
) -> None:
    path, facts = made_input
    chance = random.Random(20240301)
    target = fresh_postgres_database
    duration = Load.make(tmp_path / "whole", path, target, "sqlite:///repository.db").duration()
    assert postgres_facts(target) == facts
    hits = 0
    for place in range(KILLS):
        load = Load.make(tmp_path / f"kill{place}", path, target, "sqlite:///repository.db")
        hits += load.survive(duration, 1 + place % 3, chance)
        assert postgres_facts(target, most_left=1) == facts
    assert hits >= KILLS // 2, "too few kills hit a running load to show anything"
