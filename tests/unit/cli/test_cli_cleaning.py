"""purge: what goes is told by job and status, and nothing goes without a criterion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchrun.domain.status import BatchStatus
from batchrun.testing.repository.parts import begin_ended
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble

Run = Callable[..., Result]


@pytest.fixture
def application() -> ApplicationDouble:
    double = ApplicationDouble()
    for day in range(3):
        begin_ended(double.repository, BatchStatus.COMPLETED, day=str(day))
    begin_ended(double.repository, BatchStatus.FAILED, job_name="report")
    begin_ended(double.repository, BatchStatus.COMPLETED, job_name="report")
    begin_ended(double.repository, BatchStatus.FAILED, job_name="report", day="1")
    begin_ended(double.repository, BatchStatus.STARTED, job_name="report", day="2")
    return double


def left(application: ApplicationDouble) -> list[int]:
    return [each.id for each in application.repository.find_executions()][::-1]


def test_purge_deletes_what_never_starts_again_and_says_what(batchrun: Run, application: ApplicationDouble) -> None:
    planned = batchrun("purge", "--job", "*", "--dry-run")
    assert planned.out == (
        "JOB     STATUS       INSTANCES  EXECUTIONS\n"
        "load    ✓ COMPLETED          3           3\n"
        "report  ✓ COMPLETED          1           2\n"
        "would delete 5 executions of 4 job instances\n"
    )
    assert len(left(application)) == 7
    assert batchrun("purge", "--job", "*").out == planned.out.replace("would delete", "deleted")
    assert left(application) == [6, 7]
    assert application.forgotten == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (("--older-than", "90d"), [1, 2, 3, 4, 5, 6, 7]),
        (("--older-than", "0s"), [6, 7]),
        (("--keep-last", "1"), [3, 6, 7]),
        (("--keep-last", "3", "--job", "re*"), [1, 2, 3, 4, 5, 6, 7]),
        (("--status", "failed"), [1, 2, 3, 4, 5, 7]),
        (("--status", "failed,completed"), [7]),
        (("--job", "load"), [4, 5, 6, 7]),
        (("--job", "x*"), [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_criteria_hold_together(
    batchrun: Run, application: ApplicationDouble, options: tuple[str, ...], kept: list[int]
) -> None:
    result = batchrun("purge", *options)
    assert result.code == 0
    assert left(application) == kept
    assert result.out.splitlines()[-1].startswith(f"deleted {7 - len(kept)} execution")


def test_purge_of_json_counts_too(batchrun: Run) -> None:
    assert batchrun("purge", "--job", "load", "--dry-run", "-o", "json").document == {
        "dry_run": True,
        "executions": 3,
        "instances": 3,
        "jobs": [{"job_name": "load", "status": "COMPLETED", "executions": 3, "instances": 3}],
    }


def test_a_quiet_purge_says_nothing_but_a_quiet_dry_run_does(batchrun: Run) -> None:
    assert batchrun("-q", "purge", "--job", "load", "--dry-run").out
    assert batchrun("-q", "purge", "--job", "load").out == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            (),
            "error: purge needs to know what: --older-than, --keep-last, --status or --job\nhint: batchrun purge --old",
        ),
        (("--dry-run",), "error: purge needs to know what"),
        (("--status", "started"), "error: what is STARTED is never deleted\nhint: batchrun stop ID stops it"),
        (("--older-than", "soon"), "error: --older-than 'soon' is no time\n"),
        (("--status", "faild"), "error: there is no status 'faild'\nhint: did you mean 'FAILED'?"),
        (("--keep-last", "0"), "error: invalid value for '--keep-last'"),
    ],
)
def test_a_purge_without_sense_deletes_nothing(
    batchrun: Run, application: ApplicationDouble, options: tuple[str, ...], message: str
) -> None:
    result = batchrun("purge", *options)
    assert result.code == 2
    assert result.err.startswith(message)
    assert len(left(application)) == 7
