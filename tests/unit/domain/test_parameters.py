"""Job parameters: notation and identity (SEMANTICS section 1)."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.domain.parameters import (
    JobParameter,
    JobParameters,
    ParameterType,
    ParameterValue,
    parameter_value,
)

T = ParameterType
values: dict[ParameterType, st.SearchStrategy[ParameterValue]] = {
    T.STRING: st.text(),
    T.INTEGER: st.integers(),
    T.FLOAT: st.floats(allow_nan=False),
    T.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False),
    T.BOOLEAN: st.booleans(),
    T.DATE: st.dates(),
    T.DATETIME: st.datetimes(timezones=st.sampled_from([None, UTC])),
    T.DURATION: st.timedeltas(timedelta(0), timedelta(days=1000)),
    T.PATH: st.text(min_size=1),
    T.CHOICE: st.text(),
    T.LIST: st.lists(st.text()).map(tuple),
}
parameters = st.sampled_from(T).flatmap(
    lambda kind: st.builds(JobParameter, st.text(max_size=5), values[kind], st.just(kind))
)


@given(parameters)
def test_a_value_survives_its_notation(parameter: JobParameter) -> None:
    assert parameter_value(parameter.text, parameter.type) == parameter.value


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
    ],
)
def test_the_notation_of_each_type(value: ParameterValue, kind: ParameterType, text: str | None) -> None:
    assert JobParameter("p", value, kind).text == text


@given(st.lists(parameters, max_size=6, unique_by=lambda each: each.name), st.randoms())
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
