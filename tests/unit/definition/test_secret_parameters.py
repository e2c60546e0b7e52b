"""Parameters of type secret: resolved, hidden, and asked for again by a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.binding import Secrets
from batchrun.definition import LoadedJob, read_parameters
from batchrun.definition.given import GivenValue
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
from batchrun.errors import DefinitionError
from tests.unit.definition.doubles import JobFolder

HEAD = "name: j\nsteps: [{name: s, tasklet: {type: run, statement: x}}]\nparameters:\n"
CWD = Path("/here")
FORGOTTEN = "parameter 'p' is a secret, which is not kept, so a restart needs it again"


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(Path("/nowhere"), {"PW": "from-secrets"})


def declared(job: JobFolder, declaration: str) -> LoadedJob:
    return job.load(HEAD + f"  p: {declaration}\n")


def told(loaded: LoadedJob, secrets: Secrets, given: dict[str, object], previous: JobParameters | None) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read_parameters(loaded, given, CWD, secrets=secrets, previous=previous)
    return [each.message + f"; {each.hint}" * bool(each.hint) for each in caught.value.problems]


def before(value: str | None = "***") -> JobParameters:
    return JobParameters([JobParameter("p", value, ParameterType.SECRET, identifying=False)])


@pytest.mark.parametrize(
    ("declaration", "given", "value"),
    [
        ("{type: secret}", {"p": "hunter2"}, "hunter2"),
        ("{type: secret, default: '${secrets.PW}'}", {}, "from-secrets"),
        ("{type: secret, default: 'x${env.BATCHRUN_TEST_P}'}", {}, "xfrom-env"),
        ("{type: secret, default: '${secrets.PW}'}", {"p": "wins"}, "wins"),
        ("{type: secret}", {"p": GivenValue("from-file", CWD, "p.yaml", 1, 1)}, "from-file"),
    ],
)
def test_a_secret_never_identifies_and_is_hidden_once_it_is_read(
    job: JobFolder,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
    declaration: str,
    given: dict[str, object],
    value: str,
) -> None:
    monkeypatch.setenv("BATCHRUN_TEST_P", "from-env")
    parameters = read_parameters(declared(job, declaration), given, CWD, secrets=secrets)
    assert parameters["p"] == value
    assert not parameters.has_identifying
    assert parameters.masked().all() == (JobParameter("p", "***", ParameterType.SECRET, identifying=False),)
    assert secrets.mask(f"got {value}!") == "got ***!"


def test_a_secret_of_the_wrong_type_is_not_shown(job: JobFolder, secrets: Secrets) -> None:
    given = {"p": GivenValue(12345, CWD, "p.yaml", 1, 4)}
    assert told(declared(job, "{type: secret}"), secrets, given, None) == [
        "parameter 'p': expected a text, got ***; write it in quotes"
    ]


def test_a_restart_resolves_a_default_again(job: JobFolder, secrets: Secrets) -> None:
    loaded = declared(job, "{type: secret, default: '${secrets.PW}'}")
    assert dict(read_parameters(loaded, {}, CWD, secrets=secrets, previous=before())) == {"p": "from-secrets"}
    (missing,) = told(loaded, Secrets(Path("/nowhere"), {}), {}, before())
    assert missing.startswith(f"{FORGOTTEN}: the secret 'PW' is not known; set the environment variable PW")


@pytest.mark.parametrize("declaration", ["{type: secret}", "{type: secret, required: true}"])
def test_a_restart_needs_a_given_secret_again(job: JobFolder, secrets: Secrets, declaration: str) -> None:
    loaded = declared(job, declaration)
    assert told(loaded, secrets, {}, before()) == [f"{FORGOTTEN}; give it as p=VALUE"]
    assert read_parameters(loaded, {"p": "again"}, CWD, previous=before())["p"] == "again"


def test_a_restart_needs_no_secret_that_there_was_not(job: JobFolder) -> None:
    assert dict(read_parameters(declared(job, "{type: secret}"), {}, CWD, previous=before(None))) == {"p": None}


def test_a_parameter_that_has_become_a_secret_is_asked_for_too(job: JobFolder, secrets: Secrets) -> None:
    plain = JobParameters([JobParameter("p", "stored", identifying=False)])
    assert told(declared(job, "{type: secret}"), secrets, {}, plain) == [f"{FORGOTTEN}; give it as p=VALUE"]


def test_a_secret_that_is_declared_no_more_is_gone(job: JobFolder) -> None:
    assert dict(read_parameters(job.load(HEAD + "  q: {}\n"), {}, CWD, previous=before())) == {}
