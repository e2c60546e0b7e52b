"""Executions as they are saved and found: whole, newest first, and at a cost that history does not raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from batchrun.domain.parameters import JobParameter
from batchrun.domain.position import FlowPosition
from batchrun.domain.selection import ExecutionFilter
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import NoSuchExecutionError, UsageError
from batchrun.spi.repository import JobRepository
from batchrun.testing.repository.parts import LONG, RUNNING, Opened, add_step, begin_ended, request, save


class HistoryContract(Opened):
    """`save_job`, `find_execution`, `find_executions`, `later_execution_id`, `last_execution`, `job_names`."""

    def test_an_execution_comes_back_whole(
        self, repository: JobRepository, open_another: Callable[[], JobRepository]
    ) -> None:
        asked = replace(request(day="1"), job_file="/jobs/läden.yaml", job_text="name: load\n# ☃\n" * 1000)
        execution = repository.begin(asked)
        execution.status, execution.exit_status = BatchStatus.STOPPED, ExitStatus("HALF WAY", "stopped by ☃")
        execution.started_at = datetime(2024, 2, 29, 23, 59, 59, 123_456, tzinfo=UTC)
        execution.ended_at = datetime(2024, 3, 1, 0, 0, 0, 1, tzinfo=UTC)
        execution.flow = FlowPosition().enter("load").enter("check").enter("load")
        repository.save_job(execution)
        stored = open_another().find_execution(execution.id)
        assert stored.parameters.all() == (JobParameter("day", "1"),)
        stored.parameters = execution.parameters
        assert stored == execution

    def test_times_are_utc_whatever_zone_they_come_in(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        seoul = datetime(2024, 3, 1, 8, 30, tzinfo=timezone(timedelta(hours=9)))
        execution.started_at = seoul
        repository.save_job(execution)
        stored = repository.find_execution(execution.id)
        assert stored.started_at == seoul
        assert stored.created_at == execution.created_at
        assert stored.created_at.utcoffset() == timedelta(0)

    def test_saving_a_job_leaves_its_steps_alone(self, repository: JobRepository) -> None:
        execution = repository.begin(request())
        steps = [add_step(repository, execution, name) for name in ("fetch", "copy", "settle")]
        save(repository, execution, BatchStatus.COMPLETED)
        assert repository.find_execution(execution.id).steps == steps

    def test_an_unknown_id_is_wrong_usage(self, repository: JobRepository) -> None:
        with pytest.raises(NoSuchExecutionError, match="no execution 4711") as unknown:
            repository.find_execution(4711)
        assert isinstance(unknown.value, UsageError)

    def test_an_empty_repository_has_no_history(self, repository: JobRepository) -> None:
        assert repository.find_executions() == []

    def test_history_is_newest_first(self, repository: JobRepository) -> None:
        made = [begin_ended(repository, BatchStatus.FAILED, day=str(day % 2)).id for day in range(5)]
        assert [each.id for each in repository.find_executions()] == made[::-1]
        assert [each.id for each in repository.find_executions(limit=2)] == made[:-3:-1]
        assert repository.find_executions(limit=0) == []

    def test_history_goes_by_job_and_status(self, repository: JobRepository) -> None:
        failed = begin_ended(repository, BatchStatus.FAILED, job_name="load").id
        done = begin_ended(repository, BatchStatus.COMPLETED, job_name="load").id
        running = repository.begin(request("report")).id
        asked = {
            "load": ExecutionFilter(job_names=["load"]),
            "failed": ExecutionFilter(statuses=[BatchStatus.FAILED]),
            "two": ExecutionFilter(statuses=(BatchStatus.STARTING, BatchStatus.FAILED)),
            "both": ExecutionFilter(job_names={"report"}, statuses={BatchStatus.STARTING}),
            "jobs": ExecutionFilter(job_names=["load", "report"]),
            "older": ExecutionFilter(before_id=running),
            "none": ExecutionFilter(job_names=["nothing"]),
        }
        found = {name: repository.find_executions(chosen) for name, chosen in asked.items()}
        found["last"] = repository.find_executions(asked["load"], limit=1)
        assert {name: [each.id for each in executions] for name, executions in found.items()} == {
            "load": [done, failed],
            "failed": [failed],
            "two": [running, failed],
            "both": [running],
            "jobs": [running, done, failed],
            "older": [done, failed],
            "none": [],
            "last": [done],
        }

    def test_history_knows_a_running_execution_that_was_asked_to_stop(self, repository: JobRepository) -> None:
        asked, running = (begin_ended(repository, BatchStatus.STARTED, day=day).id for day in "12")
        repository.request_stop(asked, lambda _owner: False)
        begin_ended(repository, BatchStatus.STOPPED, day="3")

        def found(*statuses: BatchStatus) -> list[int]:
            return [each.id for each in repository.find_executions(ExecutionFilter(statuses=statuses))]

        assert found(BatchStatus.STOPPING) == [asked]
        assert found(BatchStatus.STARTED) == [running]
        assert found(BatchStatus.STARTED, BatchStatus.STOPPING) == [running, asked]
        assert found(*RUNNING) == [running, asked]
        assert found(BatchStatus.STARTING) == []

    def test_history_goes_by_time(self, repository: JobRepository) -> None:
        made = [begin_ended(repository, BatchStatus.FAILED, day=str(day)) for day in range(3)]
        first, second, third = (each.created_at for each in made)

        def found(since: datetime | None, until: datetime | None) -> list[int]:
            return [each.id for each in repository.find_executions(ExecutionFilter(since=since, until=until))]

        ids = [each.id for each in made]
        assert found(second, None) == ids[:0:-1]
        assert found(None, second) == ids[:1]
        assert found(first, third) == ids[1::-1]
        assert found(third + timedelta(days=1), None) == found(None, first) == []

    def test_history_goes_by_parameters(self, repository: JobRepository) -> None:
        long = "x" * 5_000
        for desk, day in (("a", "1"), ("a", "2"), ("b", "1"), (long, "1")):
            begin_ended(repository, BatchStatus.COMPLETED, desk=desk, day=day)

        def found(**parameters: tuple[str, ...]) -> list[tuple[object, ...]]:
            executions = repository.find_executions(ExecutionFilter(parameters=parameters))
            return [tuple(each.parameters.values()) for each in executions]

        assert found(day=("1",)) == [(long, "1"), ("b", "1"), ("a", "1")]
        assert found(desk=("a", "b"), day=("1",)) == [("b", "1"), ("a", "1")]
        assert found(desk=(long,)) == [(long, "1")]
        assert found(desk=(long + "x",)) == found(des=("a",)) == []

    def test_the_later_execution_is_the_next_of_the_instance(self, repository: JobRepository) -> None:
        one, other, two, three = (begin_ended(repository, BatchStatus.FAILED, day=day) for day in "1211")
        assert [repository.later_execution_id(each) for each in (one, other, two, three)] == [
            two.id,
            None,
            three.id,
            None,
        ]

    def test_the_last_execution_of_an_instance_comes_with_its_steps(self, repository: JobRepository) -> None:
        _, other, last = (begin_ended(repository, BatchStatus.FAILED, day=day) for day in "121")
        found = [repository.last_execution("load", request(day=day).parameters.identity()) for day in "123"]
        assert [each and each.id for each in found] == [last.id, other.id, None]
        assert repository.last_execution("unload", request(day="1").parameters.identity()) is None

    def test_jobs_are_known_by_their_names(self, repository: JobRepository) -> None:
        assert repository.job_names() == []
        for number, name in enumerate(("report", "load", "load", "Löschen", "b")):
            begin_ended(repository, BatchStatus.COMPLETED, job_name=name, number=str(number))
        assert repository.job_names() == ["Löschen", "b", "load", "report"]

    def test_each_execution_has_its_own_steps_and_parameters(self, repository: JobRepository) -> None:
        for day in ("1", "2", "3"):
            execution = repository.begin(request(day=day))
            add_step(repository, execution, f"copy{day}")
            add_step(repository, execution, f"settle{day}")
        found = [
            (each.parameters["day"], [step.step_name for step in each.steps]) for each in repository.find_executions()
        ]
        assert found == [(day, [f"copy{day}", f"settle{day}"]) for day in ("3", "2", "1")]

    def test_history_does_not_raise_the_number_of_statements(
        self, repository: JobRepository, statement_count: Callable[[], int]
    ) -> None:
        def cost() -> list[int]:
            counts = [statement_count()]

            def done() -> None:
                counts.append(statement_count())

            execution = repository.begin(request(day="1"))
            done()
            step = add_step(repository, execution)
            done()
            repository.save_progress(execution, step)
            done()
            repository.renew_lease(execution, LONG)
            done()
            repository.last_visits(execution)
            done()
            save(repository, execution, BatchStatus.FAILED)
            done()
            repository.find_executions()
            done()
            return [after - before for before, after in pairwise(counts)]

        cost()
        early = cost()
        for day in range(15):
            begin_ended(repository, BatchStatus.FAILED, day=str(day))
        for _ in range(10):
            cost()
        assert cost() == early
