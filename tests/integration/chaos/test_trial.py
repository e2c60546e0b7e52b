"""Trials of jobs on copies: what is refused, what is copied, and what is told of a difference."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchrun.app import Application
from batchrun.chaos import Ignored, Kind, Schedule, Settings, Trial, TrialReport, subject_of
from batchrun.chaos.boundaries import Boundaries
from batchrun.chaos.watching import watched_writer
from batchrun.components.databases.postgres_copy import COPY_TEXT
from batchrun.components.databases.postgres_items import PostgresItems
from batchrun.components.databases.postgres_receiving import Received
from batchrun.errors import BatchrunError
from batchrun.spi.item import PartPreparer
from batchrun.spi.text import ItemText
from batchrun.testing.faults import FailingItemWriter, Faults
from batchrun.testing.memory import MemoryItemWriter, MemoryTarget
from tests.support.commands import wait_until
from tests.support.places import mounted
from tests.support.project import SCRIPTS, Project, environment

Try = Callable[..., TrialReport]

ROWS = """\
name: rows
parameters: {{token: {{type: secret}}}}
databases: {{target: "{database}"}}
steps:
  - name: load
    chunk: 2
    reader: {{type: csv, path: in.csv, columns: {{id: integer}}}}
    processors: [{processor}]
    writer: {writer}
"""
TABLE = "{type: table, database: target, table: rows, create: true}"
MARKS = """\
import os, time

def stamped(item):
    return {**item, "at": time.time_ns()}

def placed(item):
    return {**item, "at": os.getcwd()}

def book():
    with open("ledger.txt", "a") as ledger:
        ledger.write("booked ")
