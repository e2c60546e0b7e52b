"""Parquet files as a user meets them: items that do not fit, their replay, and inputs that change before a restart."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import polars as pl
import pytest

from tests.support.project import Project

JOB = """\
name: pack
steps:
  - name: pack
    chunk: 10
    reader: {type: parquet, path: in.parquet}
    processors: [{type: python, call: "checks:checked"}]
    skip: {errors: [WriteError, ProcessError], limit: 5}
    rejects: {type: json_lines, path: "rejects-${execution.instance_id}.jsonl"}
    writer: {type: parquet, path: "out-${execution.instance_id}.parquet"}
"""
CHECKS = """\
import os
import signal


def checked(item):
    if item["n"] == 47:
        return {**item, "value": %(value)s}
    if item["n"] == 63 and %(dies)s:
        os.kill(os.getpid(), signal.SIGKILL)
    return {**item, "value": item["n"]}
"""
ROWS = 100


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path)
    project.write("pack.yaml", JOB)
    pl.DataFrame({"n": range(ROWS)}).write_parquet(tmp_path / "in.parquet", row_group_size=30)
    return project


def let_it(project: Project, *, value: object, dies: bool = False) -> None:
    project.write("checks.py", CHECKS % {"value": repr(value), "dies": dies})


def written(project: Project) -> list[int]:
    return pl.concat(pl.read_parquet(path) for path in sorted(project.folder.glob("out-*.parquet")))["n"].to_list()


def test_an_item_that_does_not_fit_is_set_aside_and_replayed(project: Project) -> None:
    let_it(project, value="no number")
    project.batchrun("launch", "pack.yaml")
    assert written(project) == [n for n in range(ROWS) if n != 47]
    (reject,) = project.batchrun("rejects", "1", "--output", "json").document
    assert (reject["error"], reject["origin"]) == ("WriteError", "in.parquet:row 48")
    assert reject["message"].endswith(
        "column 'value' is String, but was Int64 before: the processor cast gives it a type"
    )
    let_it(project, value=47)
    project.batchrun("replay", "1")
    assert sorted(written(project)) == list(range(ROWS))


def test_a_restart_goes_on_only_in_the_same_file(project: Project) -> None:
    let_it(project, value=47, dies=True)
    project.batchrun("launch", "pack.yaml", expect=-signal.SIGKILL)
    let_it(project, value=47)
    kept = (project.folder / "in.parquet").read_bytes()
    pl.DataFrame({"n": range(1, ROWS + 1)}).write_parquet(project.folder / "in.parquet", row_group_size=30)
    told = "in.parquet has changed: it is another file than the step was reading"
    assert told in project.batchrun("restart", "1", "--plan").out
    assert told in project.batchrun("restart", "1", expect=1).err
    (project.folder / "in.parquet").write_bytes(kept)
    found = re.search(r"at in\.parquet:row (\d+)1;", project.batchrun("restart", "2", "--plan").out)
    assert found is not None
    assert 0 < int(found[1]) <= 6, "not at the beginning, and not behind the item that it died at"
    project.batchrun("restart", "2")
    assert written(project) == list(range(ROWS))
