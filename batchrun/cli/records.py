"""The commands that read the repository: history and show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import MAX_NUMBER, ExecutionArgument, OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.app import Application
    from batchrun.domain.execution import JobExecution

SCREENFUL = 20


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun history --job load-flights --limit 5")(history)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun show 7")(show)


def history(
    context: typer.Context,
    job: Annotated[str | None, typer.Option("--job", "-j", metavar="NAME", help="Executions of this job only.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            min=1,
            max=MAX_NUMBER,
            help=f"At most so many, the newest; else {SCREENFUL} on a terminal, or all.",
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """List executions, the newest first."""
    invocation: Invocation = context.obj
    is_cut = limit is None and output is Output.TEXT and invocation.stdout.is_watched
    with invocation.application() as application:
        executions = application.history(job_name=job, limit=SCREENFUL + 1 if is_cut else limit)
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, execution_document

        invocation.stdout.write(as_json([execution_document(execution) for execution in executions]))
    elif executions:
        from batchrun.cli.rendering.history import show_history

        show_history(invocation.stdout, executions[:SCREENFUL] if is_cut else executions)
        if is_cut and len(executions) > SCREENFUL:
            invocation.stderr.print("there are older ones: --limit N shows more")
    else:
        _show_empty(invocation, job)
    return 0


def _show_empty(invocation: Invocation, job: str | None) -> None:
    what = f"of job {job!r} " if job else ""
    invocation.stderr.print(f"no executions {what}in this repository yet")
    hint = "history without --job lists all jobs" if job else "batchrun launch JOB runs a job"
    invocation.stderr.print_labelled("hint", hint)


def show(context: typer.Context, execution_id: ExecutionArgument, output: OutputOption = Output.TEXT) -> int:
    """Show an execution: parameters, steps, and what failed."""
    invocation: Invocation = context.obj
    with invocation.application() as application:
        execution = application.execution(execution_id)
        later = _later_execution(application, execution)
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, execution_document

        invocation.stdout.write(as_json(execution_document(execution)))
        return 0

    from batchrun.cli.rendering.execution import show_execution

    can_continue = execution.status.is_restartable and later is None
    next_command = invocation.command("restart", execution.id) if can_continue else None
    show_execution(invocation.stdout, execution, continued_by=later, next_command=next_command)
    return 0


def _later_execution(application: Application, execution: JobExecution) -> int | None:
    """Returns the execution that came next in the same instance, since only the last one can be restarted."""
    if not execution.status.is_restartable:
        return None
    recent = application.history(job_name=execution.job_name, limit=100)
    later = [each.id for each in recent if each.instance.id == execution.instance.id and each.id > execution.id]
    return min(later, default=None)
