"""Step executions: what is stored of them, and what a restart asks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from batchrun.domain.execution import Checkpoint, JobExecution, StepCounts, StepExecution, StepTimes
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.spi.repository import JobRepository
from batchrun.testing.repository.parts import (
    LAPSED,
    LONG,
    Opened,
    add_step,
    begin_ended,
    now,
    request,
    save,
)

_COUNTS = StepCounts(
    read=5_000_000_000, write=4, filter=3, read_skip=2, process_skip=1, write_skip=6, commit=7, rollback=8
)

Save = Callable[[JobRepository, JobExecution, StepExecution], None]
_SAVES: dict[str, Save] = {
    "save_step": lambda repository, execution, step: repository.save_step(execution, step),
    "save_progress": lambda repository, execution, step: repository.save_progress(execution, step),
}

each_save = pytest.mark.parametrize("save_it", _SAVES.values(), ids=_SAVES)


class StepContract(Opened):
    """`add_step`, `save_step`, `save_progress`, `correct_step`, `last_visits`, `count_step_starts`."""

    def test_steps_get_ids_that_grow(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        ids = [add_step(repository, execution).id for _ in range(3)]
        assert ids[0] > 0
        assert ids == sorted(set(ids))

    def test_an_added_step_is_stored_whole(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        parent = add_step(repository, execution, "copy", visit=3)
        partition = add_step(repository, execution, "copy:p1", checkpoint=_checkpoint(parent), parent_id=parent.id)
        assert repository.find_execution(execution.id).steps == [parent, partition]

    @each_save
    def test_a_saved_step_is_stored_whole(self, repository: JobRepository, save_it: Save) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        other = add_step(repository, execution, "other")
        step.status, step.exit_status = BatchStatus.FAILED, ExitStatus("BAD INPUT", "line 7: käse ☃ 💥")
        step.counts, step.visit, step.ended_at = _COUNTS.copy(), 2, now()
        step.checkpoint = _checkpoint(step)
        step.times = StepTimes(read=0.125, process=2, encode=0.000001, write=100_000.5, commit=3, wait=4)
        save_it(repository, execution, step)
        assert repository.find_execution(execution.id).steps == [step, other]

    @each_save
    def test_what_is_saved_is_seen_by_others(
        self, repository: JobRepository, open_another: Callable[[], JobRepository], save_it: Save
    ) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        other = open_another()
        for read in (10, 20):
            step.counts.read = read
            save_it(repository, execution, step)
            assert other.find_execution(execution.id).steps[0].counts.read == read

    def test_what_was_saved_does_not_follow_the_caller(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        repository.save_progress(execution, step)
        step.counts.read = 99
        assert repository.find_execution(execution.id).steps[0].counts.read == 0

    def test_a_description_that_quotes_bad_data_is_stored(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        step.exit_status = ExitStatus("FAILED", "invalid field 'a\0b' in 'caf\udce9.csv' " + "x" * 100_000)
        repository.save_step(execution, step)
        stored = repository.find_execution(execution.id).steps[0].exit_status
        assert stored.code == "FAILED"
        assert stored.description.startswith("invalid field 'a")
        assert stored.description.endswith("x" * 100_000)

    def test_a_position_of_any_text_comes_back(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        position = {"after": ["a\0b", "\udce9", "☃", 2**63, 0.1, None, True], "nested": {"": []}}
        step.checkpoint = Checkpoint(position=position)
        repository.save_progress(execution, step)
        (last,) = repository.last_visits(execution)
        assert last.checkpoint.position == position

    def test_the_attempts_at_the_last_visit_are_those_of_all_executions_of_the_instance(
        self, repository: JobRepository
    ) -> None:
        first = repository.begin(request(day="1"))
        add_step(repository, first, "copy")
        second_visit = add_step(repository, first, "copy", visit=2)
        other = add_step(repository, first, "other")
        save(repository, first, BatchStatus.FAILED)
        begin_ended(repository, BatchStatus.FAILED, day="1")
        third = repository.begin(request(day="1"))
        assert repository.last_visits(third) == [second_visit, other]
        own = add_step(repository, third, "copy", visit=2)
        assert repository.last_visits(third) == [second_visit, other, own]

    def test_steps_of_other_instances_do_not_count(self, repository: JobRepository) -> None:
        yesterday = repository.begin(request(day="1"))
        add_step(repository, yesterday)
        other_job = repository.begin(request("report", day="2"))
        add_step(repository, other_job)
        today = repository.begin(request(day="2"))
        assert repository.last_visits(today) == []
        assert repository.count_step_starts(today, "copy") == 0

    def test_the_context_of_a_step_comes_back_with_its_checkpoint(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        step.context = {"day": "2026-07-30"}
        step.checkpoint = Checkpoint(run=step.id, contexts={"step": dict(step.context)})
        repository.save_progress(execution, step)
        assert [each.context for each in repository.last_visits(execution)] == [{"day": "2026-07-30"}]

    def test_starts_are_counted_over_executions(self, repository: JobRepository) -> None:
        for expected in (1, 2, 3):
            execution = repository.begin(request())
            add_step(repository, execution, "copy")
            add_step(repository, execution, "other")
            assert repository.count_step_starts(execution, "copy") == expected
            save(repository, execution, BatchStatus.FAILED)

    def test_the_attempt_that_committed_is_corrected(self, repository: JobRepository) -> None:
        dead = repository.begin(request(lease=LAPSED))
        attempt = add_step(repository, dead)
        bystander = add_step(repository, dead, "other", BatchStatus.COMPLETED)
        owner = repository.begin(request())
        committed = _checkpoint(attempt)
        for _ in range(2):
            repository.correct_step(owner, committed)
            corrected, other = repository.find_execution(dead.id).steps
            assert (corrected.checkpoint, corrected.counts) == (committed, _COUNTS)
            assert corrected.status is BatchStatus.FAILED
            assert other == bystander

    def test_a_checkpoint_of_no_attempt_corrects_nothing(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        repository.correct_step(execution, Checkpoint(run=step.id))
        assert repository.find_execution(execution.id).steps == [step]

    def test_threads_share_a_repository(self, repository: JobRepository) -> None:
        execution = repository.begin(request(lease=timedelta(seconds=30)))
        steps = [add_step(repository, execution, f"copy{place}") for place in range(4)]

        def work(step: StepExecution) -> None:
            for _ in range(25):
                step.counts.read += 1
                repository.save_progress(execution, step)
                repository.renew_lease(execution, LONG)
                assert repository.find_execution(execution.id).status is BatchStatus.STARTING

        with ThreadPoolExecutor(len(steps)) as pool:
            list(pool.map(work, steps))
        assert repository.find_execution(execution.id).steps == steps


def _checkpoint(step: StepExecution) -> Checkpoint:
    return Checkpoint(
        run=step.id,
        attempt=step.id,
        sequence=12,
        position={"offset": 5_000_000_000, "row": 3},
        contexts={"writer": {"bytes": 1024, "file": "käse.csv"}},
        counts=_COUNTS.copy(),
        finished=True,
    )
