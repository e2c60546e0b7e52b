"""What the parts of the contract suite share: how a repository is opened, and requests, owners and steps to use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from batchrun.domain.execution import JobExecution, Owner, StepExecution
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.spi.repository import JobRepository, LaunchRequest

NIGHT = Owner("nightbox", 4711, "boot-1/pid:[1]", 987_654_321_012)
DAY = Owner("daybox", 12, "boot-2/pid:[1]", 34)
LONG = timedelta(minutes=5)
LAPSED = timedelta(seconds=-1)
"""A lease that has ended before it begins: its owner counts as dead without any waiting."""

RUNNING = [status for status in BatchStatus if status.is_running]


class Opened:
    """The fixture `repository`, from the implementation's `open_repository`."""

    @pytest.fixture
    def open_another(self, open_repository: Callable[[], JobRepository]) -> Iterator[Callable[[], JobRepository]]:
        """Opens the same repository again, as another process would."""
        with ExitStack() as opened:
            yield lambda: opened.enter_context(closing(open_repository()))

    @pytest.fixture
    def repository(self, open_another: Callable[[], JobRepository]) -> JobRepository:
        """The repository under test, empty."""
        return open_another()


def request(
    job_name: str = "load",
    *,
    owner: Owner = NIGHT,
    lease: timedelta = LONG,
    gone: tuple[Owner, ...] = (),
    restart_of: int | None = None,
    **parameters: str,
) -> LaunchRequest:
    """Returns a launch request with identifying string parameters."""
    given = [JobParameter(name, value) for name, value in parameters.items()]
    return LaunchRequest(job_name, JobParameters(given), owner, lease, gone.__contains__, restart_of=restart_of)


def typed_request(*parameters: JobParameter) -> LaunchRequest:
    """Returns a launch request with any parameters."""
    return LaunchRequest("load", JobParameters(parameters), NIGHT, LONG, lambda _owner: False)


def number(name: str, value: int, *, identifying: bool = True) -> JobParameter:
    """Returns a parameter of type integer."""
    return JobParameter(name, value, ParameterType.INTEGER, identifying)


def save(repository: JobRepository, execution: JobExecution, status: BatchStatus, code: str = "") -> None:
    """Saves the execution with a status."""
    execution.status, execution.exit_status = status, ExitStatus(code or status.name)
    repository.save_job(execution)


def begin_ended(repository: JobRepository, status: BatchStatus, **options: Any) -> JobExecution:
    """Returns an execution that has been begun and has ended."""
    execution = repository.begin(request(**options))
    save(repository, execution, status)
    return execution


def add_step(
    repository: JobRepository,
    execution: JobExecution,
    name: str = "copy",
    status: BatchStatus = BatchStatus.STARTED,
    **fields: Any,
) -> StepExecution:
    """Returns a step execution that has been added."""
    step = StepExecution(0, execution.id, name, status=status, started_at=now(), **fields)
    repository.add_step(execution, step)
    return step


def now() -> datetime:
    """Returns the time, to the microsecond."""
    return datetime.now(UTC)
