"""The heartbeat: it renews the lease, and hears of a request to stop."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import BatchStatus
from batchrun.engine.lease import Heartbeat
from batchrun.engine.stop import StopSignal
from batchrun.errors import RepositoryUnreachableError
from batchrun.spi.tasklet import StepContribution
from batchrun.testing.memory_repository import MemoryJobRepository
from tests.unit.engine.bench import Bench, tasklet_step

BEAT = timedelta(milliseconds=1)


class Counting(MemoryJobRepository):
    """Sets an event with the third renewal; fails the first where it is told to."""

    def __init__(self, fails_first: bool = False) -> None:
        super().__init__()
        self.renewals = 0
        self.fails_first = fails_first
        self.renewed = threading.Event()

    def renew_lease(self, execution: JobExecution, lease: timedelta) -> None:
        self.renewals += 1
        if self.fails_first and self.renewals == 1:
            raise RepositoryUnreachableError("memory", "away for a moment")
        super().renew_lease(execution, lease)
        if self.renewals >= 3:
            self.renewed.set()


@pytest.mark.parametrize("fails_first", [False, True])
def test_the_lease_is_renewed_again_and_again(fails_first: bool, caplog: pytest.LogCaptureFixture) -> None:
    repository = Counting(fails_first)
    execution = Bench(repository=repository).begin()
    with Heartbeat(repository, execution, StopSignal(), beat=BEAT):
        assert repository.renewed.wait(10)
    assert ("could not be renewed" in caplog.text) == fails_first


def test_a_fenced_owner_beats_no_more() -> None:
    repository = Counting()
    execution = Bench(repository=repository).begin()
    repository.recover(execution.id, lambda owner: True)
    heartbeat = Heartbeat(repository, execution, StopSignal(), beat=BEAT)
    with heartbeat:
        heartbeat.join(10)
    assert repository.renewals == 1


def test_a_request_to_stop_ends_a_job_between_two_calls(bench: Bench) -> None:
    heard = threading.Event()
    bench.beat = BEAT

    def body(contribution: StepContribution) -> None:
        [running] = bench.repository.find_executions()
        bench.repository.request_stop(running.id, lambda owner: False)
        while not bench.stop.is_requested:
            heard.wait(0.001)

    bench.tasklet("a", body)
    bench.tasklet("b", lambda contribution: None)
    execution = bench.run([tasklet_step("a"), tasklet_step("b")])
    assert (execution.status, execution.flow.path) == (BatchStatus.STOPPED, ("a", "b"))
    assert bench.run([tasklet_step("a"), tasklet_step("b")]).status is BatchStatus.COMPLETED
