"""How `begin` numbers a job's runs, and that it keeps no secret."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from batchrun.domain.parameters import MASK, RUN_ID, JobParameter, JobParameters, ParameterType
from batchrun.domain.status import BatchStatus
from batchrun.errors import InstanceCompleteError
from batchrun.spi.repository import JobRepository, LaunchRequest
from batchrun.testing.repository.parts import Opened, number, request, save, typed_request

_RACERS = 8


def _next(job_name: str = "load", *parameters: JobParameter) -> LaunchRequest:
    return replace(request(job_name), parameters=JobParameters(parameters), next_run=True)


def _day(text: str) -> JobParameter:
    return JobParameter("day", text)


class NumberingContract(Opened):
    """`LaunchRequest.next_run`, and parameters of type secret."""

    def test_runs_are_numbered_from_one_in_each_job(self, repository: JobRepository) -> None:
        begun = [repository.begin(_next(name)) for name in ("load", "load", "report", "load")]
        assert [each.parameters[RUN_ID] for each in begun] == [1, 2, 1, 3]
        assert len({each.instance.id for each in begun}) == 4

    def test_a_number_identifies_and_is_stored(self, repository: JobRepository) -> None:
        begun = repository.begin(_next("load", _day("1")))
        stored = repository.find_execution(begun.id).parameters.all()
        assert stored == begun.parameters.all()
        assert stored == (JobParameter("day", "1"), JobParameter(RUN_ID, 1, ParameterType.INTEGER))

    def test_the_number_counts_over_all_other_parameters_and_nothing_of_older_runs_is_kept(
        self, repository: JobRepository
    ) -> None:
        first = repository.begin(_next("load", _day("1")))
        second = repository.begin(_next())
        assert (first.parameters.run_id, dict(second.parameters)) == (1, {RUN_ID: 2})

    @pytest.mark.parametrize("status", [BatchStatus.FAILED, BatchStatus.STOPPED, BatchStatus.COMPLETED])
    def test_however_the_last_run_ended_a_new_one_starts(self, repository: JobRepository, status: BatchStatus) -> None:
        first = repository.begin(_next())
        save(repository, first, status)
        second = repository.begin(_next())
        assert (second.parameters.run_id, second.restart_of) == (2, None)

    def test_a_number_given_by_hand_counts(self, repository: JobRepository) -> None:
        repository.begin(typed_request(number(RUN_ID, 41)))
        repository.begin(typed_request(number(RUN_ID, 7)))
        assert repository.begin(_next()).parameters.run_id == 42

    def test_what_is_called_like_it_and_does_not_identify_does_not_count(self, repository: JobRepository) -> None:
        repository.begin(typed_request(number(RUN_ID, 41, identifying=False)))
        repository.begin(typed_request(JobParameter(RUN_ID, "17")))
        assert repository.begin(_next()).parameters.run_id == 1

    def test_a_number_beyond_all_measure_does_not_end_the_counting(self, repository: JobRepository) -> None:
        repository.begin(typed_request(number(RUN_ID, 2**80)))
        repository.begin(typed_request(number(RUN_ID, 2**63 - 1)))
        assert repository.begin(_next()).parameters.run_id == 1

    def test_a_launch_that_is_refused_takes_no_number(self, repository: JobRepository) -> None:
        first = repository.begin(_next())
        save(repository, first, BatchStatus.COMPLETED)
        with pytest.raises(InstanceCompleteError):
            repository.begin(typed_request(number(RUN_ID, 1)))
        assert repository.begin(_next()).parameters.run_id == 2

    def test_at_the_same_moment_each_gets_its_own(self, open_another: Callable[[], JobRepository]) -> None:
        gate = Barrier(_RACERS)
        racers = [open_another() for _ in range(_RACERS)]

        def race(place: int) -> int | None:
            gate.wait()
            by_hand = place == 0
            racing = typed_request(number(RUN_ID, 3)) if by_hand else _next("load", _day(str(place % 2)))
            return racers[place].begin(racing).parameters.run_id

        with ThreadPoolExecutor(_RACERS) as pool:
            numbers = list(pool.map(race, range(_RACERS)))
        assert numbers[0] == 3
        assert len(set(numbers[1:])) == _RACERS - 1, numbers

    def test_a_number_costs_one_statement_however_long_the_history(
        self, repository: JobRepository, statement_count: Callable[[], int]
    ) -> None:
        def cost(launch: LaunchRequest) -> int:
            before = statement_count()
            save(repository, repository.begin(launch), BatchStatus.COMPLETED)
            return statement_count() - before

        plain = cost(request(day="0"))
        first, *later = [cost(_next("load", _day("0"))) for _ in range(20)]
        assert first in (plain, plain + 1)
        assert set(later) == {first}

    def test_a_secret_is_not_kept(self, repository: JobRepository) -> None:
        password = JobParameter("password", "hunter2", ParameterType.SECRET, identifying=False)
        none = JobParameter("token", None, ParameterType.SECRET, identifying=False)
        begun = repository.begin(typed_request(password, none))
        stored = repository.find_execution(begun.id).parameters
        assert stored.all() == (replace(password, value=MASK), none)
