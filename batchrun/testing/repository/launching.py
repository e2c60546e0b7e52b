"""Who may begin an execution: the launch table of SEMANTICS section 1, on a real store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest

from batchrun.domain.execution import JobExecution
from batchrun.domain.parameters import MASK, JobParameter, ParameterType, ParameterValue
from batchrun.domain.position import FlowPosition
from batchrun.domain.status import BatchStatus
from batchrun.errors import (
    BatchrunError,
    ExecutionRunningError,
    InstanceAbandonedError,
    InstanceCompleteError,
    JobFileChangedError,
    NotLatestExecutionError,
)
from batchrun.spi.repository import JobRepository
from batchrun.testing.repository.parts import (
    DAY,
    LAPSED,
    LONG,
    NIGHT,
    RUNNING,
    Opened,
    add_step,
    begin_ended,
    number,
    request,
    save,
    typed_request,
)

_RACERS = 8
_EXAMPLES: dict[ParameterType, ParameterValue] = {
    ParameterType.STRING: "käse 'n\" ☃ \n",
    ParameterType.INTEGER: -(2**70),
    ParameterType.FLOAT: 0.1,
    ParameterType.DECIMAL: Decimal("1234567890.0123456789000"),
    ParameterType.BOOLEAN: False,
    ParameterType.DATE: date(2024, 2, 29),
    ParameterType.DATETIME: datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
    ParameterType.DURATION: timedelta(days=3, microseconds=1),
    ParameterType.PATH: "/data/trades.csv",
    ParameterType.CHOICE: "full",
    ParameterType.LIST: ("a", "b,c", ""),
    ParameterType.SECRET: MASK,
}


class LaunchingContract(Opened):
    """`begin`: instances, refusals, continuation, takeover."""

    def test_the_id_is_the_same_for_all_who_open_it(
        self, repository: JobRepository, open_another: Callable[[], JobRepository]
    ) -> None:
        assert repository.id
        assert open_another().id == repository.id

    def test_a_new_execution_is_starting_and_stored(self, repository: JobRepository) -> None:
        begun = repository.begin(request(day="1"))
        assert begun.status is BatchStatus.STARTING
        assert (begun.job_name, begun.owner, begun.restart_of, begun.flow) == ("load", NIGHT, None, FlowPosition())
        assert begun.token > 0
        _assert_stored(repository, begun)

    def test_identifying_parameters_make_an_instance(self, repository: JobRepository) -> None:
        one = repository.begin(request(day="1"))
        two = repository.begin(request(day="2"))
        other_job = repository.begin(request("report", day="1"))
        as_number = repository.begin(typed_request(number("day", 1)))
        assert len({each.instance.id for each in (one, two, other_job, as_number)}) == 4

    def test_other_parameters_make_none(self, repository: JobRepository) -> None:
        repository.begin(typed_request(number("day", 1), number("limit", 10, identifying=False)))
        with pytest.raises(ExecutionRunningError):
            repository.begin(typed_request(number("day", 1), number("limit", 20, identifying=False)))

    def test_without_parameters_there_is_one_instance(self, repository: JobRepository) -> None:
        repository.begin(request())
        with pytest.raises(ExecutionRunningError):
            repository.begin(request())

    @pytest.mark.parametrize("status", RUNNING)
    @pytest.mark.parametrize("restarts", [False, True])
    def test_a_living_owner_refuses(self, repository: JobRepository, status: BatchStatus, restarts: bool) -> None:
        running = repository.begin(request())
        save(repository, running, status)
        with pytest.raises(ExecutionRunningError, match=rf"execution {running.id}, host nightbox, pid 4711"):
            repository.begin(request(owner=DAY, restart_of=running.id if restarts else None))
        assert len(repository.find_executions()) == 1

    @pytest.mark.parametrize("restarts", [False, True])
    def test_a_complete_instance_refuses(self, repository: JobRepository, restarts: bool) -> None:
        done = begin_ended(repository, BatchStatus.COMPLETED, day="1")
        with pytest.raises(InstanceCompleteError, match="already completed"):
            repository.begin(request(day="1", restart_of=done.id if restarts else None))
        assert len(repository.find_executions()) == 1

    def test_an_abandoned_instance_refuses(self, repository: JobRepository) -> None:
        begin_ended(repository, BatchStatus.ABANDONED)
        with pytest.raises(InstanceAbandonedError):
            repository.begin(request())

    @pytest.mark.parametrize("status", [BatchStatus.FAILED, BatchStatus.STOPPED])
    @pytest.mark.parametrize("restarts", [False, True])
    def test_one_that_ended_early_is_continued(
        self, repository: JobRepository, status: BatchStatus, restarts: bool
    ) -> None:
        first = repository.begin(request(day="1"))
        first.flow = FlowPosition().enter("load").enter("check").enter("load")
        first.context = {"day": "2026-07-30", "files": [1, 2]}
        save(repository, first, status)
        second = repository.begin(request(day="1", owner=DAY, restart_of=first.id if restarts else None))
        assert second.instance == first.instance
        assert (second.restart_of, second.flow, second.owner) == (first.id, first.flow, DAY)
        assert second.context == first.context
        assert second.id > first.id
        assert second.token > first.token
        _assert_stored(repository, second)

    def test_a_restart_keeps_its_own_values_of_other_parameters(self, repository: JobRepository) -> None:
        first = repository.begin(typed_request(number("day", 1), number("limit", 10, identifying=False)))
        save(repository, first, BatchStatus.FAILED)
        second = repository.begin(typed_request(number("day", 1), number("limit", 20, identifying=False)))
        assert repository.find_execution(first.id).parameters["limit"] == 10
        assert repository.find_execution(second.id).parameters["limit"] == 20

    @pytest.mark.parametrize("status", [*RUNNING, BatchStatus.COMPLETED, BatchStatus.FAILED])
    def test_only_the_last_execution_restarts(self, repository: JobRepository, status: BatchStatus) -> None:
        first = begin_ended(repository, BatchStatus.FAILED)
        second = repository.begin(request())
        save(repository, second, status)
        with pytest.raises(NotLatestExecutionError) as refused:
            repository.begin(request(restart_of=first.id))
        assert refused.value.hint == f"batchrun restart {second.id}"

    @pytest.mark.parametrize("status", RUNNING)
    def test_a_lapsed_lease_is_taken_over(self, repository: JobRepository, status: BatchStatus) -> None:
        dead = repository.begin(request(lease=LAPSED))
        save(repository, dead, status)
        taken = repository.begin(request(owner=DAY))
        assert (taken.restart_of, taken.owner) == (dead.id, DAY)
        assert taken.token > dead.token
        self._assert_found_dead(repository, dead)

    def test_a_process_that_is_gone_is_taken_over_at_once(self, repository: JobRepository) -> None:
        dead = repository.begin(request(lease=LONG))
        repository.begin(request(owner=DAY, gone=(NIGHT,)))
        self._assert_found_dead(repository, dead)

    def test_who_forbids_the_continuation_is_asked_before_anything_is_written(self, repository: JobRepository) -> None:
        dead = repository.begin(replace(request(lease=LAPSED), job_text="steps: [a]"))
        asked: list[JobExecution] = []

        def forbid(last: JobExecution) -> None:
            asked.append(last)
            raise JobFileChangedError(last.job_name, last.id, "step 'a' is gone", "bring it back")

        with pytest.raises(JobFileChangedError):
            repository.begin(replace(request(), may_continue=forbid))
        assert [(each.id, each.job_text, each.flow) for each in asked] == [(dead.id, "steps: [a]", dead.flow)]
        assert [each.status for each in repository.find_executions()] == [dead.status]

    def test_running_steps_of_a_dead_process_end_with_it(self, repository: JobRepository) -> None:
        dead = repository.begin(request(lease=LAPSED))
        done = add_step(repository, dead, "fetch", BatchStatus.COMPLETED)
        running = add_step(repository, dead, "copy", BatchStatus.STARTED)
        repository.begin(request(owner=DAY))
        stored = {step.id: step for step in repository.find_execution(dead.id).steps}
        assert stored[done.id] == done
        assert stored[running.id].status is BatchStatus.FAILED
        assert "found dead" in stored[running.id].exit_status.description
        assert stored[running.id].ended_at is not None

    def test_a_renewed_lease_keeps_others_out(self, repository: JobRepository) -> None:
        running = repository.begin(request(lease=LAPSED))
        repository.renew_lease(running, LONG)
        with pytest.raises(ExecutionRunningError):
            repository.begin(request(owner=DAY))
        repository.renew_lease(running, LAPSED)
        assert repository.begin(request(owner=DAY)).restart_of == running.id

    def test_tokens_grow_with_each_execution(self, repository: JobRepository) -> None:
        tokens = [begin_ended(repository, BatchStatus.FAILED).token for _ in range(4)]
        assert tokens == sorted(set(tokens))

    @pytest.mark.parametrize("continues", [False, True])
    def test_of_many_at_the_same_moment_one_begins(
        self, repository: JobRepository, open_another: Callable[[], JobRepository], continues: bool
    ) -> None:
        if continues:
            begin_ended(repository, BatchStatus.FAILED)
        gate = Barrier(_RACERS)
        racers = [open_another() for _ in range(_RACERS)]

        def race(racer: JobRepository) -> JobExecution | BatchrunError:
            gate.wait()
            try:
                return racer.begin(request())
            except BatchrunError as refused:
                return refused

        with ThreadPoolExecutor(_RACERS) as pool:
            results = list(pool.map(race, racers))
        begun = [result for result in results if isinstance(result, JobExecution)]
        refused = [result for result in results if isinstance(result, ExecutionRunningError)]
        assert (len(begun), len(refused)) == (1, _RACERS - 1), results
        assert {each.execution_id for each in refused} == {begun[0].id}

    def test_all_types_of_parameters_come_back(self, repository: JobRepository) -> None:
        parameters = tuple(
            JobParameter(kind.name, _EXAMPLES[kind], kind, identifying=kind is not ParameterType.LIST)
            for kind in ParameterType
        )
        days = JobParameter("days", (date(2024, 2, 29),), ParameterType.LIST, items=ParameterType.DATE)
        without_value = JobParameter("nothing", None)
        begun = repository.begin(typed_request(*parameters, days, without_value))
        assert repository.find_execution(begun.id).parameters.all() == (*parameters, days, without_value)

    def _assert_found_dead(self, repository: JobRepository, dead: JobExecution) -> None:
        stored = repository.find_execution(dead.id)
        assert stored.status is BatchStatus.FAILED
        assert stored.exit_status.code == "FAILED"
        assert "host nightbox, pid 4711" in stored.exit_status.description
        assert "found dead" in stored.exit_status.description
        assert stored.ended_at is not None


def _assert_stored(repository: JobRepository, execution: JobExecution) -> None:
    stored = repository.find_execution(execution.id)
    assert stored.parameters.all() == execution.parameters.all()
    stored.parameters = execution.parameters
    assert stored == execution
