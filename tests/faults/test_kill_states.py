"""kill -9 in each state in turn, then a restart: path and rows equal those of an uninterrupted run.

The job has chunk steps, tasklets, a loop with a decision, branches, branches inside them, a nested flow with a loop of
its own, and a child job. A short form by default, a few places; `make kills` sets BATCHRUN_KILL_PLACES=all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.faults.dying import BeforeCommit
from tests.faults.states import States
from tests.support.postgres import new_schema

ALL = os.environ.get("BATCHRUN_KILL_PLACES") == "all"
FEW = [
    "greet 1 inside",  # in a tasklet
    "load 2 after_chunk 3",  # in a chunk step after some commits, in the second round of a loop
    "again 1 inside",  # in a decision
    "left 1 after_chunk 2",  # in a chunk step of a branch
    "b_end 1 before_step",  # in a branch inside a branch
    "checks.judge 2 inside",  # in a nested flow's loop
    "exports 1 after_step",  # behind the branches
    "job 1 after_job",
]
COMMITS = count(1) if ALL else (1, 2, 17, 50, 999)
TARGETS = ["sqlite", "postgresql"] if ALL else ["sqlite"]


@pytest.fixture(params=TARGETS)
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[States]:
    """Gives one new instance of the job after another."""
    return _jobs(request, tmp_path)


def _jobs(request: pytest.FixtureRequest, folder: Path) -> Iterator[States]:
    for number in count():
        if request.param == "sqlite":
            yield States.make(folder / str(number), "sqlite:///target.db")
        else:
            with new_schema(request.getfixturevalue("postgres_url")) as url:
                yield States.make(folder / str(number), url, url)


def test_a_run_that_is_killed_in_any_state_goes_on_there(jobs: Iterator[States]) -> None:
    whole = next(jobs)
    assert not whole.killed()
    whole.check()
    assert not whole.fetched("SELECT * FROM batchrun_checkpoint")
    places = list(dict.fromkeys(whole.passed()))
    assert set(FEW) < set(places)
    for place in places if ALL else FEW:
        job = next(jobs)
        assert job.killed(place), place
        job.complete()
        job.check()


def test_a_run_that_is_killed_before_any_commit_of_its_repository_goes_on_there(jobs: Iterator[States]) -> None:
    for number in COMMITS:
        job = next(jobs)
        killed = job.killed(prepare=BeforeCommit(number))
        job.complete()
        job.check()
        if not killed:
            break
    assert not killed, "there are more commits"
    assert number > 80
