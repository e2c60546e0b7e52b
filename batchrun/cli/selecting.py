"""The options that choose executions, the same for every command that takes several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.parameters import split_parameters

if TYPE_CHECKING:
    from datetime import datetime

    from batchrun.domain.selection import ExecutionFilter
    from batchrun.domain.status import BatchStatus
    from batchrun.operations.explorer import JobExplorer

_TIMES = "a date, a date and time, a duration back such as 7d or 36h, today, yesterday"


def _job_names(context: typer.Context, incomplete: str) -> list[str]:
    """Completes the name of a job that has been launched."""
    repository = (context.parent.params if context.parent else {}).get("repository")
    from batchrun.app import Application

    with Application.open(repository=repository) as application:
        return [name for name in application.explorer.job_names() if name.startswith(incomplete)]


def _status_names(incomplete: str) -> list[str]:
    from batchrun.domain.status import BatchStatus

    return [each.name for each in BatchStatus if each.name.startswith(incomplete.upper())]


JobOption = Annotated[
    list[str] | None,
    typer.Option(
        "--job",
        "-j",
        metavar="NAME",
        help="Of this job only; * and ? stand for any characters. May be given several times.",
        autocompletion=_job_names,
    ),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        "-s",
        metavar="STATUS",
        help="Of this status only, such as FAILED; several with commas between, or given several times.",
        autocompletion=_status_names,
    ),
]
SinceOption = Annotated[str | None, typer.Option("--since", metavar="TIME", help=f"Created then or later: {_TIMES}.")]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Created before then; a day counts with its last hour.")
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="KEY=VALUE", help="With this parameter. May be given several times."),
]


def chosen_executions(
    jobs: Sequence[str] | None,
    statuses: Sequence[str] | None,
    since: str | None,
    until: str | None,
    parameters: Sequence[str] | None,
) -> ExecutionFilter:
    """Returns the filter that the options mean.

    Raises:
        UsageError: a status, a time or a parameter is none.
    """
    from batchrun.domain.selection import ExecutionFilter

    texts = {}
    if parameters:
        from batchrun.operations.explorer import parameter_texts

        texts = parameter_texts(split_parameters(parameters))
    return ExecutionFilter(
        job_names=jobs or (),
        statuses=tuple(given_statuses(statuses)),
        since=None if since is None else given_moment("--since", since),
        until=None if until is None else _span("--until", until)[1],
        parameters=texts,
    )


def given_statuses(names: Sequence[str] | None) -> list[BatchStatus]:
    """Returns the statuses of these names, in whatever case they are written.

    Raises:
        UsageError: there is no such status.
    """
    from batchrun.domain.status import BatchStatus
    from batchrun.errors import UsageError, did_you_mean

    known = {each.name: each for each in BatchStatus}
    given = [name for each in names or () for name in each.split(",")]
    for name in given:
        if name.upper() not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise UsageError(f"there is no status {name!r}", hint=hint)
    return [known[name.upper()] for name in given]


def given_moment(option: str, text: str) -> datetime:
    """Returns the moment that an option's text names; of a day, its beginning.

    Raises:
        UsageError: it names none.
    """
    return _span(option, text)[0]


def _span(option: str, text: str) -> tuple[datetime, datetime]:
    from datetime import UTC, datetime

    from batchrun.domain.moments import parse_span
    from batchrun.errors import UsageError

    try:
        return parse_span(text, datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text!r} is no time", hint=f"it takes {_TIMES}") from error


def show_nothing_found(invocation: Invocation, explorer: JobExplorer, chosen: ExecutionFilter) -> None:
    """Says on stderr that no execution is like that, and what to try."""
    from batchrun.domain.selection import EVERY
    from batchrun.errors import did_you_mean

    if chosen == EVERY:
        invocation.stderr.print("no executions in this repository yet")
        invocation.stderr.print_labelled("hint", "batchrun launch JOB runs a job")
        return
    names = explorer.job_names()
    invocation.stderr.print("no execution in this repository is like that")
    for unknown in [each for each in chosen.job_names if each not in names and not set(each) & set("*?[")]:
        hint = did_you_mean(unknown, names) or f"{invocation.command('history')} lists all jobs"
        invocation.stderr.print_labelled("hint", f"there is no execution of job {unknown!r}; {hint}")
