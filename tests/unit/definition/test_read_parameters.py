from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from batchrun.definition import LoadedJob, read_parameters
from batchrun.domain.parameters import JobParameters
from batchrun.errors import DefinitionError
from tests.unit.definition.doubles import JobFolder

CWD = Path("/here")
PROJECT = Path("/project")
HEAD = "name: j\nsteps: [{name: s, tasklet: {type: run, statement: x}}]\nparameters:\n"


def declared(job: JobFolder, *lines: str) -> LoadedJob:
    return job.load(HEAD + "".join(f"  {line}\n" for line in lines))


def read(loaded: LoadedJob, **given: str) -> JobParameters:
    return read_parameters(loaded, given, CWD, project=PROJECT)


def told(loaded: LoadedJob, **given: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read(loaded, **given)
    return [
        f"{each.line}:{each.column}: {each.message}" + (f"; {each.hint}" if each.hint else "")
        for each in caught.value.problems
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", " a ", " a "),
        ("integer", "-12", -12),
        ("float", "1e3", 1000.0),
        ("decimal", "1.50", Decimal("1.50")),
        ("boolean", "TRUE", True),
        ("boolean", "no", False),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("datetime", "2026-01-31T06:00:00+00:00", datetime(2026, 1, 31, 6, tzinfo=timezone.utc)),  # noqa: UP017
        ("duration", "30s", timedelta(seconds=30)),
        ("duration", "1h30m", timedelta(minutes=90)),
        ("duration", "250ms", timedelta(milliseconds=250)),
        ("path", "a/b.csv", "/here/a/b.csv"),
        ("path", "../b.csv", "/b.csv"),
        ("path", "/x/b.csv", "/x/b.csv"),
        ("choice, choices: [a, b]", "b", "b"),
        ("list", "a, b,c", ("a", "b", "c")),
        ("list", "", ()),
    ],
)
def test_a_given_text_becomes_a_value_of_its_type(job: JobFolder, kind: str, text: str, value: object) -> None:
    parameters = read(declared(job, f"p: {{type: {kind}}}"), p=text)
    assert parameters["p"] == value
    assert type(parameters["p"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("integer", "1_000", "expected an integer, got '1_000'"),
        ("integer", "1.0", "expected an integer, got '1.0'"),
        ("float", "nan", "expected a number, got 'nan'"),
        ("decimal", "x", "expected a decimal number, got 'x'"),
        ("boolean", "maybe", "expected true or false, got 'maybe'"),
        ("date", "31.01.2026", "expected a date as in 2026-01-31, got '31.01.2026'"),
        ("datetime", "now", "expected a date and time as in 2026-01-31T06:00:00, got 'now'"),
        ("duration", "30", "expected a duration as in 30s, 1h30m or 250ms, got '30'"),
        ("path", "", "expected a path, got ''"),
        ("path", "caf\udce9.csv", "'caf\\udce9.csv' is not valid UTF-8; give a name in UTF-8, such as a link's"),
        ("choice, choices: [alpha, beta]", "alhpa", "expected one of alpha, beta, got 'alhpa'; did you mean 'alpha'?"),
    ],
)
def test_a_text_of_the_wrong_type_is_told_at_the_declaration(
    job: JobFolder, kind: str, text: str, message: str
) -> None:
    assert told(declared(job, f"p: {{type: {kind}}}"), p=text) == [f"4:3: parameter 'p': {message}"]


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        ("integer", "100", 100),
        ("float", "1", 1.0),
        ("decimal", "1.5", Decimal("1.5")),
        ("boolean", "true", True),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("duration", "5m", timedelta(minutes=5)),
        ("list", "[a, b]", ("a", "b")),
        ("path", "data/a.csv", "/project/data/a.csv"),
        ("string", "", None),
    ],
)
def test_a_default_is_typed_and_a_path_is_relative_to_the_project(
    job: JobFolder, kind: str, default: str, value: object
) -> None:
    assert read(declared(job, f"p: {{type: {kind}, default: {default}}}"))["p"] == value


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("{type: integer, default: many}", "expected an integer, got 'many'"),
        ("{type: integer, default: true}", "expected an integer, got true"),
        ("{default: 5}", "expected a text, got 5; write it in quotes, or declare its type"),
        ("{type: list, default: [1]}", "expected texts with commas between them, got a list"),
        ("{type: choice, choices: [a], default: b}", "expected one of a, got 'b'"),
    ],
)
def test_a_bad_default_is_an_error_of_the_file(job: JobFolder, declaration: str, message: str) -> None:
    (found,) = job.told(HEAD + f"  p: {declaration}\n")
    assert found.split(": ", 1)[1] == f"default of parameter 'p': {message}"


