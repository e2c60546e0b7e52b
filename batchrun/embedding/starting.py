"""Starts jobs without waiting for them: in a thread, or as the command line's detached runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from batchrun import errors
from batchrun.app import REPOSITORY_VARIABLE
from batchrun.domain.parameters import value_text
from batchrun.embedding.job import Job
from batchrun.embedding.launching import application_of, given_values, loaded_job
from batchrun.embedding.run import OpenApplication, ProcessRun, Run, ThreadRun

if TYPE_CHECKING:
    from batchrun.domain.execution import JobExecution
    from batchrun.engine import StopSignal
    from batchrun.spi.listener import Listener
    from batchrun.spi.repository import JobRepository

_STDIN = "stdin"
"""What problems of parameters call the place that they were read from."""


def start(
    job: str | Path | Job,
    /,
    *,
    parameters: Mapping[str, object] | None = None,
    next_run: bool = False,
    listeners: Sequence[Listener] = (),
    repository: str | JobRepository | None = None,
    project: str | Path | None = None,
    process: bool = False,
    **values: object,
) -> Run:
    """Launches a job, and returns when its execution has begun, with a handle on it.

    It runs in a thread of this process, which touches no signal handlers; the process does not end before it.

    Args:
        job: as for `launch`.
        parameters: as for `launch`.
        next_run: as for `launch`.
        listeners: as for `launch`.
        repository: as for `launch`.
        project: as for `launch`.
        process: run it in a process of its own, which outlives this one, as `--detach` does. For a job file, without
            listeners; repository and project are those of the command line, or a repository's URL.
        values: parameters by name.

    Raises:
        BatchrunError: as `launch` raises before the execution has begun; later errors are raised by `wait`.
    """
    given = given_values(parameters, values)
    if process:
        return _start_process(job, given, next_run, listeners, repository, project)

    def work(begun: Callable[[JobExecution, OpenApplication], None], stop: StopSignal) -> JobExecution:
        with application_of(repository, project) as application:
            loaded = loaded_job(application, job)
            reopen = partial(application_of, repository, application.project)
            return application.launch(
                loaded,
                given,
                next_run=next_run,
                listeners=listeners,
                begun=lambda execution: begun(execution, reopen),
                stop=stop,
            )

    return ThreadRun.start(work)


def _start_process(
    job: str | Path | Job,
    given: Mapping[str, object],
    next_run: bool,
    listeners: Sequence[Listener],
    repository: str | JobRepository | None,
    project: str | Path | None,
) -> Run:
    from batchrun.operations.detaching import Streams

    if isinstance(job, Job):
        raise _only_in_a_thread(f"job {job.name!r} is built in code", "its to_yaml() makes a file of it")
    if listeners or project is not None or not isinstance(repository, str | None):
        raise _only_in_a_thread("listeners, a project and a repository's object", "the job file can have listeners")
    options = ["--next"] if next_run else []
    variables = {} if repository is None else {REPOSITORY_VARIABLE: repository}
    with application_of(repository, None) as application, TemporaryFile() as stdin, TemporaryFile() as stdout:
        title = application.load_job(str(job)).title
        stdin.write(json.dumps({name: _plain(value) for name, value in given.items()}).encode())
        stdin.seek(0)
        streams = Streams(stdin, stdout, subprocess.DEVNULL, variables)
        arguments = ["launch", *options, "--detach", "--output", "json", "--params", "-", "--", str(job)]
        started = application.start_detached(arguments, streams)
        if started.execution_id is None:
            stdout.seek(0)
            raise _told(stdout.read(), started.exit_code, title)
        return ProcessRun(started.execution_id, partial(application_of, repository, application.project))


def _only_in_a_thread(what: str, hint: str) -> errors.UsageError:
    return errors.UsageError(f"{what}: that is not for a process of its own", hint=hint)


def _plain(value: object) -> object:
    """Returns a parameter's value as a parameter file has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return f"{value_text(value)}s" if isinstance(value, timedelta) else value_text(value)


def _told(output: bytes, exit_code: int, title: str) -> errors.BatchrunError:
    """Returns the error that a command told as JSON; what it says of a parameter is said of the job."""
    try:
        told: dict[str, Any] = json.loads(output)["error"]
    except (ValueError, KeyError, TypeError):
        return errors.DetachError(f"ended with exit code {exit_code} before its execution had begun")
    if told["problems"]:
        problems = [errors.Problem(**problem) for problem in told["problems"]]
        return errors.DefinitionError([_of_job(each, title) for each in problems])
    kind = getattr(errors, told["type"], errors.BatchrunError)
    error: errors.BatchrunError = kind.__new__(kind)
    errors.BatchrunError.__init__(error, told["message"], hint=told["hint"])
    error.exit_code = errors.ExitCode(told["code"])
    if told["execution_id"] is not None:
        error.execution_id = told["execution_id"]  # type: ignore[attr-defined]
    return error


def _of_job(problem: errors.Problem, title: str) -> errors.Problem:
    return replace(problem, file=title, line=None, column=None) if problem.file == _STDIN else problem
