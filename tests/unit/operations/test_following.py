"""Following an execution of another process: what the listener is told, and when the waiting ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from batchrun.domain.execution import JobExecution, StepCounts, StepExecution
from batchrun.domain.status import COMPLETED, BatchStatus
from batchrun.errors import NoSuchExecutionError, RepositoryUnreachableError, StillRunningError
from batchrun.operations.following import Follower
from batchrun.spi.chunk import Chunk
from batchrun.spi.listener import Listener, Progress
from batchrun.testing.memory_repository import MemoryJobRepository
from batchrun.testing.repository.parts import LAPSED, add_step, begin_ended, request, save


class Told(Listener):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def before_job(self, execution: JobExecution) -> None:
        self.calls.append(("job", execution.id))

    def after_job(self, execution: JobExecution) -> None:
        self.calls.append(("job ended", execution.status.name))

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        self.calls.append(("step", step.step_name))

    def after_chunk(
        self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
    ) -> None:
        self.calls.append(("read", step.step_name, progress.done, step.counts.read))

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        self.calls.append(("step ended", step.step_name, step.status.name))


@pytest.fixture
def repository() -> MemoryJobRepository:
    return MemoryJobRepository()


def follower(repository: MemoryJobRepository, moments: Iterator[object], *, gone: bool = False) -> Follower:
    """A follower to whom, instead of time, one moment after the other passes."""
    now = iter(range(1000))
    return Follower(repository, lambda _owner: gone, lambda _seconds: next(moments) and None, lambda: float(next(now)))


def ended_step(repository: MemoryJobRepository, execution: JobExecution, step: StepExecution) -> None:
    step.status, step.exit_status = BatchStatus.COMPLETED, COMPLETED
    repository.save_step(execution, step)


def test_the_listener_is_told_what_the_run_would_tell_it(repository: MemoryJobRepository) -> None:
    execution = repository.begin(request())

    def run() -> Iterator[object]:
        first = add_step(repository, execution, "first")
        yield None
        first.counts = StepCounts(read=10)
        repository.save_progress(execution, first)
        yield None
        ended_step(repository, execution, first)
        ended_step(repository, execution, add_step(repository, execution, "second"))
        yield None
        save(repository, execution, BatchStatus.COMPLETED)
        yield None

    told = Told()
    assert follower(repository, run()).wait(execution.id, [told]).status is BatchStatus.COMPLETED
    assert told.calls == [
        ("job", 1),
        ("step", "first"),
        ("read", "first", 0, 0),
        ("read", "first", 10, 10),
        ("step ended", "first", "COMPLETED"),
        ("step", "second"),
        ("step ended", "second", "COMPLETED"),
        ("job ended", "COMPLETED"),
    ]


@pytest.mark.parametrize("status", [BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.STOPPED])
def test_what_has_ended_is_not_waited_for(repository: MemoryJobRepository, status: BatchStatus) -> None:
    execution = begin_ended(repository, status)
    assert follower(repository, iter(())).wait(execution.id).status is status


@pytest.mark.parametrize(("lease", "gone"), [(LAPSED, False), (timedelta(hours=1), True)], ids=["lapsed", "gone"])
def test_a_dead_run_ends_the_waiting_as_failed_and_is_left_as_it_is(
    repository: MemoryJobRepository, lease: timedelta, gone: bool
) -> None:
    execution = repository.begin(request(lease=lease))
    save(repository, execution, BatchStatus.STARTED)
    add_step(repository, execution, "first")
    before = repository.find_execution(execution.id)
    told = Told()
    seen = follower(repository, iter(()), gone=gone).wait(execution.id, [told])
    assert (seen.status, seen.steps[0].status) == (BatchStatus.FAILED, BatchStatus.FAILED)
    assert "host nightbox, pid 4711) was found dead" in seen.exit_status.description
    assert told.calls[-1] == ("job ended", "FAILED")
    assert repository.find_execution(execution.id) == before


def test_a_run_that_ends_between_two_questions_is_not_taken_for_dead(
    repository: MemoryJobRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = repository.begin(request())
    is_alive = repository.is_alive

    def ends_before(execution_id: int, is_gone: Callable[..., bool]) -> bool:
        save(repository, execution, BatchStatus.COMPLETED)
        return is_alive(execution_id, is_gone)

    monkeypatch.setattr(repository, "is_alive", ends_before)
    assert follower(repository, iter(()), gone=True).wait(execution.id).status is BatchStatus.COMPLETED


def test_the_waiting_ends_when_its_time_is_over(repository: MemoryJobRepository) -> None:
    execution = repository.begin(request())
    with pytest.raises(StillRunningError) as over:
        follower(repository, iter(lambda: None, 0)).wait(execution.id, timeout=timedelta(seconds=3))
    assert over.value.exit_code == 124
    assert over.value.hint == "batchrun wait 1 waits on, batchrun stop 1 asks it to stop"
    assert repository.find_execution(1).status is BatchStatus.STARTING


class Outage(MemoryJobRepository):
    """A repository that is away for some looks, after the first."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = [False, *[True] * looks]

    def find_execution(self, execution_id: int) -> JobExecution:
        if self.looks and self.looks.pop(0):
            raise RepositoryUnreachableError("postgresql://here", "connection refused")
        return super().find_execution(execution_id)


def test_a_repository_that_is_away_for_a_while_does_not_end_the_waiting(caplog: pytest.LogCaptureFixture) -> None:
    repository = Outage(looks=5)
    execution = repository.begin(request())

    def run() -> Iterator[object]:
        yield from range(5)
        save(repository, execution, BatchStatus.COMPLETED)
        yield None

    assert follower(repository, run()).wait(execution.id).status is BatchStatus.COMPLETED
    assert [record.getMessage() for record in caplog.records] == [
        "execution 1 cannot be followed for now: the repository postgresql://here cannot be used: connection refused"
    ]


@pytest.mark.parametrize(("timeout", "looks"), [(None, 30), (timedelta(seconds=9), 7)])
def test_one_that_stays_away_ends_it(timeout: timedelta | None, looks: int) -> None:
    repository = Outage(looks=1000)
    execution = repository.begin(request())
    with pytest.raises(RepositoryUnreachableError):
        follower(repository, iter(lambda: None, 0)).wait(execution.id, timeout=timeout)
    assert 1000 - len(repository.looks) == looks


def test_one_that_cannot_be_reached_at_first_is_told_at_once() -> None:
    repository = Outage(looks=1)
    repository.looks.pop(0)
    with pytest.raises(RepositoryUnreachableError):
        follower(repository, iter(())).wait(1)


def test_an_unknown_execution_is_told(repository: MemoryJobRepository) -> None:
    with pytest.raises(NoSuchExecutionError):
        follower(repository, iter(())).wait(99)
