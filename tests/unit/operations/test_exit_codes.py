"""The exit code of the process: the job's own numbers, statuses, and skips where they are to fail it."""

from __future__ import annotations

import pytest

from batchrun.domain.status import BatchStatus
from batchrun.operations.exit_codes import has_skips, process_exit_code
from tests.unit.cli.doubles import execution_of, step_of


@pytest.mark.parametrize(
    ("status", "expected"),
    [(BatchStatus.COMPLETED, 0), (BatchStatus.FAILED, 1), (BatchStatus.STOPPED, 4), (BatchStatus.UNKNOWN, 1)],
)
def test_a_status_has_its_number(status: BatchStatus, expected: int) -> None:
    assert process_exit_code(execution_of(status=status)) == expected


def test_the_jobs_own_number_wins_over_all_others() -> None:
    execution = execution_of(code="COMPLETED WITH SKIPS")
    execution.job_text = "name: x\nexit_codes: {COMPLETED WITH SKIPS: 20}\n"
    assert process_exit_code(execution) == 20
    assert process_exit_code(execution, fails_on_skips=True) == 20


def test_skips_fail_a_completed_execution_only_where_they_are_to() -> None:
    assert process_exit_code(execution_of(code="COMPLETED WITH SKIPS")) == 0
    assert process_exit_code(execution_of(), fails_on_skips=True) == 10
    assert process_exit_code(execution_of(status=BatchStatus.FAILED), fails_on_skips=True) == 1


def test_a_text_that_only_mentions_exit_codes_has_none() -> None:
    execution = execution_of(status=BatchStatus.FAILED)
    for text in ("name: exit_codes", "exit_codes:\n", "exit_codes: {", "# exit_codes"):
        execution.job_text = text
        assert process_exit_code(execution) == 1


def test_skips_are_seen_in_counts_and_exit_codes_of_steps_and_jobs() -> None:
    clean = execution_of(step_of(read=5))
    assert not has_skips([clean])
    for count in ("read_skip", "process_skip", "write_skip"):
        assert has_skips([execution_of(step_of(**{count: 1})), clean])
    assert has_skips([execution_of(step_of(code="COMPLETED WITH SKIPS"))])
    assert has_skips([execution_of(code="COMPLETED WITH SKIPS")])
