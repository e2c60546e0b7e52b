"""Reads from Python what has been run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from batchrun.embedding.launching import application_of

if TYPE_CHECKING:
    from batchrun.domain.execution import JobExecution
    from batchrun.domain.status import BatchStatus
    from batchrun.spi.repository import JobRepository

Moment = datetime | date | timedelta
"""A moment; a day stands for its beginning, a duration counts back from now. Without a time zone it is local."""


def history(
    job: str | Collection[str] = (),
    /,
    *,
    status: BatchStatus | Collection[BatchStatus] = (),
    since: Moment | None = None,
    until: Moment | None = None,
    parameters: Mapping[str, object] | None = None,
    limit: int | None = 20,
    repository: str | JobRepository | None = None,
    project: str | Path | None = None,
) -> list[JobExecution]:
    """Returns executions with their steps, newest first.

    Args:
        job: the name of a job or several; `*` stands for any characters and `?` for one.
        status: one or several.
        since: created then or later.
        until: created before then.
        parameters: values that they were launched with.
        limit: how many at most; None for all.
        repository: as for `launch`.
        project: as for `launch`.
    """
    from batchrun.domain.parameters import value_text
    from batchrun.domain.selection import ExecutionFilter
    from batchrun.domain.status import BatchStatus
    from batchrun.operations.explorer import parameter_texts

    chosen = ExecutionFilter(
        job_names=(job,) if isinstance(job, str) else job,
        statuses=(status,) if isinstance(status, BatchStatus) else status,
        since=_moment(since),
        until=_moment(until),
        parameters=parameter_texts({name: value_text(value) for name, value in (parameters or {}).items()}),
    )
    with application_of(repository, project) as application:
        return list(application.explorer.history(chosen, limit=limit))


def show(
    execution_id: int | None = None,
    /,
    *,
    repository: str | JobRepository | None = None,
    project: str | Path | None = None,
) -> JobExecution:
    """Returns an execution with its steps as it stands now, by default the last one.

    Raises:
        NoSuchExecutionError: there is no such execution.
        UsageError: there is none at all.
    """
    with application_of(repository, project) as application:
        explorer = application.explorer
        return explorer.last() if execution_id is None else explorer.execution(execution_id)


def _moment(moment: Moment | None) -> datetime | None:
    if isinstance(moment, timedelta):
        return datetime.now(UTC) - moment
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    return None if moment is None else moment.astimezone()
