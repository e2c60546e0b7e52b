"""What an operator may do to an execution from outside: the other columns of the launch table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from batchrun.domain.execution import JobExecution, Owner
from batchrun.domain.status import BatchStatus
from batchrun.errors import (
    ExecutionRunningError,
    FencedError,
    InstanceAbandonedError,
    LaunchRefusedError,
    NoSuchExecutionError,
    NotAbandonableError,
    NotLatestExecutionError,
    NotRunningError,
)
from batchrun.spi.repository import JobRepository
from batchrun.testing.repository.parts import LAPSED, LONG, RUNNING, Opened, add_step, begin_ended, request, save

IsGone = Callable[[Owner], bool]
Operation = Callable[[JobRepository, int, IsGone], object]

_OPERATIONS: dict[str, Operation] = {
    "is_alive": lambda repository, execution_id, is_gone: repository.is_alive(execution_id, is_gone),
    "request_stop": lambda repository, execution_id, is_gone: repository.request_stop(execution_id, is_gone),
    "recover": lambda repository, execution_id, is_gone: repository.recover(execution_id, is_gone),
    "abandon": lambda repository, execution_id, is_gone: repository.abandon(execution_id, is_gone),
}
_ENDED_EARLY = [BatchStatus.FAILED, BatchStatus.STOPPED]


def _lives(_owner: Owner) -> bool:
    return False


def _is_gone(_owner: Owner) -> bool:
    return True


def _running(repository: JobRepository, status: BatchStatus, lease: timedelta = LONG) -> JobExecution:
    execution = repository.begin(request(lease=lease))
    save(repository, execution, status)
    return execution


class OperatingContract(Opened):
    """`is_alive`, `request_stop`, `recover` and `abandon`."""

    @pytest.mark.parametrize("operation", _OPERATIONS.values(), ids=_OPERATIONS)
    def test_an_unknown_id_is_told(self, repository: JobRepository, operation: Operation) -> None:
        with pytest.raises(NoSuchExecutionError, match="there is no execution 99"):
            operation(repository, 99, _lives)

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_running_execution_is_alive_until_its_owner_is_dead(
        self, repository: JobRepository, status: BatchStatus
    ) -> None:
        execution = _running(repository, status)
        before = repository.find_execution(execution.id)
        assert repository.is_alive(execution.id, _lives)
        assert not repository.is_alive(execution.id, _is_gone)
        assert repository.find_execution(execution.id) == before

    def test_a_lapsed_lease_means_death_without_a_look_at_the_process(self, repository: JobRepository) -> None:
        execution = _running(repository, BatchStatus.STARTED, LAPSED)
        assert not repository.is_alive(execution.id, _lives)
        repository.renew_lease(execution, LONG)
        assert repository.is_alive(execution.id, _lives)

    @pytest.mark.parametrize("status", [BatchStatus.COMPLETED, *_ENDED_EARLY, BatchStatus.ABANDONED])
    def test_what_has_ended_is_not_alive(self, repository: JobRepository, status: BatchStatus) -> None:
        assert not repository.is_alive(begin_ended(repository, status).id, _lives)

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_running_execution_hears_of_the_request(self, repository: JobRepository, status: BatchStatus) -> None:
        execution = _running(repository, status)
        assert not repository.is_stop_requested(execution)
        first = repository.request_stop(execution.id, _lives)
        assert (first.status, repository.is_stop_requested(execution)) == (BatchStatus.STOPPING, True)
        again = repository.request_stop(execution.id, _lives)
        assert again.stop_requested_at == first.stop_requested_at is not None

    def test_the_owner_goes_on_writing_after_a_request(self, repository: JobRepository) -> None:
        execution = _running(repository, BatchStatus.STARTED)
        repository.request_stop(execution.id, _lives)
        repository.renew_lease(execution, LONG)
        add_step(repository, execution)
        save(repository, execution, BatchStatus.STARTED)
        assert repository.is_stop_requested(execution)
        save(repository, execution, BatchStatus.STOPPED)
        assert repository.find_execution(execution.id).status is BatchStatus.STOPPED

    def test_a_restart_has_not_been_asked_to_stop(self, repository: JobRepository) -> None:
        execution = _running(repository, BatchStatus.STARTED)
        repository.request_stop(execution.id, _lives)
        save(repository, execution, BatchStatus.STOPPED)
        assert not repository.is_stop_requested(repository.begin(request()))

    @pytest.mark.parametrize("status", [BatchStatus.COMPLETED, *_ENDED_EARLY, BatchStatus.ABANDONED])
    def test_what_has_ended_cannot_be_stopped(self, repository: JobRepository, status: BatchStatus) -> None:
        execution = begin_ended(repository, status)
        with pytest.raises(NotRunningError, match=f"is not running: it is {status.name}"):
            repository.request_stop(execution.id, _lives)

    def test_a_dead_execution_cannot_be_stopped(self, repository: JobRepository) -> None:
        execution = _running(repository, BatchStatus.STARTED)
        with pytest.raises(NotRunningError):
            repository.request_stop(execution.id, _is_gone)

    @pytest.mark.parametrize("status", RUNNING)
    @pytest.mark.parametrize(("lease", "is_gone"), [(LAPSED, _lives), (LONG, _is_gone)], ids=["lapsed", "gone"])
    def test_a_dead_execution_is_recovered_with_its_steps(
        self, repository: JobRepository, status: BatchStatus, lease: timedelta, is_gone: IsGone
    ) -> None:
        execution = _running(repository, status, lease)
        add_step(repository, execution)
        recovered = repository.recover(execution.id, is_gone)
        assert (recovered.status, recovered.steps[0].status) == (BatchStatus.FAILED, BatchStatus.FAILED)
        assert "host nightbox, pid 4711) was found dead" in recovered.exit_status.description
        assert recovered.ended_at is not None

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_living_execution_is_recovered_by_force_only(
        self, repository: JobRepository, status: BatchStatus
    ) -> None:
        execution = _running(repository, status)
        with pytest.raises(
            ExecutionRunningError, match="execution 1 of job 'load' is running: host nightbox, pid 4711"
        ):
            repository.recover(execution.id, _lives)
        assert repository.recover(execution.id, _lives, force=True).status is BatchStatus.FAILED
        with pytest.raises(FencedError):
            repository.save_job(execution)

    @pytest.mark.parametrize("status", [BatchStatus.COMPLETED, *_ENDED_EARLY, BatchStatus.ABANDONED])
    def test_recovering_what_has_ended_changes_nothing(self, repository: JobRepository, status: BatchStatus) -> None:
        execution = begin_ended(repository, status)
        before = repository.find_execution(execution.id)
        assert repository.recover(execution.id, _is_gone) == before

    @pytest.mark.parametrize("status", _ENDED_EARLY)
    def test_what_ended_early_is_abandoned_for_ever(self, repository: JobRepository, status: BatchStatus) -> None:
        execution = begin_ended(repository, status)
        abandoned = repository.abandon(execution.id, _lives)
        assert (abandoned.status, abandoned.exit_status.code) == (BatchStatus.ABANDONED, "ABANDONED")
        assert repository.abandon(execution.id, _lives) == abandoned
        for restart_of in (None, execution.id):
            with pytest.raises(InstanceAbandonedError):
                repository.begin(request(restart_of=restart_of))

    def test_a_dead_execution_is_abandoned_with_its_steps(self, repository: JobRepository) -> None:
        execution = _running(repository, BatchStatus.STARTED)
        add_step(repository, execution)
        abandoned = repository.abandon(execution.id, _is_gone)
        assert abandoned.status is BatchStatus.ABANDONED
        assert not abandoned.steps[0].status.is_running

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_living_execution_is_not_abandoned(self, repository: JobRepository, status: BatchStatus) -> None:
        execution = _running(repository, status)
        with pytest.raises(ExecutionRunningError):
            repository.abandon(execution.id, _lives)
        assert repository.find_execution(execution.id).status is status

    def test_a_complete_execution_is_not_abandoned(self, repository: JobRepository) -> None:
        execution = begin_ended(repository, BatchStatus.COMPLETED)
        with pytest.raises(NotAbandonableError, match="has completed, so it cannot be abandoned"):
            repository.abandon(execution.id, _lives)

    def test_only_the_last_execution_is_abandoned(self, repository: JobRepository) -> None:
        first = begin_ended(repository, BatchStatus.FAILED)
        second = begin_ended(repository, BatchStatus.FAILED)
        with pytest.raises(NotLatestExecutionError) as refused:
            repository.abandon(first.id, _lives)
        assert refused.value.hint == f"batchrun abandon {second.id}"
        assert issubclass(NotLatestExecutionError, LaunchRefusedError)
