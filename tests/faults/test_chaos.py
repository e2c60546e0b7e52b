"""Killed and suspended at commits, over targets and repositories: no row lost, none twice, no repair by hand.

A short form by default; `make chaos` sets BATCHRUN_CHAOS=all for the long one, in which every boundary is struck.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.faults.chaos_job import JOB, chaos, make_project
from tests.support.postgres import new_schema, server_url

IS_LONG = os.environ.get("BATCHRUN_CHAOS") == "all"
KILLS = [("--kill-at", "random:4", "--seed", "20260731")]
ALL_KILLS = [("--kill-at", "every-commit"), ("--kill-at", "random:30")]
SUSPENSIONS = ("--kill-at", "random:40" if IS_LONG else "random:2", "--suspend")
SIDE_BY_SIDE = ("--jobs", "2") if IS_LONG else ()
COMPARED = {"tables": 4, "rows": 175, "files": 8, "rejects": 19}
PAIRS = [(target, repository) for target in ("sqlite", "postgresql") for repository in ("sqlite", "postgresql")]


def paths(folder: Path) -> list[Path]:
    """Returns what a folder holds, but for what Python keeps of the modules that it has imported there."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize(("target", "repository"), PAIRS, ids=lambda each: str(each))
def test_whatever_is_struck_at_a_commit_is_exact_after_restarts(
    target: str, repository: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_schema(server_url()) as schema:
        project = make_project(tmp_path, "sqlite:///target.db" if target == "sqlite" else schema)
        kept = () if repository == "sqlite" else ("--chaos-repository", server_url())
        kills = ALL_KILLS if IS_LONG else KILLS
        before = paths(tmp_path)
        for blows in [*kills, SUSPENSIONS] if IS_LONG or (target, repository) == PAIRS[2] else kills:
            code, told = chaos(project, *blows, *SIDE_BY_SIDE, *kept)
            struck = told["kills"] + told["suspensions"]
            with capsys.disabled():
                how = "suspended" if told["suspend"] else "killed"
                sys.stdout.write(f"\n{target} target, {repository} repository: {struck} times {how}\n")
            assert told["compared"] == COMPARED
            assert told["differing_rounds"] == []
            assert (code, told["equal"], told["manual_repairs"]) == (0, True, 0)
            assert struck == told["boundaries"] if "every-commit" in blows else struck > 0
        assert paths(tmp_path) == before


BROKEN = '''\
"""Writers whose store breaks a promise."""

import json

from batchrun.components.databases import SessionCheckpointStore
from batchrun.components.writers.table import TableItemWriter, TableOptions
from batchrun.spi import ComponentSpec, component


def spec(name):
    return ComponentSpec(role="writer", name=name, summary="Breaks a promise.", options=TableOptions,
                         example="database: target\\ntable: plain\\n")


class Unfenced(SessionCheckpointStore):
    """Does not ask whose token the row holds."""

    def commit(self, checkpoint):
        parameters = {"text": json.dumps(checkpoint.as_dict()), "number": checkpoint.sequence}
        self.session.execute("UPDATE batchrun_checkpoint SET checkpoint = :text, sequence = :number", parameters)
        self.session.commit()
        self.commits += 1


class Forgetful(SessionCheckpointStore):
    """Commits the items without their checkpoint."""

    def commit(self, checkpoint):
        self.session.commit()
        self.commits += 1


@component(spec("unfenced"))
class UnfencedWriter(TableItemWriter):
    def connect(self):
        super().connect()
        self._store = Unfenced(self._session)
        return self._store


@component(spec("forgetful"))
class ForgetfulWriter(TableItemWriter):
    def connect(self):
        super().connect()
        self._store = Forgetful(self._session)
        return self._store
'''


@pytest.mark.parametrize(
    ("writer", "blow"),
    [("UnfencedWriter", ["--kill-at", "24", "--suspend", "--seed", "3"]), ("ForgetfulWriter", ["--kill-at", "15"])],
    ids=["fence", "checkpoint"],
)
def test_a_writer_that_breaks_a_promise_is_found_out(writer: str, blow: list[str], tmp_path: Path) -> None:
    job = JOB[: JOB.index("  - name: skipping")].replace("{{type: table", f'{{{{type: "broken:{writer}"')
    project = make_project(tmp_path, "sqlite:///target.db", job)
    project.write("jobs.d/broken.py", BROKEN)
    code, told = chaos(project, *blow)
    assert (code, told["equal"]) == (1, False)
    assert told["rows_twice"] > 0
    assert told["differing_rounds"][0]["boundaries"]