"""
BOOKING = 'name: booking\nsteps:\n  - {{name: book, tasklet: {{type: python, call: "marks:book"}}}}\n'
BEFORE_ITS_PROGRESS = "9"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    made = Project.make(tmp_path / "project")
    made.write("in.csv", "id\n1\n2\n3\n4\n5\n")
    made.write("marks.py", MARKS)
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def attempt(project: Project) -> Try:
    """Puts a job to a trial that kills it at the given boundaries."""

    def attempt(
        *,
        database: str = "sqlite:///target.db",
        processor: str = "",
        writer: str = TABLE,
        job: str = ROWS,
        at: str = "14",
        ignore: tuple[str, ...] = (),
        keeps: bool = False,
        **given: object,
    ) -> TrialReport:
        project.write("job.yaml", job.format(database=database, processor=processor, writer=writer))
        with Application.open() as application:
            subject = subject_of(application.load_job("job.yaml"), application.project, given, with_effects=False)
        return Trial(subject, Settings(Schedule.read(at, 1), ignored=Ignored(ignore), keeps=keeps)).run()

    return attempt


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_database_outside_of_the_project_is_copied(attempt: Try, tmp_path: Path) -> None:
    outside = tmp_path / "outside.db"
    with closing(sqlite3.connect(outside)) as connection:
        connection.executescript("CREATE TABLE rows (id INTEGER); INSERT INTO rows VALUES (100)")
    before = outside.read_bytes()
    report = attempt(database=f"sqlite:///{outside}")
    assert report.is_equal
    assert report.total("kills") == 1
    assert outside.read_bytes() == before


def test_a_database_in_the_project_is_copied_where_its_url_is_absolute(attempt: Try, project: Project) -> None:
    assert attempt(database=f"sqlite:///{project.folder}/target.db").is_equal
    assert "target.db" not in names(project.folder)


def test_copies_are_gone_afterwards(attempt: Try, tmp_path: Path) -> None:
    attempt()
    assert names(tmp_path / "copies") == []


def test_copies_that_lie_in_the_project_are_not_copied(
    attempt: Try, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    within = project.folder / "tmp"
    (within / "batchrun-copies-of-another").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(within))
    assert attempt().is_equal
    assert names(within) == ["batchrun-copies-of-another"]


def test_no_room_for_the_copies_is_told_and_leaves_nothing(
    attempt: Try, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("large.bin", "x" * (1 << 20))
    with mounted(tmp_path / "disk", 128 << 10) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.path))
        with pytest.raises(BatchrunError, match=r"the copies cannot be made: .*large\.bin.*No space left") as error:
            attempt()
        assert names(disk.path) == []
    assert error.value.hint is not None
    assert error.value.hint.startswith("TMPDIR names the folder")


def test_a_writer_to_a_place_outside_is_refused_and_touches_nothing(attempt: Try, tmp_path: Path) -> None:
    outside = tmp_path / "kept.csv"
    outside.write_text("kept")
    with pytest.raises(BatchrunError, match=r"the writer of step 'load' would work on .*kept\.csv, outside"):
        attempt(writer=f"{{type: csv, path: {outside}}}")
    assert names(tmp_path) == ["copies", "kept.csv", "project"]
    assert outside.read_text() == "kept"


def test_a_database_that_cannot_be_copied_is_refused(attempt: Try) -> None:
    with pytest.raises(BatchrunError, match=r"database 'target' is none that it can copy \(mysql\)"):
        attempt(database="mysql://host/target")


def test_sql_that_names_a_schema_past_the_copy_is_refused(attempt: Try, fresh_postgres_schema: str) -> None:
    writer = "{type: table, database: target, table: public.rows, create: true}"
    with pytest.raises(BatchrunError, match=r"'public\.rows' names schema 'public' of the original"):
        attempt(database=fresh_postgres_schema, writer=writer)


@pytest.mark.parametrize("tasklet", ["{{type: shell, command: [ls]}}", "{{type: http, url: 'http://127.0.0.1:1/'}}"])
def test_a_step_that_acts_outside_is_refused_before_anything_runs(attempt: Try, tasklet: str) -> None:
    job = f"name: acting\nsteps:\n  - name: act\n    tasklet: {tasklet}\n"
    with pytest.raises(BatchrunError, match="acts outside of its copies: step 'act' of acting") as error:
        attempt(job=job)
    assert error.value.hint == "--with-effects runs it all the same, each time anew"


def test_a_database_in_which_nothing_is_found_is_no_equal_one(attempt: Try) -> None:
    other = ROWS.replace("databases: {{", "databases: {{other: 'sqlite:///other.db', ")
    with pytest.raises(BatchrunError, match="nothing can be compared in database 'other'"):
        attempt(job=other)
    assert attempt(job=other, ignore=("other",)).is_equal


def test_the_writer_is_asked_for_parts_as_in_a_run_that_is_not_watched(tmp_path: Path) -> None:
    boundaries = Boundaries(None, tmp_path / "note")
    writer = MemoryItemWriter(MemoryTarget())
    assert not isinstance(watched_writer(writer, boundaries, "load"), PartPreparer)
    assert isinstance(watched_writer(FailingItemWriter(writer, Faults("id", [1])), boundaries, "load"), PartPreparer)


def _never(*arguments: Any) -> Any:
    raise AssertionError("rows were parsed")


class TextTakingWriter(MemoryItemWriter):
    def takes_text(self, text: ItemText) -> bool:
        return len(text) == 1


def test_text_is_passed_on_as_in_a_run_that_is_not_watched(tmp_path: Path) -> None:
    boundaries = Boundaries(None, tmp_path / "note")
    one, two = (PostgresItems("db", COPY_TEXT, Received(b"", [0] * (count + 1)), {}, _never) for count in (1, 2))
    plain = watched_writer(MemoryItemWriter(MemoryTarget()), boundaries, "load")
    taking = watched_writer(TextTakingWriter(MemoryTarget()), boundaries, "load")
    assert [each.takes_text(text) for each in (plain, taking) for text in (one, two)] == [False, False, True, False]


def test_a_job_that_is_not_deterministic_is_told_apart_from_one_that_loses_rows(attempt: Try) -> None:
    with pytest.raises(BatchrunError, match=r"not deterministic: target\.rows") as error:
        attempt(processor='{type: python, call: "marks:stamped"}')
    assert error.value.hint == "--ignore rows.at leaves it out"
    assert attempt(processor='{type: python, call: "marks:stamped"}', ignore=("rows.at",)).is_equal


def test_the_folder_of_the_copy_makes_no_difference(attempt: Try) -> None:
    assert attempt(processor='{type: python, call: "marks:placed"}').is_equal


def test_a_job_that_fails_undisturbed_is_told_of(attempt: Try, project: Project) -> None:
    project.write("in.csv", "id\nx\n")
    with pytest.raises(BatchrunError, match=r"ends FAILED without being disturbed: .*in\.csv:2"):
        attempt()


def test_a_boundary_that_the_job_does_not_come_to_is_refused(attempt: Try) -> None:
    with pytest.raises(BatchrunError, match=r"--kill-at 999: the job comes to \d+ boundaries only"):
        attempt(at="999")


def test_a_secret_is_given_to_the_restart_too(attempt: Try) -> None:
    job = ROWS.replace('"{database}"', '"sqlite:///${{params.token}}.db"')
    assert attempt(job=job, token="hidden").is_equal


def test_the_steps_of_a_child_job_are_compared_too(attempt: Try, project: Project) -> None:
    project.write("child.yaml", BOOKING.format())
    job = "name: parent\nsteps:\n  - {{name: nested, job: child.yaml}}\n"
    [report] = attempt(job=job, at="17").rounds
    assert report.boundaries == ["before the repository's save_progress of book"]
    assert [each.kind for each in report.differences] == [Kind.FILE]


def test_copies_of_a_round_that_differs_are_kept_where_asked_for(attempt: Try, project: Project) -> None:
    report = attempt(job=BOOKING, at=BEFORE_ITS_PROGRESS, keeps=True)
    assert [each.kind for each in report.rounds[0].differences] == [Kind.FILE]
    kept = report.rounds[0].kept
    assert kept is not None
    assert (kept / "project" / "ledger.txt").read_text() == "booked booked "
    assert names(kept.parent) == [kept.name]
    assert "ledger.txt" not in names(project.folder)


def test_a_file_of_the_current_folder_is_no_module_of_batchruns(project: Project) -> None:
    project.write("sqlite3.py", "raise RuntimeError('not the one')\n")
    project.write("jobs.d/job.yaml", ROWS.format(database="sqlite:///target.db", processor="", writer=TABLE))
    told = project.batchrun("chaos", "job", "--kill-at", "14", "--output", "json").document
    assert (told["equal"], told["kills"]) == (True, 1)


def test_copies_are_gone_also_where_it_is_terminated(project: Project, tmp_path: Path) -> None:
    project.write("jobs.d/job.yaml", ROWS.format(database="sqlite:///target.db", processor="", writer=TABLE))
    copies = tmp_path / "longer-than-the-path-of-a-socket" / ("x" * 107)
    copies.mkdir(parents=True)
    said = tmp_path / "said"
    command = [str(SCRIPTS / "batchrun"), "chaos", "job", "--suspend"]
    with said.open("w") as file:
        running = subprocess.Popen(command, stdout=file, stderr=file, env=environment({"TMPDIR": str(copies)}))
    try:
        wait_until(lambda: any(copies.glob("*/round-*/boundary-1")) or running.poll() is not None)
        assert running.poll() is None, said.read_text()
        running.terminate()
        assert running.wait(60) == 130
    finally:
        running.kill()
        running.wait()
    assert names(copies) == []
