"""What an owner may no longer write, once it has been taken over or its execution has ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchrun.domain.execution import Checkpoint, JobExecution, StepCounts, StepExecution
from batchrun.domain.status import BatchStatus
from batchrun.errors import FencedError
from batchrun.spi.repository import JobRepository
from batchrun.testing.repository.parts import DAY, LAPSED, LONG, Opened, add_step, request, save

Write = Callable[[JobRepository, JobExecution, StepExecution], None]

_WRITES: dict[str, Write] = {
    "renew_lease": lambda repository, execution, _step: repository.renew_lease(execution, LONG),
    "save_job": lambda repository, execution, _step: repository.save_job(execution),
    "add_step": lambda repository, execution, _step: repository.add_step(
        execution, StepExecution(0, execution.id, "more")
    ),
    "save_step": lambda repository, execution, step: repository.save_step(execution, step),
    "save_progress": lambda repository, execution, step: repository.save_progress(execution, step),
    "correct_step": lambda repository, execution, step: repository.correct_step(
        execution, Checkpoint(run=step.id, attempt=step.id, sequence=9, counts=StepCounts(read=9))
    ),
}

each_write = pytest.mark.parametrize("write", _WRITES.values(), ids=_WRITES)


class FencingContract(Opened):
    """The fence: one owner at a time moves an execution."""

    @each_write
    def test_the_owner_writes(self, repository: JobRepository, write: Write) -> None:
        running = repository.begin(request())
        step = add_step(repository, running)
        write(repository, running, step)

    @each_write
    def test_a_lapsed_lease_that_nobody_took_is_no_fence(self, repository: JobRepository, write: Write) -> None:
        running = repository.begin(request(lease=LAPSED))
        step = add_step(repository, running)
        write(repository, running, step)

    @each_write
    def test_one_taken_over_writes_nothing_more(self, repository: JobRepository, write: Write) -> None:
        running = repository.begin(request(lease=LAPSED))
        step = add_step(repository, running)
        repository.begin(request(owner=DAY))
        before = repository.find_execution(running.id)
        running.status = step.status = BatchStatus.COMPLETED
        step.counts.read = 9
        with pytest.raises(FencedError, match=f"token {running.token}") as fenced:
            write(repository, running, step)
        assert fenced.value.token == running.token
        after = repository.find_execution(running.id)
        after.parameters = before.parameters
        assert after == before

    @each_write
    def test_an_ended_execution_takes_nothing_more(self, repository: JobRepository, write: Write) -> None:
        ended = repository.begin(request())
        step = add_step(repository, ended)
        save(repository, ended, BatchStatus.COMPLETED)
        with pytest.raises(FencedError):
            write(repository, ended, step)

    def test_the_new_owner_is_not_held_up(self, repository: JobRepository) -> None:
        old = repository.begin(request(lease=LAPSED))
        new = repository.begin(request(owner=DAY))
        with pytest.raises(FencedError):
            repository.save_job(old)
        save(repository, new, BatchStatus.COMPLETED)
        assert repository.find_execution(new.id).status is BatchStatus.COMPLETED
