"""A project folder of its own for a test, and the installed command run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "data" / "flights_sample.csv"
SAMPLE_ROWS = 300
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that say an error."""
        return [line for line in self.err.splitlines() if line.startswith("error:") or ": error:" in line]

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A folder with `batchrun.toml`, job files and data."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Project:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "batchrun.toml").touch()
        return cls(folder)

    @classmethod
    def like_ours(cls, folder: Path) -> Project:
        """Makes a project with this one's jobs, and a sample for the flights table."""
        project = cls.make(folder)
        for name in ("jobs.d", "schemas"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "data").mkdir()
        shutil.copy(SAMPLE, folder / "data" / "flights.csv")
        return project

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, command: str | list[str], **variables: str) -> Ended:
        """Runs a command, or a shell line, in the folder, with the installed scripts first in PATH."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            shell=isinstance(command, str),
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def batchrun(self, *arguments: str, expect: int = 0, **variables: str) -> Ended:
        """Runs batchrun, which must end with the expected exit code."""
        ended = self.run([str(SCRIPTS / "batchrun"), *arguments], **variables)
        assert ended.code == expect, f"batchrun {arguments} ended with {ended.code}\n{ended.out}\n{ended.err}"
        return ended

    def execution(self, *arguments: str, expect: int = 0, **variables: str) -> dict[str, Any]:
        """Runs a command that tells of one execution, and returns what it tells."""
        told: dict[str, Any] = self.batchrun(*arguments, "--output", "json", expect=expect, **variables).document
        return told

    def history(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.batchrun("history", "--output", "json").document
        return told


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment without what would lead batchrun elsewhere."""
    elsewhere = ("BATCHRUN_", "GITHUB_", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(elsewhere) and name != "CI"}
    return {**kept, "PATH": f"{SCRIPTS}:{kept['PATH']}", "NO_COLOR": "1", "COLUMNS": "120", **variables}


def step(execution: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns a step of an execution."""
    found: dict[str, Any] = next(each for each in execution["steps"] if each["name"] == name)
    return found
