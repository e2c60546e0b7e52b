from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from batchrun.definition import LoadedJob, read_parameters
from batchrun.definition.given import GivenValue
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
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
        ("list", '["a,b", "c"]', ("a,b", "c")),
        ("list, items: integer", "1, 2", (1, 2)),
        ("list, items: decimal", "[1, 2.50]", (Decimal(1), Decimal("2.5"))),
        ("list, items: date", "2026-01-31", (date(2026, 1, 31),)),
        ("list, items: path", "a,/b", ("/here/a", "/b")),
        ("list, items: choice, choices: [a, b]", "b,a", ("b", "a")),
        ("secret", " a ", " a "),
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
        ("float", "1_0", "expected a number, got '1_0'"),
        ("list, items: integer", "1,x", "expected an integer, got 'x'"),
        ("list, items: integer", "1,", "expected an integer, got ''"),
        ("list", "[a", '\'[a\' is no JSON array; a list is a,b or ["a", "b"]'),
        ("list", "[" * 5000, f'\'{"[" * 56}…\' is no JSON array; a list is a,b or ["a", "b"]'),
        ("list, items: choice, choices: [rates]", "rate", "expected one of rates, got 'rate'; did you mean 'rates'?"),
        ("integer, min: 1", "0", "must be at least 1, got 0"),
        ("string, max_length: 1", "ab", "must have at most 1 character, got 'ab'"),
        ("secret, min_length: 9", "hunter2", "must have at least 9 characters, got ***"),
        ("secret", "a\0b", "*** holds the character U+0000; no database and no command takes it"),
        ("string", "a\0b", "'a\\x00b' holds the character U+0000; no database and no command takes it"),
        ("secret", "caf\udce9", "*** is not valid UTF-8; give a name in UTF-8, such as a link's"),
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
    colon = "" if message.startswith("must") else ":"
    assert told(declared(job, f"p: {{type: {kind}}}"), p=text) == [f"4:3: parameter 'p'{colon} {message}"]


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
        ("{type: list, default: [1]}", "expected a text, got 1; write it in quotes, or declare its type"),
        ("{type: list, items: integer, default: [1, x]}", "expected an integer, got 'x'"),
        (
            "{type: decimal, default: 0.1234567890123456}",
            "a number of more than 15 digits is not kept exactly; write it in quotes",
        ),
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


def test_values_of_pythons_own_types_are_taken_as_they_are(job: JobFolder) -> None:
    loaded = declared(
        job,
        "day: {type: date}",
        "at: {type: datetime}",
        "price: {type: decimal}",
        "wait: {type: duration}",
        "file: {type: path}",
        "ids: {type: list, items: integer}",
        "one: {type: list, items: integer}",
        "none: {type: integer, default: 7}",
    )
    given = {
        "day": date(2026, 1, 31),
        "at": datetime(2026, 1, 31, 6),
        "price": Decimal("1.50"),
        "wait": timedelta(seconds=-1),
        "file": Path("a.csv"),
        "ids": (1, 2),
        "one": 3,
        "none": None,
    }
    parameters = read_parameters(loaded, given, CWD)
    assert dict(parameters) == {**given, "file": "/here/a.csv", "one": (3,), "none": 7}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", datetime(2026, 1, 31)),
        ("integer", 1.0),
        ("integer", True),
        ("boolean", 1),
        ("float", float("inf")),
        ("decimal", Decimal("NaN")),
        ("string", ["a"]),
        ("list", {"a": 1}),
        ("list", [None]),
    ],
)
def test_a_value_of_another_type_is_refused(job: JobFolder, kind: str, value: object) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_parameters(declared(job, f"p: {{type: {kind}}}"), {"p": value}, CWD)
    assert "expected" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("file", "here", None),
        ("any", "folder", None),
        ("folder", "folder", None),
        ("file", "nowhere", "there is no file {0}/nowhere"),
        ("any", "nowhere", "there is no file or folder {0}/nowhere"),
        ("file", "folder", "{0}/folder is a folder, not a file"),
        ("folder", "here", "{0}/here is a file, not a folder"),
        ("file", "x" * 5000, "there is no file {0}/" + "x" * 5000),
    ],
)
def test_a_path_must_lead_to_what_the_file_says(
    job: JobFolder, tmp_path: Path, kind: str, given: str, message: str | None
) -> None:
    (tmp_path / "here").touch()
    (tmp_path / "folder").mkdir()
    for declaration in (
        f"p: {{type: path, must_exist: {kind}}}",
        f"p: {{type: list, items: path, must_exist: {kind}}}",
    ):
        loaded = declared(job, declaration)
        if message is None:
            read_parameters(loaded, {"p": given}, tmp_path)
            continue
        with pytest.raises(DefinitionError) as caught:
            read_parameters(loaded, {"p": given}, tmp_path)
        assert [each.message for each in caught.value.problems] == [f"parameter 'p': {message.format(tmp_path)}"]


