"""SQL statements with parameters by name."""

from __future__ import annotations

import pytest

from batchrun.components.databases.statement import Statement, statement_problems, unused_problems


def marked(sql: str) -> str:
    return Statement.parse(sql).render(lambda name: f"<{name}>")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT :day", "SELECT <day>"),
        ("a=:a AND b=:b_2,:a", "a=<a> AND b=<b_2>,<a>"),
        ("SELECT (:a)", "SELECT (<a>)"),
        ("SELECT x::date, :d::date", "SELECT x::date, <d>::date"),
        ("SELECT ':a', 'it''s :a', :a", "SELECT ':a', 'it''s :a', <a>"),
        (r"SELECT E'\':a', :b", r"SELECT E'\':a', <b>"),
        ('SELECT ":a" FROM `:b`', 'SELECT ":a" FROM `:b`'),
        ("SELECT 1 -- :a\n, :b", "SELECT 1 -- :a\n, <b>"),
        ("SELECT /* :a\n' */ :b", "SELECT /* :a\n' */ <b>"),
        ("SELECT $$ :a ' $$, $x$ :b $$ $x$, :c", "SELECT $$ :a ' $$, $x$ :b $$ $x$, <c>"),
        ("SELECT a[1:2], t[lo:hi]", "SELECT a[1:2], t[lo:hi]"),
        ("SELECT '12:30', 5 % 2", "SELECT '12:30', 5 % 2"),
        ("SELECT 'open :a", "SELECT 'open :a"),
        ("SELECT :a; -- end\n", "SELECT <a>"),
        ("", ""),
    ],
)
def test_only_parameters_are_marked(sql: str, expected: str) -> None:
    assert marked(sql) == expected


def test_names_come_once_in_order_and_values_with_them() -> None:
    statement = Statement.parse("SELECT :b, :a, :b")
    assert statement.names == ("b", "a")
    assert statement.values({"a": 1, "b": 2, "c": 3}) == [2, 1]


def test_other_text_is_escaped_and_parameters_are_not() -> None:
    rendered = Statement.parse("a LIKE '5%' AND b = :b").render(
        lambda name: f"%({name})s", lambda t: t.replace("%", "%%")
    )
    assert rendered == "a LIKE '5%%' AND b = %(b)s"


@pytest.mark.parametrize(
    ("sql", "word", "is_single"),
    [
        ("-- why\n  select 1", "SELECT", True),
        ("/* a */ (SELECT 1) UNION SELECT 2;", "SELECT", True),
        ("DELETE FROM a; DELETE FROM b", "DELETE", False),
        ("DELETE FROM a; -- done", "DELETE", True),
        ("SELECT ';'", "SELECT", True),
        ("  ", "", True),
    ],
)
def test_first_word_and_singleness(sql: str, word: str, is_single: bool) -> None:
    statement = Statement.parse(sql)
    assert (statement.first_word, statement.is_single) == (word, is_single)


def test_missing_value_is_told_with_the_near_name() -> None:
    (problem,) = statement_problems("SELECT :dya", {"day": 1}, ("query",))
    assert (problem.message, problem.hint) == ("no value for the parameter :dya", "did you mean 'day'?")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM a; DELETE FROM b", "more than one SQL statement"),
        ("-- nothing", "there is no SQL statement"),
        ("COMMIT", "COMMIT is not for a job file"),
    ],
)
def test_statement_that_cannot_run_is_told(sql: str, message: str) -> None:
    assert [problem.message for problem in statement_problems(sql, {}, ("statement",))] == [message]


def test_body_of_a_created_function_may_hold_semicolons() -> None:
    assert statement_problems("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END", {}, ()) == []


def test_unused_and_compound_parameters_are_told() -> None:
    problems = unused_problems(["SELECT :day, :list"], {"day": 1, "dya": 2, "list": [1]})
    assert [(problem.at, problem.message) for problem in problems] == [
        (("parameters", "dya"), "no statement uses the parameter 'dya'"),
        (("parameters", "list"), "the parameter 'list' is not a single value"),
    ]
