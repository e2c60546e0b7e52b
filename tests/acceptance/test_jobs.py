"""Every job of `jobs.d/` through the command line, on a small sample of the real input."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import ROOT, SAMPLE, SAMPLE_ROWS, Project, step

LOAD = ("load_flights", "input=data/flights.csv")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.like_ours(tmp_path / "project")


def query(project: Project, statement: str) -> list[Any]:
    with closing(sqlite3.connect(project.folder / "data" / "flights.db")) as connection:
        return connection.execute(statement).fetchall()


def check_load_flights(project: Project) -> None:
    execution = project.execution("launch", *LOAD)
    assert (execution["status"], execution["exit_code"], execution["job_name"]) == (
        "COMPLETED",
        "COMPLETED",
        "load_flights",
    )
    assert execution["parameters"] == {"input": str(project.folder / "data" / "flights.csv"), "run": 1}
    load, sum_up, report = execution["steps"]
    assert (load["read_count"], load["write_count"], load["filter_count"]) == (SAMPLE_ROWS, SAMPLE_ROWS, 0)
    assert (sum_up["name"], sum_up["status"]) == ("sum_up", "COMPLETED")
    with SAMPLE.open(newline="") as file:
        flights = list(csv.DictReader(file))
    carriers = {flight["carrier"] for flight in flights}
    assert report["read_count"] == report["write_count"] == len(carriers)
    distances = sum(int(flight["distance"]) for flight in flights)
    arrived = sum(flight["arr_delay"] != "NA" for flight in flights)
    facts = query(project, "SELECT count(*), sum(distance), count(arr_delay), count(made_up) FROM flights")
    assert facts == [(SAMPLE_ROWS, distances, arrived, arrived)]
    with (project.folder / "data" / "carriers.csv").open(newline="") as file:
        reported = list(csv.DictReader(file))
    assert {each["carrier"] for each in reported} == carriers
    assert sum(int(each["flights"]) for each in reported) == SAMPLE_ROWS


def check_late_flights(project: Project) -> None:
    refused = project.execution("launch", "late_flights", expect=20)
    assert (refused["status"], refused["exit_code"]) == ("FAILED", "NO FLIGHTS")
    project.batchrun("launch", *LOAD)
    execution = project.execution("restart", str(refused["execution_id"]))
    assert execution["status"] == "COMPLETED"
    lines = (project.folder / "data" / "late_flights.jsonl").read_text().splitlines()
    late = [json.loads(line) for line in lines]
    with SAMPLE.open(newline="") as file:
        expected = [row for row in csv.DictReader(file) if row["arr_delay"] != "NA" and int(row["arr_delay"]) > 60]
    assert len(late) == step(execution, "find")["write_count"] == len(expected)
    assert [flight["minutes"] for flight in late] == sorted((int(row["arr_delay"]) for row in expected), reverse=True)


def check_flights_of_the_year(project: Project) -> None:
    refused = project.execution("launch", "flights_of_the_year", expect=20)
    assert (refused["status"], refused["exit_code"]) == ("FAILED", "NO FLIGHTS")
    project.batchrun("launch", *LOAD)
    execution = project.execution("restart", str(refused["execution_id"]))
    names = [each["name"] for each in execution["steps"]]
    assert names[:25] == ["look", *["sum_month", "year"] * 12]
    assert sorted(names[25:]) == ["by_airport", "by_month", "exports", "sum_airports"]
    with SAMPLE.open(newline="") as file:
        flights = list(csv.DictReader(file))
    late = [flight for flight in flights if flight["arr_delay"] != "NA" and int(flight["arr_delay"]) > 30]
    for name, key in (("months", "month"), ("airports", "dest")):
        with (project.folder / "data" / f"{name}.csv").open(newline="") as file:
            reported = {each[key]: int(each["flights"]) for each in csv.DictReader(file)}
        counted = Counter(each[key] for each in flights)
        assert {each: count for each, count in reported.items() if count} == counted
    assert query(project, "SELECT sum(late), count(*) FROM months") == [(len(late), 12)]


CHECKS: dict[str, Callable[[Project], None]] = {
    "load_flights": check_load_flights,
    "late_flights": check_late_flights,
    "flights_of_the_year": check_flights_of_the_year,
}


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "jobs.d").glob("*.yaml")))
def test_a_job_of_the_project_does_what_it_says(name: str, project: Project) -> None:
    CHECKS[name](project)


@pytest.mark.parametrize("path", sorted((ROOT / "jobs.d").glob("*.yaml")), ids=lambda path: str(path.stem))
def test_a_job_names_its_schema_and_is_called_as_its_file(path: Path) -> None:
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]
    assert first == "# yaml-language-server: $schema=../schemas/job.schema.json"
    assert second == f"name: {path.stem}"


def test_a_completed_launch_is_refused_and_another_run_replaces_the_table(project: Project) -> None:
    project.batchrun("launch", *LOAD)
    again = project.batchrun("launch", *LOAD, expect=3)
    assert len(again.errors) == 1
    assert "already completed" in again.errors[0]
    assert project.execution("launch", *LOAD, "run=2")["instance_id"] != 1
    assert query(project, "SELECT count(*) FROM flights") == [(SAMPLE_ROWS,)]


def test_the_flights_load_into_postgresql_too(project: Project, fresh_postgres_database: str) -> None:
    import psycopg

    execution = project.execution("launch", *LOAD, FLIGHTS_URL=fresh_postgres_database)
    assert step(execution, "load")["write_count"] == SAMPLE_ROWS
    with psycopg.connect(fresh_postgres_database) as connection:
        counted = connection.execute("SELECT count(*), count(DISTINCT carrier) FROM flights").fetchone()
        assert connection.execute("SELECT sum(flights), count(*) FROM carriers").fetchone() == counted


def test_show_and_history_tell_the_same_of_an_execution(project: Project) -> None:
    launched = project.execution("launch", *LOAD)
    assert project.execution("show", "1") == launched
    assert project.history() == [launched]