def test_a_value_of_a_parameter_file_is_told_there_and_its_path_is_relative_to_it(job: JobFolder) -> None:
    loaded = declared(job, "file: {type: path}", "n: {type: integer}")
    placed = GivenValue("a.csv", Path("/files"), "p.yaml", 3, 7)
    assert read_parameters(loaded, {"file": placed}, CWD)["file"] == "/files/a.csv"
    with pytest.raises(DefinitionError) as caught:
        read_parameters(loaded, {"n": placed, "nn": placed}, CWD)
    assert [str(each) for each in caught.value.problems] == [
        "p.yaml:3:7: unknown parameter 'nn' (did you mean 'n'?)",
        "p.yaml:3:7: parameter 'n': expected an integer, got 'a.csv'",
    ]


def test_references_in_the_items_of_a_default_are_resolved(job: JobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCHRUN_TEST_P", "8")
    loaded = declared(job, 'ids: {type: list, items: integer, default: ["${env.BATCHRUN_TEST_P}", 9]}')
    assert read(loaded)["ids"] == (8, 9)


class TestRestart:
    PREVIOUS = JobParameters(
        [
            JobParameter("gone", "g"),
            JobParameter("day", date(2026, 1, 31), ParameterType.DATE),
            JobParameter("limit", 0, ParameterType.INTEGER, identifying=False),
        ]
    )

    def read(self, loaded: LoadedJob, **given: object) -> dict[str, object]:
        return dict(read_parameters(loaded, given, CWD, previous=self.PREVIOUS))

    def test_it_keeps_what_is_not_given_anew_without_asking_whether_it_is_still_right(self, job: JobFolder) -> None:
        loaded = declared(
            job, "day: {type: date, max: 2026-01-01}", "limit: {type: integer, min: 1, identifying: false}"
        )
        assert self.read(loaded) == {"gone": "g", "day": date(2026, 1, 31), "limit": 0}
        assert self.read(loaded, limit="5")["limit"] == 5
        with pytest.raises(DefinitionError, match="must be at least 1, got -5"):
            self.read(loaded, limit="-5")

    def test_what_the_file_has_got_since_has_its_default(self, job: JobFolder) -> None:
        loaded = declared(job, "day: {type: date}", "mode: {default: full, identifying: false}", "new: {default: x}")
        assert self.read(loaded) == {**dict(self.PREVIOUS), "mode": "full"}, (
            "a new identifying one would be another instance"
        )


def test_the_next_run_needs_no_run_id_and_gets_a_provisional_one(job: JobFolder) -> None:
    for lines in (["day: {type: date}"], ["day: {type: date}", "run.id: {type: integer, required: true}"]):
        parameters = read_parameters(declared(job, *lines), {"day": "2026-01-31"}, CWD, numbers_runs=True)
        assert parameters.all() == (
            JobParameter("day", date(2026, 1, 31), ParameterType.DATE),
            JobParameter("run.id", 1, ParameterType.INTEGER),
        )


@pytest.mark.parametrize("declaration", ["{}", "{type: integer, identifying: false}"])
def test_a_run_id_that_does_not_number_is_refused(job: JobFolder, declaration: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_parameters(declared(job, f"run.id: {declaration}"), {}, CWD, numbers_runs=True)
    assert caught.value.problems[0].hint == "declare it as run.id: {type: integer}"
