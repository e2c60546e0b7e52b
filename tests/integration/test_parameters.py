"""Parameters through the command line, on both repositories: refusals, files, secrets and numbered runs."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batchrun.cli.program import run
from tests.support.project import SCRIPTS, environment

JOB = """\
name: settle
parameters:
  day: {type: date, required: true, max: 2026-12-31, validator: "checks:is_open"}
  desks: {type: list, items: choice, choices: [rates, fx], default: [fx]}
  password: {type: secret}
validators: ["checks:together"]
steps:
  - name: work
    tasklet: {type: shell, command: [sh, -c, "echo $0; test -e ready", "${params.password:-none}"]}
"""
CHECKS = """\
def is_open(day):
    if day.weekday() > 4:
        raise ValueError("closed")

def together(parameters):
    if len(parameters["desks"]) == 2 and parameters["password"] is None:
        return "two desks need a password"
"""
SECRET = "correct horse"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/repository.db"
    found: str = request.getfixturevalue("fresh_postgres_schema")
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "settle.yaml").write_text(JOB)
    (tmp_path / "checks.py").write_text(CHECKS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def batchrun(url: str, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Returns the exit code and all that was said."""
    code = run(["--repository", url, *arguments])
    said = capsys.readouterr()
    assert "--debug" in arguments or "Traceback" not in said.out + said.err
    return code, said.out + said.err


def test_what_is_refused_is_refused_before_anything_is_written(
    url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = batchrun(url, capsys, "launch", "settle.yaml", "day=2027-01-01", "desks=fx,rate", "dya=1")
    assert (code, said.count("error: ")) == (5, 4)
    code, said = batchrun(url, capsys, "launch", "settle.yaml", "day=2026-01-31", "desks=fx,rates")
    assert (code, "parameter 'day': closed" in said, "two desks" in said) == (5, True, False)
    code, said = batchrun(url, capsys, "launch", "settle.yaml", "day=2026-01-30", "desks=fx,rates")
    assert (code, "the parameters are refused: two desks need a password" in said) == (5, True)
    assert batchrun(url, capsys, "history", "--output", "json") == (0, "[]\n")


def test_a_secret_is_given_again_and_stands_nowhere(url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "password.env").write_text(f"password='{SECRET}'\n")
    told = [batchrun(url, capsys, "--debug", "launch", "settle.yaml", "day=2026-01-30", "--params", "password.env")]
    told.append(batchrun(url, capsys, "restart", "1"))
    (folder / "ready").touch()
    told.append(batchrun(url, capsys, "restart", "1", "--params", "password.env", "--output", "json"))
    told.append(batchrun(url, capsys, "show", "1"))
    assert [code for code, _ in told] == [1, 5, 0, 0]
    assert all("***" in said for code, said in told if code != 5)
    assert "parameter 'password' is a secret, which is not kept, so a restart needs it again" in told[1][1]
    assert not [said for _, said in told if SECRET in said]
    assert not [file for file in folder.glob("repository.db*") if SECRET.encode() in file.read_bytes()]


def test_launches_at_the_same_moment_get_numbers_of_their_own(url: str, folder: Path) -> None:
    (folder / "ready").touch()
    assert run(["--repository", url, "db", "upgrade"]) == 0
    command = [str(SCRIPTS / "batchrun"), "--repository", url, "launch", "settle.yaml", "--next", "-q"]
    days = [f"day=2026-01-0{day}" for day in (5, 6)] * 4

    def launch(day: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, day], capture_output=True, text=True, timeout=120, check=False, env=environment(os.environ)
        )

    with ThreadPoolExecutor(len(days)) as pool:
        ended = list(pool.map(launch, days))
    assert [(each.returncode, each.stderr) for each in ended] == [(0, "")] * len(days)
    assert _numbers(url) == list(range(1, len(days) + 1))


def _numbers(url: str) -> list[object]:
    from contextlib import closing

    from batchrun.repository import open_repository

    with closing(open_repository(url)) as repository:
        return sorted(each.parameters["run.id"] for each in repository.find_executions())  # type: ignore[type-var]
