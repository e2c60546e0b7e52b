"""Validators: functions beside the job that may refuse parameters."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from batchrun.definition import read_parameters
from batchrun.errors import DefinitionError
from tests.unit.definition.doubles import JobFolder

JOB = """\
name: j
steps: [{name: s, tasklet: {type: run, statement: x}}]
validators: ["checks:together"]
parameters:
  day: {type: date, validator: "checks:alone"}
  until: {type: date}
  token: {type: secret}
"""


def told(job: JobFolder, code: str, **given: str) -> list[str]:
    (job.folder / "checks.py").write_text(textwrap.dedent(code))
    with pytest.raises(DefinitionError) as caught:
        read_parameters(job.load(JOB), given, Path("/here"))
    return [
        f"{each.line}:{each.column}: {each.message}" + f"; {each.hint}" * bool(each.hint)
        for each in caught.value.problems
    ]


def checks(alone: str = "pass", together: str = "pass") -> str:
    return f"def alone(day):\n    {alone}\n\ndef together(values):\n    {together}\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError(f'{day:%A} is closed')", "parameter 'day': Saturday is closed"),
        ("return f'{day:%A} is closed'", "parameter 'day': Saturday is closed"),
        ("raise ValueError", "parameter 'day' by checks:alone"),
        ("return {}['x']", "validator 'checks:alone' failed: {folder}/checks.py:2: KeyError: 'x'"),
        ("import sys; sys.exit(3)", "validator 'checks:alone' failed: {folder}/checks.py:2: SystemExit: 3"),
        (
            "return day.weekday() < 5",
            "validator 'checks:alone' returned bool; return nothing, or a text that says what is wrong",
        ),
    ],
)
def test_a_validator_refuses_or_fails(job: JobFolder, body: str, message: str) -> None:
    assert told(job, checks(alone=body), day="2026-01-31") == [f"5:3: {message.format(folder=job.folder)}"]


def test_a_validator_gets_the_typed_value_and_is_not_asked_of_none(job: JobFolder) -> None:
    (job.folder / "checks.py").write_text(checks("assert day.year == 2026", "assert values['until'] is None"))
    loaded = job.load(JOB)
    read_parameters(loaded, {"day": "2026-01-30"}, Path("/here"))
    read_parameters(loaded, {}, Path("/here"))


def test_a_validator_of_the_job_gets_all_values_and_can_change_none(job: JobFolder) -> None:
    order = "return 'until is before day' if values['until'] < values['day'] else None"
    assert told(job, checks(together=order), day="2026-01-30", until="2026-01-29") == [
        "3:14: the parameters are refused: until is before day"
    ]
    (refused,) = told(job, checks(together="values['day'] = 1"))
    assert "TypeError: 'mappingproxy' object does not support item assignment" in refused


def test_validators_come_after_types_and_constraints_and_those_of_the_job_last(job: JobFolder) -> None:
    both = checks("raise ValueError('closed')", "raise ValueError('never said')")
    assert told(job, both, day="2026-01-30", until="x") == [
        "5:3: parameter 'day': closed",
        "6:3: parameter 'until': expected a date as in 2026-01-31, got 'x'",
    ]
    assert len(told(job, both, day="x")) == 1


def test_what_a_validator_says_of_a_secret_is_masked(job: JobFolder) -> None:
    said = checks(together="raise ValueError(values['token'] + ' is known')")
    assert told(job, said, token="hunter2") == ["3:14: the parameters are refused: *** is known"]
