"""Declared parameters: which options go together, and what a declaration cannot be."""

from __future__ import annotations

import pytest

from tests.unit.definition.doubles import JobFolder

HEAD = "name: j\nsteps: [{name: s, tasklet: {type: run, statement: x}}]\nparameters:\n"
ORDERED = "integer, float, decimal, date, datetime or duration"


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("{type: choice}", "parameter 'p' needs 'choices'"),
        ("{type: list, items: choice}", "parameter 'p' needs 'choices'"),
        ("{choices: [a]}", "parameter 'p' has 'choices', so its type must be choice"),
        ("{type: integr}", "'type' of parameter 'p' cannot be 'integr'; did you mean 'integer'?"),
        ("{requird: true}", "unknown option 'requird' of parameter 'p'; did you mean 'required'?"),
        ("{items: integer}", "parameter 'p' has 'items', so its type must be list"),
        ("{min: 1}", f"parameter 'p' has 'min', so its type must be {ORDERED}; its length is min_length"),
        ("{type: boolean, max: 1}", f"parameter 'p' has 'max', so its type must be {ORDERED}"),
        (
            "{type: integer, max_length: 1}",
            "parameter 'p' has 'max_length', so its type must be string, secret or list; its value is max",
        ),
        ("{type: date, pattern: x}", "parameter 'p' has 'pattern', so its type must be string or secret"),
        ("{must_exist: file}", "parameter 'p' has 'must_exist', so its type must be path"),
        (
            "{type: path, must_exist: true}",
            "'must_exist' of parameter 'p' cannot be true; one of any, file, folder",
        ),
        ("{type: integer, min: many}", "min of parameter 'p': expected an integer, got 'many'"),
        ("{type: date, max: 5}", "max of parameter 'p': expected a date as in 2026-01-31, got 5"),
        ("{type: list, items: date, min: x}", "min of parameter 'p': expected a date as in 2026-01-31, got 'x'"),
        ("{type: integer, min: 2, max: 1}", "'min' of parameter 'p' is greater than 'max', so that no value fits"),
        (
            "{min_length: 2, max_length: 1}",
            "'min_length' of parameter 'p' is greater than 'max_length', so that no value fits",
        ),
        (
            "{type: datetime, min: 2026-01-01T00:00:00Z, max: 2026-01-02T00:00:00}",
            "'min' and 'max' of parameter 'p': one has a time zone, the other has none",
        ),
        ("{min_length: -1}", "'min_length' of parameter 'p' must be at least 0, got -1"),
        ("{pattern: '['}", "pattern of parameter 'p': unterminated character set at position 0"),
        ("{type: integer, min: 1, default: 0}", "default of parameter 'p' must be at least 1, got 0"),
        (
            "{type: list, items: integer, max: 2, default: [1, 3]}",
            "default of parameter 'p' must be at most 2, got 3",
        ),
        ("{pattern: a, default: b}", "default of parameter 'p' must match a, got 'b'"),
        (
            "{type: list, items: secret}",
            "'items' of parameter 'p' cannot be 'secret'; one of boolean, choice, date, datetime, decimal, duration, "
            "float, integer, path, string",
        ),
        (
            "{default: '${secrets.X}'}",
            "${secrets.X} stands only in the default of a parameter of type secret; type: secret",
        ),
        (
            "{type: secret, identifying: true}",
            "parameter 'p' is a secret, which cannot identify a job instance; "
            "a secret is never stored; leave 'identifying' out",
        ),
        (
            "{type: secret, default: hunter2}",
            "default of parameter 'p': a secret does not stand in a job file; "
            "refer to it: ${secrets.NAME} or ${env.NAME}",
        ),
        (
            "{type: secret, default: '${env.P:-hunter2}'}",
            "default of parameter 'p': a secret does not stand in a job file; "
            "refer to it: ${secrets.NAME} or ${env.NAME}",
        ),
        (
            "{type: secret, default: '${env.P'}",
            "'${env.P' is not closed; end it with }, or write $${ for the two signs",
        ),
        ("{validator: nope:check}", "there is no nope.py beside the job file, and no installed module 'nope'"),
        ("{validator: builtins:pow}", "'builtins:pow' cannot be called with one value; def check(value): …"),
    ],
)
def test_a_bad_declaration_is_an_error_of_the_file(job: JobFolder, declaration: str, message: str) -> None:
    (found,) = job.told(HEAD + f"  p: {declaration}\n")
    assert found.split(": ", 1)[1] == message


@pytest.mark.parametrize(
    "declaration",
    [
        "{type: integer, min: 1, max: 1, default: 1}",
        "{type: list, items: integer, min: 1, max_length: 2, default: [1, 2]}",
        "{type: list, items: choice, choices: [a], default: a}",
        "{type: list, items: path, must_exist: folder, default: [nowhere]}",
        "{type: duration, min: 1s, default: 2m}",
        "{type: secret, default: '${secrets.X:-}', min_length: 5.0}",
        "{type: secret, default: '${env.X}', identifying: false}",
        "{min_length: 5, default: '${env.X}'}",
        "{validator: builtins:bool}",
        "{choices: []}",
    ],
)
def test_a_good_declaration_passes(job: JobFolder, declaration: str) -> None:
    assert job.load(HEAD + f"  p: {declaration}\n").warnings == ()


def test_the_wrong_value_is_pointed_at(job: JobFolder) -> None:
    (found,) = job.told(HEAD + "  p:\n    type: integer\n    min: 1\n    default: 0\n")
    assert found == "7:14: default of parameter 'p' must be at least 1, got 0"


def test_all_that_is_wrong_in_declarations_comes_at_once(job: JobFolder) -> None:
    told = job.told(HEAD + "  a: {min: 1, must_exist: file}\n  b: {type: choice}\n  c: {type: date, default: x}\n")
    assert [each.split(": ")[0] for each in told] == ["4:12", "4:27", "5:6", "6:28"]


def test_a_default_of_a_required_parameter_is_a_warning(job: JobFolder) -> None:
    (warning,) = job.load(HEAD + "  p: {required: true, default: x}\n").warnings
    assert warning.message == "parameter 'p' is required, so its default is never used"


def test_validators_of_the_job_are_loaded_and_must_take_one_value(job: JobFolder) -> None:
    (job.folder / "checks.py").write_text("def two(a, b): pass\ndef one(parameters): pass\n")
    head = HEAD.replace("parameters:\n", "validators:\n")
    job.load(head + "  - checks:one\n")
    assert job.told(head + "  - checks:one\n  - checks:on\n  - checks:two\n  - 5\n") == [
        f"5:5: {job.folder}/checks.py has no 'on'; did you mean 'one'?",
        "6:5: 'checks:two' cannot be called with one value; def check(value): …",
        "7:5: expected 'validators[3]' of the job to be a text, got 5; write it in quotes",
    ]


def test_a_reference_to_the_number_of_a_run_needs_its_declaration(job: JobFolder) -> None:
    head = 'name: j\nsteps: [{name: s, tasklet: {type: run, statement: x, command: "${params.run.id}"}}]\n'
    (found,) = job.told(head)
    assert found.endswith("unknown parameter 'run.id'; declare it under parameters: run.id: {type: integer}")
    job.load(head + "parameters:\n  run.id: {type: integer}\n")
