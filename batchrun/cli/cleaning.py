"""The command that cleans the repository: purge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import MAX_NUMBER, OutputOption, PlainCommand
from batchrun.cli.selecting import JobOption, StatusOption, given_moment, given_statuses

if TYPE_CHECKING:
    from batchrun.domain.purge import PurgeableInstance, PurgeCriteria

_CRITERIA = "--older-than, --keep-last, --status or --job"


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n"
        "  batchrun purge --older-than 90d --dry-run\n"
        "  batchrun purge --job load_flights --keep-last 100\n"
        "  batchrun purge --status failed --older-than 1000d",
    )(purge)


def purge(
    context: typer.Context,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="TIME", help="Ended before then: so long ago, as 90d, or before a date."),
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option("--keep-last", metavar="N", min=1, max=MAX_NUMBER, help="Keep the N newest of each job."),
    ] = None,
    status: StatusOption = None,
    job: JobOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Delete old executions, with their steps, parameters and logs.

    A job instance goes as a whole, judged by its last execution. What runs stays, and what can be restarted goes only
    where --status names it. What has completed and is gone from here can be launched again with the same parameters.
    """
    invocation: Invocation = context.obj
    criteria = _criteria(older_than, keep_last, status, job)
    with invocation.application() as application:
        cleaning = application.purge()
        instances = cleaning.plan(criteria)
        if not dry_run:
            instances = cleaning.execute(instances)
    _show(invocation, instances, output, dry_run=dry_run)
    return 0


def _criteria(
    older_than: str | None, keep_last: int | None, statuses: Sequence[str] | None, jobs: Sequence[str] | None
) -> PurgeCriteria:
    from batchrun.domain.purge import PurgeCriteria
    from batchrun.errors import UsageError

    if not (older_than or keep_last or statuses or jobs):
        raise UsageError(f"purge needs to know what: {_CRITERIA}", hint="batchrun purge --older-than 90d --dry-run")
    asked = given_statuses(statuses)
    if running := [each.name for each in asked if each.is_running]:
        raise UsageError(
            f"what is {running[0]} is never deleted",
            hint="batchrun stop ID stops it, batchrun recover ID sets one whose process is dead to FAILED",
        )
    ended_before = None if older_than is None else given_moment("--older-than", older_than)
    return PurgeCriteria(tuple(jobs or ()), tuple(asked), ended_before, keep_last or 0)


def _show(invocation: Invocation, instances: Sequence[PurgeableInstance], output: Output, *, dry_run: bool) -> None:
    from batchrun.operations.purging import by_job

    jobs = by_job(instances)
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, purge_document

        invocation.stdout.write(as_json(purge_document(jobs, dry_run=dry_run)))
    elif dry_run or not invocation.options.quiet:
        from batchrun.cli.rendering.purge import show_purge

        show_purge(invocation.stdout, jobs, dry_run=dry_run)
