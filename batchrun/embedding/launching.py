"""Runs jobs from Python as the command line does, and returns domain objects; whatever goes wrong is raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchrun.app import Application
from batchrun.embedding.building import build
from batchrun.embedding.job import Job
from batchrun.errors import Problem, UsageError

if TYPE_CHECKING:
    from batchrun.definition import LoadedJob
    from batchrun.domain.execution import JobExecution
    from batchrun.engine import StopSignal
    from batchrun.spi.listener import Listener
    from batchrun.spi.repository import JobRepository


def application_of(repository: str | JobRepository | None, project: str | Path | None) -> Application:
    """Returns the application that a call of the API is about."""
    return Application.open(repository=repository, project=None if project is None else Path(project))


def loaded_job(application: Application, job: str | Path | Job) -> LoadedJob:
    """Returns a job, given as a file, a name in `jobs.d/`, or built in code."""
    return application.load_built(build(job)) if isinstance(job, Job) else application.load_job(str(job))


def given_values(parameters: Mapping[str, object] | None, values: Mapping[str, object]) -> dict[str, object]:
    """Returns the parameters given in both ways; a path-like object is its text.

    Raises:
        UsageError: one is given in both.
    """
    given = dict(parameters or {})
    for name in values:
        if name in given:
            raise UsageError(f"parameter {name!r} is given twice, by keyword and in parameters=")
    return {name: str(value) if isinstance(value, Path) else value for name, value in {**given, **values}.items()}


def launch(
    job: str | Path | Job,
    /,
    *,
    parameters: Mapping[str, object] | None = None,
    next_run: bool = False,
    listeners: Sequence[Listener] = (),
    repository: str | JobRepository | None = None,
    project: str | Path | None = None,
    signals: bool = True,
    **values: object,
) -> JobExecution:
    """Launches a job, and returns the ended execution, whatever its status.

    It runs in the calling thread, its parallel branches in threads of their own. In the main thread, SIGINT (Ctrl-C)
    and SIGTERM stop it at its next commit, and a second SIGINT raises KeyboardInterrupt.

    Args:
        job: the path of a job file, the name of a job in the project's `jobs.d/`, or a job built in code.
        parameters: by name; for names that are no identifiers, or are those of options here.
        next_run: add the job's next `run.id`, as `--next` does.
        listeners: observe the run, before those that the job has itself.
        repository: URL, or a repository that stays open; by default as for the command line.
        project: the project folder; by default the one around the job, as for the command line.
        signals: let SIGINT and SIGTERM stop it, where it runs in the main thread.
        values: parameters by name, as values of their types or as texts.

    Raises:
        DefinitionError: the job or a parameter is wrong; nothing was written.
        LaunchRefusedError: the state of the job instance forbids it.
        RepositoryError: the repository cannot be used.
        UsageError: the arguments do not fit together.
    """
    given = given_values(parameters, values)
    with application_of(repository, project) as application:
        loaded = loaded_job(application, job)
        return application.launch(loaded, given, next_run=next_run, listeners=listeners, stop=_stop(signals))


def restart(
    execution_id: int | None = None,
    /,
    *,
    job: Job | None = None,
    parameters: Mapping[str, object] | None = None,
    allow_changed: bool = False,
    listeners: Sequence[Listener] = (),
    repository: str | JobRepository | None = None,
    project: str | Path | None = None,
    signals: bool = True,
    **values: object,
) -> JobExecution:
    """Continues an execution that failed or was stopped, and returns the new one, ended.

    Args:
        execution_id: by default of the last execution that can be restarted.
        job: the job as code builds it now; needed where code had built it, else its file is read.
        parameters: values for non-identifying parameters, by name.
        allow_changed: go on although the job's steps before the one to resume have changed.
        listeners: as for `launch`.
        repository: as for `launch`.
        project: as for `launch`.
        signals: as for `launch`.
        values: parameters by name.

    Raises:
        NoSuchExecutionError: there is no such execution.
        DefinitionError: the job as it is now, or a parameter, is wrong.
        LaunchRefusedError: the state of the instance, or a changed job, forbids it; or the job is missing.
    """
    given = given_values(parameters, values)
    with application_of(repository, project) as application:
        number = application.explorer.last_restartable().id if execution_id is None else execution_id
        return application.restart(
            number,
            given,
            job=None if job is None else build(job),
            allow_changed=allow_changed,
            listeners=listeners,
            stop=_stop(signals),
        )


def validate(job: str | Path | Job, /, *, project: str | Path | None = None) -> Sequence[Problem]:
    """Checks a job without running it, and returns the warnings, which would not stop a launch.

    Raises:
        DefinitionError: the job is wrong; holds all problems.
    """
    return loaded_job(application_of(None, project), job).warnings


def _stop(signals: bool) -> StopSignal | None:
    """Returns a stop that nobody asks for in place of signals."""
    from batchrun.engine import StopSignal

    return None if signals else StopSignal()
