"""The decider `sql`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchrun.errors import DatabaseError, DecisionError
from batchrun.registry import Registry
from tests.unit.components.deciders.bench import decide


@pytest.fixture(autouse=True)
def database(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "main.db")) as connection:
        connection.execute("CREATE TABLE t (n INTEGER, code TEXT)")
        connection.execute("INSERT INTO t VALUES (1, 'ONE'), (2, 'TWO'), (3, NULL)")
        connection.commit()


def ask(folder: Path, query: str, **more: Any) -> Any:
    return decide("sql", {"database": "main", "query": query, **more}, folder=folder)


def test_the_first_value_is_the_exit_code(tmp_path: Path) -> None:
    assert ask(tmp_path, "SELECT code, n FROM t ORDER BY n DESC LIMIT 2 OFFSET 1") == "TWO"
    assert ask(tmp_path, "SELECT count(*) FROM t") == "3"


def test_parameters_are_bound(tmp_path: Path) -> None:
    assert ask(tmp_path, "SELECT code FROM t WHERE n = :n", parameters={"n": 1}) == "ONE"


def test_no_answer_is_what_otherwise_says(tmp_path: Path) -> None:
    for query in ("SELECT code FROM t WHERE n = 9", "SELECT code FROM t WHERE n = 3"):
        assert ask(tmp_path, query, otherwise="NONE") == "NONE"
    with pytest.raises(DecisionError, match="the query has no row; `otherwise` is the exit code where it is so"):
        ask(tmp_path, "SELECT code FROM t WHERE n = 9")
    with pytest.raises(DecisionError, match="the query's answer is null"):
        ask(tmp_path, "SELECT code FROM t WHERE n = 3")


def test_a_query_that_is_refused_fails_the_decision(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"database 'main': .*no such table"):
        ask(tmp_path, "SELECT code FROM nowhere")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM t", "the query is no SELECT"),
        ("SELECT :n", "no value for the parameter :n"),
        ("SELECT 1; SELECT 2", "more than one SQL statement"),
    ],
)
def test_what_is_no_question_is_told_before_anything_runs(query: str, told: str) -> None:
    options = Registry().spec("decider", "sql").parse({"database": "main", "query": query})
    assert [each.message for each in options.check()] == [told]
