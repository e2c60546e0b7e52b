"""The command that compares two executions: diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import MAX_NUMBER, ExecutionArgument, OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.domain.comparison import ExecutionComparison


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExamples:\n  batchrun diff 7\n  batchrun diff 3 7")(diff)


def diff(
    context: typer.Context,
    execution_id: ExecutionArgument,
    other_id: Annotated[
        int | None,
        typer.Argument(
            metavar="[ID]",
            min=0,
            max=MAX_NUMBER,
            help="The later execution; left out, ID is compared with the execution of its job before it.",
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where they differ in more than their times.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show what differs between two executions.

    Parameters, the job file, batchrun's version, and what each step came to: status, time and counts side by side.
    """
    from batchrun.domain.comparison import ExecutionComparison

    if execution_id == other_id:
        raise typer.BadParameter(f"execution {execution_id} is the same on both sides")
    invocation: Invocation = context.obj
    with invocation.application() as application:
        explorer = application.explorer
        first = explorer.execution(execution_id)
        if other_id is None:
            comparison = ExecutionComparison(explorer.last(before=first), first)
        else:
            comparison = ExecutionComparison(first, explorer.execution(other_id))
    _show(invocation, comparison, output)
    return int(exit_code and comparison.differs)


def _show(invocation: Invocation, comparison: ExecutionComparison, output: Output) -> None:
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, comparison_document

        invocation.stdout.write(as_json(comparison_document(comparison)))
        return
    from batchrun.cli.rendering.comparison import show_comparison

    show_comparison(invocation.stdout, comparison)
