"""The launch table of SEMANTICS section 1, every cell of it that launch and restart have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from batchrun.domain.execution import JobExecution, JobInstance, Owner
from batchrun.domain.launch import LaunchDecision, decide_launch
from batchrun.domain.parameters import JobParameter, JobParameters
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import (
    ExecutionRunningError,
    InstanceAbandonedError,
    InstanceCompleteError,
    NotLatestExecutionError,
    OtherInstanceError,
)

RUNNING = [BatchStatus.STARTING, BatchStatus.STARTED, BatchStatus.STOPPING]


def last_execution(status: BatchStatus, *parameters: JobParameter) -> JobExecution:
    owner = Owner("nightbox", 4711, "boot")
    instance = JobInstance(1, "load", "abc")
    return JobExecution(7, instance, JobParameters(parameters), owner, 1, datetime.now(UTC), status)


def test_a_new_instance_starts() -> None:
    assert decide_launch(None, owner_is_alive=False) is LaunchDecision.START


@pytest.mark.parametrize("restart_of", [None, 7])
class TestByLastExecution:
    @pytest.mark.parametrize("status", [BatchStatus.FAILED, BatchStatus.STOPPED])
    def test_one_that_ended_early_is_continued(self, status: BatchStatus, restart_of: int | None) -> None:
        decision = decide_launch(last_execution(status), owner_is_alive=False, restart_of=restart_of)
        assert decision is LaunchDecision.CONTINUE

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_living_one_is_refused_with_host_pid_and_id(self, status: BatchStatus, restart_of: int | None) -> None:
        with pytest.raises(ExecutionRunningError, match="execution 7, host nightbox, pid 4711"):
            decide_launch(last_execution(status), owner_is_alive=True, restart_of=restart_of)

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_dead_one_is_recovered(self, status: BatchStatus, restart_of: int | None) -> None:
        decision = decide_launch(last_execution(status), owner_is_alive=False, restart_of=restart_of)
        assert decision is LaunchDecision.RECOVER

    def test_a_complete_one_is_refused(self, restart_of: int | None) -> None:
        with pytest.raises(InstanceCompleteError, match=r"already completed .*execution 7"):
            decide_launch(last_execution(BatchStatus.COMPLETED), owner_is_alive=False, restart_of=restart_of)

    @pytest.mark.parametrize("status", [BatchStatus.ABANDONED, BatchStatus.UNKNOWN])
    def test_an_abandoned_one_is_refused_for_ever(self, status: BatchStatus, restart_of: int | None) -> None:
        with pytest.raises(InstanceAbandonedError):
            decide_launch(last_execution(status), owner_is_alive=False, restart_of=restart_of)


@pytest.mark.parametrize("code", ["COMPLETED", "FAILED", "NOTHING TO DO"])
@pytest.mark.parametrize("status", [BatchStatus.FAILED, BatchStatus.STOPPED])
def test_a_restart_looks_at_the_status_and_not_at_the_exit_code(status: BatchStatus, code: str) -> None:
    last = last_execution(status)
    last.exit_status = ExitStatus(code)
    assert decide_launch(last, owner_is_alive=False) is LaunchDecision.CONTINUE


@pytest.mark.parametrize("status", BatchStatus)
def test_a_restart_of_an_older_execution_names_the_last_one(status: BatchStatus) -> None:
    with pytest.raises(NotLatestExecutionError) as refused:
        decide_launch(last_execution(status), owner_is_alive=False, restart_of=3)
    assert refused.value.hint == "batchrun restart 7"


def test_a_restart_that_would_begin_another_instance_is_refused() -> None:
    with pytest.raises(OtherInstanceError, match="execution 3 cannot be continued"):
        decide_launch(None, owner_is_alive=False, restart_of=3)


def test_a_complete_job_without_identifying_parameters_says_so() -> None:
    day = JobParameter("day", "1")
    with pytest.raises(InstanceCompleteError) as with_day:
        decide_launch(last_execution(BatchStatus.COMPLETED, day), owner_is_alive=False)
    with pytest.raises(InstanceCompleteError) as without:
        decide_launch(last_execution(BatchStatus.COMPLETED), owner_is_alive=False)
    assert "other identifying parameters" in (with_day.value.hint or "")
    assert "one instance only" in (without.value.hint or "")
