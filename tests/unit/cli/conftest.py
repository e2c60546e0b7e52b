"""Fixtures of the command line's tests: a run of the program in this process, on an application in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from batchrun.cli.program import run
from tests.unit.cli.doubles import ApplicationDouble


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CI")
    for name in (*terminal, "BATCHRUN_REPOSITORY", "GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def application() -> ApplicationDouble:
    return ApplicationDouble()


@pytest.fixture
def batchrun(application: ApplicationDouble, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs the program with arguments; nothing is a terminal."""

    def invoke(*arguments: str) -> Result:
        code = run(arguments, application)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return invoke
