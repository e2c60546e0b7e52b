"""diff: two executions side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from batchrun.domain.parameters import JobParameter
from batchrun.domain.status import BatchStatus
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, execution_of, step_of

Run = Callable[..., Result]


@pytest.fixture
def application() -> ApplicationDouble:
    first = execution_of(
        step_of(read=1_000, write=900, filter=100, seconds=8),
        step_of("report", read=5, write=5),
        id=3,
        parameters=[JobParameter("day", "1"), JobParameter("limit", "10"), JobParameter("desk", "a")],
    )
    second = execution_of(
        step_of(status=BatchStatus.FAILED, read=21_000, write=0, seconds=4, description="no space"),
        id=5,
        status=BatchStatus.FAILED,
        parameters=[JobParameter("day", "2"), JobParameter("desk", "a"), JobParameter("new", "x")],
    )
    first.job_text, second.job_text = "name: load\nchunk: 10\n", "name: load\nchunk: 20\n"
    first.batchrun_version, second.batchrun_version = "0.1.0", "0.2.0"
    same = replace(execution_of(id=6, job_name="other"), batchrun_version="0.1.0")
    return ApplicationDouble(executions=[first, second, same, replace(same, id=7)])


def test_diff_shows_facts_parameters_job_file_and_steps(batchrun: Run) -> None:
    shown = batchrun("diff", "3", "5")
    assert shown.code == 0
    assert shown.out == (
        "load-trades: execution 3 → execution 5\n"
        "  status     COMPLETED → FAILED\n"
        "  exit code  COMPLETED → FAILED\n"
        "  sha-256    8c915ce7e36e → abb5950872ee\n"
        "  batchrun   0.1.0 → 0.2.0\n"
        "\n"
        "parameters\n"
        "  day    1 → 2\n"
        "  new    - → x\n"
        "  limit  10 → -\n"
        "\n"
        "job file\n"
        "  --- /project/jobs.d/load_trades.yaml (execution 3)\n"
        "  +++ /project/jobs.d/load_trades.yaml (execution 5)\n"
        "  @@ -1,2 +1,2 @@\n"
        "   name: load\n"
        "  -chunk: 10\n"
        "  +chunk: 20\n"
        "\n"
        "steps\n"
        "  STEP                      3         5  CHANGE\n"
        "  load    status  ✓ COMPLETED  ✗ FAILED\n"
        "          time           8.0s      4.0s    -50%\n"
        "          read          1,000    21,000     x21\n"
        "          write           900         0   -100%\n"
        "          filter          100         0   -100%\n"
        "  report  status  ✓ COMPLETED         -\n"
        "          time           8.0s         -\n"
        "          read              5         -\n"
        "          write             5         -\n"
    )


def test_one_id_is_compared_with_the_execution_of_the_job_before_it(batchrun: Run) -> None:
    assert batchrun("diff", "5").out == batchrun("diff", "3", "5").out
    assert batchrun("diff", "7").out == ("other: execution 6 → execution 7\n\nthey differ in nothing but their times\n")
    first = batchrun("diff", "3")
    assert (first.code, first.err.splitlines()[0]) == (2, "error: execution 3 is the first of job 'load-trades'")


def test_the_exit_code_tells_a_difference_where_it_is_asked_for(batchrun: Run) -> None:
    codes = [batchrun("diff", *ids, "--exit-code").code for ids in (("3", "5"), ("6", "7"))]
    assert codes == [1, 0]


def test_diff_of_json_has_both_sides(batchrun: Run) -> None:
    document = batchrun("diff", "3", "5", "-o", "json").document
    assert document["differs"]
    assert document["before"]["execution_id"] == 3
    assert document["after"]["batchrun_version"] == "0.2.0"
    assert document["parameters"]["limit"] == {"before": "10", "after": None}
    assert "+chunk: 20" in document["job_text_diff"]
    assert [(each["name"], each["differs"]) for each in document["steps"]] == [("load", True), ("report", True)]
    assert document["steps"][1]["after"] is None
    assert not batchrun("diff", "6", "7", "-o", "json").document["differs"]


def test_an_execution_is_not_compared_with_itself(batchrun: Run) -> None:
    assert batchrun("diff", "3", "3").code == 2
