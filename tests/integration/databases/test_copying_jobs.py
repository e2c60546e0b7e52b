"""Jobs that pass rows from one PostgreSQL table to another: their rejects, and their restarts."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

from tests.faults import places
from tests.integration.databases.conftest import World
from tests.integration.databases.passing import AS_BINARY, EVERYTHING, kept, make_tables
from tests.support.project import Project

JOB = """\
name: copy
databases: {target: "${env.TARGET}"}
listeners: [{type: python, module: places}]
steps:
  - name: load
    chunk: 100
    reader: {type: query, database: target, query: "SELECT * FROM source", key: [id], page_size: 300}
    writer: {type: table, database: target, table: target}
    skip: {errors: [CheckViolation]}
"""


@pytest.fixture(params=["*", AS_BINARY.removeprefix("SELECT ").removesuffix(" FROM source")], ids=["text", "binary"])
def copying(postgres: World, request: pytest.FixtureRequest) -> tuple[Project, World]:
    tables = make_tables(postgres)
    project = Project.make(tables.folder / "project")
    project.write("jobs.d/copy.yaml", JOB.replace("*", request.param))
    shutil.copy(str(places.__file__), project.folder / "jobs.d" / "places.py")
    tables.sql("INSERT INTO source (id, s) SELECT i, E'two\\nlines\\t' || i FROM generate_series(1, 1000) i")
    return project, tables


def test_rows_that_the_target_refuses_are_rejects_as_they_were_read(copying: tuple[Project, World]) -> None:
    project, world = copying
    world.sql("ALTER TABLE target ADD CHECK (id NOT IN (7, 250, 251))")
    ended = project.execution("launch", "copy", TARGET=world.database.url)
    assert ended["exit_code"] == "COMPLETED WITH SKIPS"
    assert len(kept(world)) == 997
    rejects = json.loads(project.batchrun("rejects", "1", "--output", "json").out)
    assert [(each["item"]["id"], each["item"]["s"]) for each in rejects] == [
        (number, f"two\nlines\t{number}") for number in (7, 250, 251)
    ]
    assert rejects[0]["origin"].endswith("id (7)")


def test_a_value_that_no_frame_holds_is_not_in_the_way_of_another_rows_reject(copying: tuple[Project, World]) -> None:
    project, world = copying
    world.sql("UPDATE source SET d = 'infinity', any_n = 'NaN' WHERE id = 5")
    world.sql("UPDATE source SET any_n = 0.5 WHERE id = 7")
    world.sql("UPDATE source SET any_n = 0.555 WHERE id = 250")
    world.sql("ALTER TABLE target ADD CHECK (id NOT IN (7, 250))")
    assert project.execution("launch", "copy", TARGET=world.database.url)["exit_code"] == "COMPLETED WITH SKIPS"
    assert len(kept(world)) == 998
    rejects = json.loads(project.batchrun("rejects", "1", "--output", "json").out)
    assert [(each["item"]["id"], float(each["item"]["any_n"])) for each in rejects] == [(7, 0.5), (250, 0.555)]


@pytest.mark.parametrize("place", ["load 1 before_chunk 3", "load 1 after_chunk 4"])
def test_a_killed_copy_goes_on_behind_its_last_commit(copying: tuple[Project, World], place: str) -> None:
    project, world = copying
    die = project.write("die", place)
    project.batchrun("launch", "copy", expect=-signal.SIGKILL, TARGET=world.database.url)
    assert 0 < len(kept(world)) < 1000
    die.unlink()
    assert project.execution("launch", "copy", TARGET=world.database.url)["status"] == "COMPLETED"
    assert kept(world) == world.sql(EVERYTHING)
