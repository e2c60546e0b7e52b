"""The decider `expression`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from batchrun.domain.parameters import ParameterType
from batchrun.errors import DecisionError
from batchrun.registry import Registry
from batchrun.spi.facts import facts_schema
from batchrun.spi.spec import OptionsError
from tests.unit.components.deciders.bench import decide, facts

PARAMETERS = {
    "limit": 4,
    "rate": Decimal("1.5"),
    "day": date(2026, 1, 31),
    "since": datetime(2026, 1, 31, 6),
    "wait": timedelta(hours=2),
    "names": ("a", "b"),
    "run.id": 3,
    "nothing": None,
}
TYPES = {
    "limit": ParameterType.INTEGER,
    "rate": ParameterType.DECIMAL,
    "day": ParameterType.DATE,
    "since": ParameterType.DATETIME,
    "wait": ParameterType.DURATION,
    "names": ParameterType.LIST,
    "run.id": ParameterType.INTEGER,
    "nothing": ParameterType.STRING,
}
HOLDING = [
    "steps.load.write_count = 7 AND params.limit > 3",
    "steps.load.exit_code LIKE 'COMPLETED%'",
    "params.rate > 1.2",
    "params.day >= DATE '2026-01-01'",
    "params.since > TIMESTAMP '2026-01-01 00:00:00'",
    "params.run.id = 3",
    "params.nothing IS NULL",
    'steps."next-one".write_count IS NULL',
    "execution.id = 5 AND execution.job_name = 'job'",
    "job.context.last > 40",
    "job.context.never IS NULL",
]
NOT_HOLDING = ['steps."next-one".write_count > 0', "job.context.never > 3", "params.limit > 4"]


def options(condition: str) -> dict[str, Any]:
    return {"when": [{"if": condition, "then": "YES"}], "otherwise": "NO"}


def known() -> dict[str, Any]:
    return facts(params=PARAMETERS, job={"context": {"last": 41}})


@pytest.mark.parametrize("condition", HOLDING)
def test_a_condition_over_the_facts_holds(condition: str) -> None:
    assert decide("expression", options(condition), known()) == "YES"


@pytest.mark.parametrize("condition", NOT_HOLDING)
def test_a_condition_that_is_false_or_null_does_not_hold(condition: str) -> None:
    assert decide("expression", options(condition), known()) == "NO"


@pytest.mark.parametrize("condition", [*HOLDING, *NOT_HOLDING])
def test_what_can_be_asked_of_a_run_passes_the_check_before_it(condition: str) -> None:
    assert problems(condition) == []


def test_the_first_condition_that_holds_decides() -> None:
    when = [{"if": condition, "then": code} for condition, code in (("1 = 2", "A"), ("1 = 1", "B"), ("1 = 1", "C"))]
    assert decide("expression", {"when": when, "otherwise": "D"}) == "B"


def problems(condition: str) -> list[tuple[str, tuple[str | int, ...], str | None]]:
    spec = Registry().spec("decider", "expression")
    assert spec.schema is not None
    try:
        spec.schema(spec.parse(options(condition)), facts_schema(TYPES, ["load", "next-one", "checks", "checks.count"]))
    except OptionsError as error:
        return [(each.message, each.at, each.hint) for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ("steps.laod.write_count = 0", "'steps.laod.write_count' names nothing", "did you mean 'load'?"),
        ("steps.load.writecount = 0", "'steps.load.writecount' names nothing", "did you mean 'write_count'?"),
        ("steps.checks.cuont.visit = 0", "'steps.checks.cuont.visit' names nothing", "did you mean 'count'?"),
        ("params.limt > 3", "'params.limt' names nothing", "did you mean 'limit'?"),
        ("stps.load.visit > 3", "there is no column 'stps'", "did you mean 'steps'?"),
        (
            "params.limit > 'x'",
            "'params.limit > \\'x\\'' does not fit the columns: cannot compare string with numeric type (i64)",
            None,
        ),
        ("params.limit", "'params.limit' is a int64, not a condition", "compare it with something"),
    ],
)
def test_a_wrong_condition_is_told_before_anything_runs(condition: str, message: str, hint: str | None) -> None:
    ((told, at, way_out),) = problems(condition)
    assert (told.replace('"', "'"), at, way_out) == (message.replace("\\", ""), ("when", 0, "if"), hint)


def test_a_fact_of_another_type_fails_the_decision() -> None:
    with pytest.raises(DecisionError, match=r"'job\.context\.last > 3': cannot compare string with numeric type"):
        decide("expression", options("job.context.last > 3"), facts(job={"context": {"last": "many"}}))
    with pytest.raises(DecisionError, match=r"'job\.context\.last' is 41, not a condition"):
        decide("expression", options("job.context.last"), known())


def test_it_tells_all_codes_that_it_gives() -> None:
    spec = Registry().spec("decider", "expression")
    assert spec.exit_codes is not None
    assert list(spec.exit_codes(spec.parse(options("1 = 1")))) == ["YES", "NO"]
