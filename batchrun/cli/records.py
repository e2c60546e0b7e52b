"""The commands that read the repository: history and show."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import MAX_NUMBER, OptionalExecutionArgument, OutputOption, PlainCommand
from batchrun.cli.selecting import (
    JobOption,
    ParameterOption,
    SinceOption,
    StatusOption,
    UntilOption,
    chosen_executions,
    show_nothing_found,
)

if TYPE_CHECKING:
    from batchrun.domain.execution import JobExecution

SCREENFUL = 20


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n"
        "  batchrun history --job load_flights --limit 5\n"
        "  batchrun history --status failed --status stopped --since 7d\n"
        "  batchrun history --parameter day=2026-07-30",
    )(history)
    program.command(cls=PlainCommand, epilog="\b\nExamples:\n  batchrun show 7\n  batchrun show 7 --times")(show)


def history(
    context: typer.Context,
    job: JobOption = None,
    status: StatusOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    parameter: ParameterOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, max=MAX_NUMBER, help=f"At most so many, the newest; else {SCREENFUL}."
        ),
    ] = None,
    all_of_them: Annotated[bool, typer.Option("--all", "-a", help="All of them, however many there are.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """List executions, the newest first."""
    invocation: Invocation = context.obj
    if all_of_them and limit is not None:
        raise typer.BadParameter("--limit and --all exclude each other")
    chosen = chosen_executions(job, status, since, until, parameter)
    shown = None if all_of_them else limit or SCREENFUL
    with invocation.application() as application:
        found = application.explorer.history(chosen, limit=None if shown is None else shown + 1)
        first = list(islice(found, 1))
        if not first and output is Output.TEXT:
            show_nothing_found(invocation, application.explorer, chosen)
            return 0
        found = chain(first, found)
        _show_history(invocation, islice(found, shown), output)
        if limit is None and next(found, None) is not None and not invocation.options.quiet:
            invocation.stderr.print("there are older ones: --limit N shows more, --all shows all")
    return 0


def _show_history(invocation: Invocation, executions: Iterator[JobExecution], output: Output) -> None:
    if output is Output.JSON:
        from batchrun.cli.documents import as_json_list, execution_document

        for part in as_json_list(map(execution_document, executions)):
            invocation.stdout.write(part)
        return
    from batchrun.cli.rendering.history import show_history

    show_history(invocation.stdout, executions)


def show(
    context: typer.Context,
    execution_id: OptionalExecutionArgument = None,
    times: Annotated[bool, typer.Option("--times", help="Where the time of its chunk steps went.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show an execution: parameters, steps, and what failed.

    Without an id, the last one.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        explorer = application.explorer
        execution = explorer.last() if execution_id is None else explorer.execution(execution_id)
        later = explorer.later_execution_id(execution)
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, execution_document

        invocation.stdout.write(as_json(execution_document(execution)))
        return 0

    if times:
        from batchrun.cli.rendering.times import show_times

        show_times(invocation.stdout, execution)
        return 0
    from batchrun.cli.rendering.execution import show_execution

    can_continue = execution.status.is_restartable and later is None
    next_command = invocation.command("restart", execution.id) if can_continue else None
    show_execution(
        invocation.stdout,
        execution,
        continued_by=later,
        next_command=next_command,
        rejects_command=invocation.command("rejects", execution.id),
    )
    return 0
