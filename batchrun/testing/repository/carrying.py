"""What is carried from one repository to another, and when it may come in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from batchrun.domain.carrying import (
    CarriedInstance,
    DivergedExportError,
    OtherOriginError,
    SupersededExportError,
)
from batchrun.domain.execution import Checkpoint, JobExecution, Owner, StepCounts
from batchrun.domain.parameters import JobParameter
from batchrun.domain.status import BatchStatus
from batchrun.errors import (
    ExecutionRunningError,
    InstanceCompleteError,
    NoSuchExecutionError,
    NotLatestExecutionError,
)
from batchrun.spi.repository import JobRepository
from batchrun.testing.memory_repository import MemoryJobRepository
from batchrun.testing.repository.parts import (
    DAY,
    LAPSED,
    Opened,
    add_step,
    begin_ended,
    number,
    request,
    save,
    typed_request,
)


def _alive(_owner: Owner) -> bool:
    return False


def _export(repository: JobRepository, execution: JobExecution) -> list[CarriedInstance]:
    return repository.export_instance(execution.id, _alive)


def _at(place: str, _parameter: JobParameter) -> str:
    return place


def _carry(repository: JobRepository, execution: JobExecution, to: JobRepository) -> JobExecution:
    return to.find_execution(to.import_instances(_export(repository, execution), _alive))


def _restart(repository: JobRepository, execution: JobExecution) -> JobExecution:
    return repository.begin(request(owner=DAY, restart_of=execution.id))


class CarryingContract(Opened):
    """`export_instance` and `import_instances`, to and from a repository in memory."""

    @pytest.fixture
    def elsewhere(self) -> JobRepository:
        """Another repository, which has given ids of its own already."""
        other = MemoryJobRepository()
        add_step(other, unrelated := other.begin(request("other")))
        save(other, unrelated, BatchStatus.COMPLETED)
        return other

    def test_all_of_an_instance_is_carried(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        first = repository.begin(typed_request(number("n", 3), number("limit", 5, identifying=False)))
        outer = add_step(repository, first, "outer")
        inner = add_step(repository, first, "outer/load", parent_id=outer.id)
        inner.checkpoint = Checkpoint(inner.id, inner.id, 3, {"offset": 9}, {"step": {"a": 1}}, StepCounts(read=30))
        inner.counts, inner.context = StepCounts(read=30), {"a": 1}
        repository.save_step(first, inner)
        first.flow, first.context = first.flow.enter("outer"), {"key": "é"}
        save(repository, first, BatchStatus.FAILED, "BROKEN")
        stored = repository.find_execution(first.id)

        carried = _carry(repository, first, elsewhere)
        assert carried.id != first.id
        assert carried.instance.known_as(elsewhere.id) == first.instance.known_as(repository.id)
        assert carried.instance.identity == first.instance.identity
        assert carried.parameters.all() == stored.parameters.all()
        for name in ("owner", "token", "status", "exit_status", "created_at", "flow", "context", "job_hash"):
            assert getattr(carried, name) == getattr(stored, name), name
        for before, after in zip(stored.steps, carried.steps, strict=True):
            assert (after.number, after.checkpoint, after.counts) == (before.number, before.checkpoint, before.counts)
            assert after.context == before.context
        assert carried.steps[1].parent_id == carried.steps[0].id

    def test_the_carried_instance_goes_on_under_a_higher_token(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED)
        carried = _carry(elsewhere, failed, repository)
        restarted = _restart(repository, carried)
        assert restarted.restart_of == carried.id
        assert restarted.instance.is_carried
        assert restarted.token > 10**15 > _restart(elsewhere, failed).token

    def test_a_later_import_elsewhere_has_a_higher_token(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED)
        third = MemoryJobRepository()
        earlier = _restart(third, _carry(elsewhere, failed, third))
        assert _restart(repository, _carry(elsewhere, failed, repository)).token > earlier.token

    def test_an_export_makes_the_instance_a_carried_one(self, repository: JobRepository) -> None:
        failed = begin_ended(repository, BatchStatus.FAILED)
        assert not failed.instance.is_carried
        _export(repository, failed)
        assert repository.find_execution(failed.id).instance.is_carried
        assert _restart(repository, failed).instance.is_carried

    def test_new_steps_of_a_carried_instance_get_numbers_that_nobody_else_gives(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        failed = elsewhere.begin(request())
        old = add_step(elsewhere, failed)
        save(elsewhere, failed, BatchStatus.FAILED)
        running = _restart(repository, _carry(elsewhere, failed, repository))
        new = add_step(repository, running)
        assert old.number == old.id
        assert new.number > 2**52 > old.number
        assert repository.last_visits(running)[-1].number == new.number

    def test_the_attempt_elsewhere_that_committed_is_corrected(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        failed = elsewhere.begin(request())
        steps = [add_step(elsewhere, failed, name) for name in ("load", "report")]
        save(elsewhere, failed, BatchStatus.FAILED)
        running = _restart(repository, _carry(elsewhere, failed, repository))
        counts = StepCounts(read=9, write=9, commit=1)
        repository.correct_step(running, Checkpoint(steps[1].number, steps[1].number, 1, counts=counts))
        load, report = repository.find_execution(running.restart_of or 0).steps
        assert (load.counts, report.counts) == (StepCounts(), counts)

    def test_the_same_export_comes_in_once(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED)
        carried = _export(elsewhere, failed)
        ids = [repository.import_instances(carried, _alive) for _ in range(3)]
        assert len(set(ids)) == 1
        assert len(repository.find_executions()) == 1

    def test_the_same_export_may_come_in_with_its_files_in_another_place(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED, file="/old/a.csv")
        exported = _export(elsewhere, failed)
        for place in ("/first/a.csv", "/second/a.csv"):
            moved = [each.moved(partial(_at, place), lambda _file: "job.yaml") for each in exported]
            execution_id = repository.import_instances(moved, _alive)
        found = repository.begin(request(file="/second/a.csv"))
        assert found.restart_of == execution_id
        assert repository.find_execution(execution_id).job_file == "job.yaml"

    def test_an_older_export_is_refused(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED)
        old = _export(elsewhere, failed)
        restarted = _restart(repository, _carry(elsewhere, failed, repository))
        with pytest.raises(SupersededExportError) as refused:
            repository.import_instances(old, _alive)
        assert refused.value.execution_id == restarted.id

    def test_a_newer_export_adds_what_is_missing(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        failed = elsewhere.begin(request())
        add_step(elsewhere, failed)
        save(elsewhere, failed, BatchStatus.FAILED)
        here = _carry(elsewhere, failed, repository)
        again = _restart(repository, here)
        add_step(repository, again)
        save(repository, again, BatchStatus.FAILED)
        back = _carry(repository, again, elsewhere)
        assert back.restart_of == failed.id
        assert [step.number for step in back.steps] == [
            step.number for step in repository.find_execution(again.id).steps
        ]
        assert [each.id for each in elsewhere.find_executions()][:2] == [back.id, failed.id]
        assert _restart(elsewhere, back).token > again.token

    def test_what_went_on_in_two_places_is_refused(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED)
        here = _carry(elsewhere, failed, repository)
        for each, execution in ((elsewhere, failed), (repository, here)):
            save(each, _restart(each, execution), BatchStatus.FAILED)
        last = elsewhere.find_executions(limit=1)[0]
        with pytest.raises(DivergedExportError):
            repository.import_instances(_export(elsewhere, last), _alive)
        assert len(repository.find_executions()) == 2

    def test_another_instance_of_the_same_parameters_is_in_the_way(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        failed = begin_ended(elsewhere, BatchStatus.FAILED)
        own = begin_ended(repository, BatchStatus.FAILED)
        with pytest.raises(OtherOriginError) as refused:
            _carry(elsewhere, failed, repository)
        assert refused.value.execution_id == own.id

    def test_what_runs_is_not_exported(self, repository: JobRepository) -> None:
        running = repository.begin(request())
        with pytest.raises(ExecutionRunningError):
            _export(repository, running)
        assert not repository.find_execution(running.id).instance.is_carried

    def test_what_is_dead_is_exported_as_failed(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        dead = repository.begin(request(lease=LAPSED))
        add_step(repository, dead)
        carried = _carry(repository, dead, elsewhere)
        assert (carried.status, carried.steps[0].status) == (BatchStatus.FAILED, BatchStatus.FAILED)
        assert repository.find_execution(dead.id).status is BatchStatus.FAILED

    def test_only_the_last_execution_names_an_instance(self, repository: JobRepository) -> None:
        failed = begin_ended(repository, BatchStatus.FAILED)
        last = begin_ended(repository, BatchStatus.FAILED)
        with pytest.raises(NotLatestExecutionError, match=f"execution {last.id} came after it"):
            _export(repository, failed)
        with pytest.raises(NoSuchExecutionError):
            repository.export_instance(99, _alive)
        assert len(_export(repository, last)[0].executions) == 2

    def test_child_jobs_are_carried_with_their_parent(
        self, repository: JobRepository, elsewhere: JobRepository
    ) -> None:
        parent = repository.begin(request("parent"))
        step = add_step(repository, parent, "child")
        child = repository.begin(replace(request("child", day="1"), parent_step_id=step.id))
        save(repository, child, BatchStatus.COMPLETED)
        begin_ended(repository, BatchStatus.COMPLETED, job_name="unrelated")
        save(repository, parent, BatchStatus.FAILED)
        carried = _carry(repository, parent, elsewhere)
        with pytest.raises(InstanceCompleteError) as complete:
            elsewhere.begin(request("child", day="1"))
        found = elsewhere.find_execution(complete.value.execution_id)
        assert found.parent_step_id == carried.steps[0].id
        assert "unrelated" not in elsewhere.job_names()

    def test_a_number_of_a_run_is_not_given_again(self, repository: JobRepository, elsewhere: JobRepository) -> None:
        numbered = elsewhere.begin(replace(request(), next_run=True))
        save(elsewhere, numbered, BatchStatus.FAILED)
        _carry(elsewhere, numbered, repository)
        assert repository.begin(replace(request(), next_run=True)).parameters.run_id == 2
