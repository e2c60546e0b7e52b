"""The commands that act on an execution from outside: stop, recover and abandon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import ExecutionArgument, OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.domain.execution import JobExecution


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun stop 7")(stop)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun recover 7")(recover)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun abandon 7")(abandon)


def stop(
    context: typer.Context,
    execution_id: ExecutionArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Return only when it has ended, however it has.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Ask a running execution to stop.

    It stops at its next commit, ends STOPPED, and can be restarted.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        execution = application.stop(execution_id)
        if wait:
            try:
                execution = application.wait(execution_id)
            except KeyboardInterrupt:
                from batchrun.cli.waiting import tell_unwaited

                return tell_unwaited(invocation, execution_id)
    what = f"is {execution.status.name}" if wait else "has been asked to stop; it does so at its next commit"
    return _tell(invocation, execution, output, what)


def recover(
    context: typer.Context,
    execution_id: ExecutionArgument,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Do it although its process seems to live. If it does, it can commit nothing more and fails.",
        ),
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Set an execution whose process is dead to FAILED.

    Restart and launch do that by themselves; this is for a history that tells the truth meanwhile.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        execution = application.recover(execution_id, force=force)
    return _tell(invocation, execution, output, f"is {execution.status.name}")


def abandon(context: typer.Context, execution_id: ExecutionArgument, output: OutputOption = Output.TEXT) -> int:
    """Give an execution up: its job instance never starts again.

    What it has written stays as it is.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        execution = application.abandon(execution_id)
    return _tell(invocation, execution, output, "is ABANDONED; launching it again needs other identifying parameters")


def _tell(invocation: Invocation, execution: JobExecution, output: Output, what: str) -> int:
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, execution_document

        invocation.stdout.write(as_json(execution_document(execution)))
    elif not invocation.options.quiet:
        invocation.stdout.print(f"execution {execution.id} of {execution.job_name} {what}")
    return 0