def test_a_default_may_come_from_the_environment(job: JobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = declared(
        job, 'p: {type: integer, default: "${env.BATCHRUN_TEST_P:-7}"}', 'q: {default: "${env.NOT_SET_Q}"}'
    )
    monkeypatch.delenv("BATCHRUN_TEST_P", raising=False)
    assert read(loaded, q="x")["p"] == 7
    monkeypatch.setenv("BATCHRUN_TEST_P", "8")
    assert read(loaded, q="x")["p"] == 8
    monkeypatch.setenv("BATCHRUN_TEST_P", "eight")
    assert told(loaded) == [
        "4:3: parameter 'p': expected an integer, got 'eight'",
        "5:3: parameter 'q': the environment variable 'NOT_SET_Q' is not set; "
        "set it, or give a default: ${env.NOT_SET_Q:-…}",
    ]


def test_all_problems_come_at_once(job: JobFolder) -> None:
    loaded = declared(
        job,
        "input: {type: path, required: true, description: Trades as CSV.}",
        "day: {type: date, required: true}",
        "n: {type: integer}",
    )
    assert told(loaded, n="x", inputt="a") == [
        "None:None: unknown parameter 'inputt'; did you mean 'input'?",
        "4:3: parameter 'input' is required (Trades as CSV); give it as input=PATH",
        "5:3: parameter 'day' is required; give it as day=2026-01-31",
        "6:3: parameter 'n': expected an integer, got 'x'",
    ]


def test_a_job_without_parameters_takes_none(job: JobFolder) -> None:
    loaded = job.load(HEAD.replace("parameters:\n", ""))
    assert told(loaded, a="1") == ["None:None: unknown parameter 'a'; the job declares none"]


def test_parameters_keep_order_type_and_whether_they_identify(job: JobFolder) -> None:
    loaded = declared(job, "b: {type: integer, default: 1}", "a: {identifying: false}")
    first, second = read(loaded, a="x").all()
    assert (first.name, first.value, str(first.type), first.identifying) == ("b", 1, "integer", True)
    assert (second.name, second.value, second.identifying) == ("a", "x", False)


def test_only_given_parameters_are_read_for_a_restart(job: JobFolder) -> None:
    loaded = declared(job, "a: {required: true}", "b: {type: integer}")
    parameters = read_parameters(loaded, {"b": "2"}, CWD, project=PROJECT, only_given=True)
    assert dict(parameters) == {"b": 2}


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("{type: choice}", "parameter 'p' needs 'choices'"),
        ("{choices: [a]}", "parameter 'p' has 'choices', so its type must be choice"),
        ("{type: integr}", "'type' of parameter 'p' cannot be 'integr'; did you mean 'integer'?"),
        ("{requird: true}", "unknown option 'requird' of parameter 'p'; did you mean 'required'?"),
    ],
)
def test_a_bad_declaration_is_an_error_of_the_file(job: JobFolder, declaration: str, message: str) -> None:
    (found,) = job.told(HEAD + f"  p: {declaration}\n")
    assert found.split(": ", 1)[1] == message


def test_a_default_of_a_required_parameter_is_a_warning(job: JobFolder) -> None:
    (warning,) = declared(job, "p: {required: true, default: x}").warnings
    assert warning.message == "parameter 'p' is required, so its default is never used"
