"""Job parameters: notation and identity (SEMANTICS section 1)."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batchrun.domain.parameters import (
    JobParameter,
    JobParameters,
    ParameterType,
    ParameterValue,
    ScalarValue,
    parameter_value,
)

T = ParameterType
scalars: dict[ParameterType, st.SearchStrategy[ScalarValue]] = {
    T.STRING: st.text(),
    T.INTEGER: st.integers(),
    T.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    T.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False),
    T.BOOLEAN: st.booleans(),
    T.DATE: st.dates(),
    T.DATETIME: st.datetimes(timezones=st.sampled_from([None, UTC])),
    T.DURATION: st.timedeltas(timedelta(0), timedelta(days=1000)),
    T.PATH: st.text(min_size=1),
    T.CHOICE: st.text(),
}


def values(kind: ParameterType) -> st.SearchStrategy[ParameterValue]:
    return st.none() | scalars[kind]


def of_type(kind: ParameterType, name: st.SearchStrategy[str]) -> st.SearchStrategy[JobParameter]:
    """Returns parameters of a type, any of them without a value; a list is of any type that has items."""
    if kind is T.LIST:
        return st.sampled_from(list(scalars)).flatmap(
            lambda items: st.builds(
                JobParameter,
                name,
                st.lists(scalars[items], max_size=4).map(tuple),
                st.just(kind),
                items=st.just(items),
            )
        )
    return st.builds(JobParameter, name, values(kind), st.just(kind))


kept_types = st.sampled_from([kind for kind in T if kind is not T.SECRET])
parameters = kept_types.flatmap(lambda kind: of_type(kind, st.text(max_size=5)))
sets = st.lists(parameters, max_size=6, unique_by=lambda each: each.name)


@given(parameters)
def test_a_value_survives_its_notation(parameter: JobParameter) -> None:
    assert parameter_value(parameter.text, parameter.type, parameter.items) == parameter.value
    assert JobParameter.from_texts(parameter.name, parameter.text, parameter.type_text, True) == parameter


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, T.STRING, None),
        (True, T.BOOLEAN, "true"),
        (date(2024, 2, 29), T.DATE, "2024-02-29"),
        (datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), T.DATETIME, "2024-02-29T01:02:03+00:00"),
        (timedelta(seconds=1, microseconds=1), T.DURATION, "1.000001"),
        (Decimal("1.50"), T.DECIMAL, "1.50"),
        (("a", "b,c"), T.LIST, '["a", "b,c"]'),
        ((1, 2), T.LIST, "[1, 2]"),
        ((Decimal("1.50"), date(2024, 2, 29)), T.LIST, '["1.50", "2024-02-29"]'),
        ("hunter2", T.SECRET, "***"),
        (None, T.SECRET, None),
    ],
)
def test_the_notation_of_each_type(value: ParameterValue, kind: ParameterType, text: str | None) -> None:
    assert JobParameter("p", value, kind).text == text


@given(sets, st.randoms())
def test_identity_does_not_depend_on_order(given_parameters: list[JobParameter], shuffler: random.Random) -> None:
    shuffled = list(given_parameters)
    shuffler.shuffle(shuffled)
    assert JobParameters(given_parameters).identity() == JobParameters(shuffled).identity()


def test_identity_counts_the_type() -> None:
    integer = JobParameters([JobParameter("id", 1, T.INTEGER)])
    string = JobParameters([JobParameter("id", "1", T.STRING)])
    assert integer.identity() != string.identity()


def test_identity_leaves_out_what_is_not_identifying() -> None:
    one = JobParameters([JobParameter("day", "a"), JobParameter("limit", 1, T.INTEGER, identifying=False)])
    two = JobParameters([JobParameter("day", "a"), JobParameter("limit", 2, T.INTEGER, identifying=False)])
    assert one.identity() == two.identity()
    assert one.has_identifying
    assert not JobParameters([JobParameter("limit", 1, T.INTEGER, identifying=False)]).has_identifying


@given(st.lists(parameters, max_size=4, unique_by=lambda each: each.name), parameters)
def test_another_parameter_is_another_identity(some: list[JobParameter], more: JobParameter) -> None:
    others = [each for each in some if each.name != more.name]
    assert JobParameters(others).identity() != JobParameters([*others, more]).identity()


@given(sets, st.data())
def test_another_value_is_another_identity(some: list[JobParameter], data: st.DataObject) -> None:
    assume(some)
    place = data.draw(st.integers(0, len(some) - 1))
    changed = data.draw(of_type(some[place].type, st.just(some[place].name)))
    assume((changed.text, changed.type_text) != (some[place].text, some[place].type_text))
    others = [changed if index == place else each for index, each in enumerate(some)]
    assert JobParameters(some).identity() != JobParameters(others).identity()


@given(sets, st.data())
def test_another_type_is_another_identity(some: list[JobParameter], data: st.DataObject) -> None:
    assume(some)
    place = data.draw(st.integers(0, len(some) - 1))
    kind = data.draw(kept_types.filter(lambda kind: kind is not some[place].type))
    others = [replace(each, type=kind) if index == place else each for index, each in enumerate(some)]
    assert JobParameters(some).identity() != JobParameters(others).identity()


@given(sets, sets)
def test_what_does_not_identify_changes_no_identity(some: list[JobParameter], others: list[JobParameter]) -> None:
    names = {each.name for each in some}
    beside = [replace(each, identifying=False) for each in others if each.name not in names]
    assert JobParameters([*beside, *some]).identity() == JobParameters(some).identity()


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_secret_changes_no_identity_and_no_text(one: str, two: str) -> None:
    first, second = (JobParameter("password", each, T.SECRET, identifying=False) for each in (one, two))
    assert JobParameters([first]).identity() == JobParameters([second]).identity() == JobParameters().identity()
    assert first.text == second.text == JobParameters([first]).masked()["password"] == "***"


def test_the_type_of_a_lists_items_counts() -> None:
    texts, numbers = (
        JobParameter("ids", ("1",), T.LIST),
        JobParameter("ids", (1,), T.LIST, items=T.INTEGER),
    )
    assert (texts.type_text, numbers.type_text) == ("list", "list[integer]")
    assert JobParameters([texts]).identity() != JobParameters([numbers]).identity()


def test_the_identity_hash_stays_what_it_was() -> None:
    """Executions of older versions are found by it."""
    known = JobParameters(
        [
            JobParameter("day", date(2026, 1, 31), T.DATE),
            JobParameter("desks", ("a", "b"), T.LIST),
            JobParameter("n", None),
        ]
    )
    expected = '[["day", "date", "2026-01-31"], ["desks", "list", "[\\"a\\", \\"b\\"]"], ["n", "string", null]]'
    assert known.identity() == hashlib.sha256(expected.encode()).hexdigest()


def test_a_run_id_takes_the_place_of_the_one_before() -> None:
    given_by_hand = JobParameters([JobParameter("run.id", 7, T.INTEGER), JobParameter("day", "1")])
    assert dict(given_by_hand.with_run_id(8)) == {"day": "1", "run.id": 8}
    assert (given_by_hand.run_id, JobParameters().run_id) == (7, None)
