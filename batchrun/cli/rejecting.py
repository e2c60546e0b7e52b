"""The commands about skipped items: rejects and replay."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.options import (
    MAX_NUMBER,
    DetachOption,
    ExecutionArgument,
    FailOnSkipsOption,
    OptionalExecutionArgument,
    OutputsOption,
    ParameterArguments,
    ParameterFileOption,
    PlainCommand,
)
from batchrun.cli.parameters import given_parameters

if TYPE_CHECKING:
    from batchrun.spi.rejects import RejectRecord

SCREENFUL = 20


class Table(StrEnum):
    """Forms of a list that a spreadsheet may read too."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class PhaseName(StrEnum):
    """Where an item was skipped."""

    READ = "read"
    PROCESS = "process"
    WRITE = "write"


StepOption = Annotated[str | None, typer.Option("--step", metavar="NAME", help="Of this step only.")]


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n"
        "  batchrun rejects 7\n"
        "  batchrun rejects 7 --step load --phase read --output csv > bad.csv",
    )(rejects)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun replay 7 --step load")(replay)


def rejects(
    context: typer.Context,
    execution_id: OptionalExecutionArgument = None,
    step: StepOption = None,
    phase: Annotated[
        PhaseName | None,
        typer.Option("--phase", metavar="PHASE", help="Skipped there only: in read, process or write."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            min=1,
            max=MAX_NUMBER,
            help=f"At most so many; else {SCREENFUL} on the screen.",
        ),
    ] = None,
    output: Annotated[
        Table, typer.Option("--output", "-o", metavar="FORM", help="Form of the result on stdout: text, json or csv.")
    ] = Table.TEXT,
) -> int:
    """Show what a run has skipped, and why.

    Of all executions of the run's job instance; without an id, of the last one.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        execution = (
            application.explorer.last() if execution_id is None else application.explorer.execution(execution_id)
        )
        found = application.rejects.of(execution.id)
        chosen = (each for each in found.all(step) if phase is None or str(each.phase) == phase)
        if output is Table.TEXT:
            _show(invocation, chosen, limit or SCREENFUL, execution.id)
        else:
            _write(invocation, islice(chosen, limit), output)
    return 0


def _show(invocation: Invocation, chosen: Iterator[RejectRecord], limit: int, execution_id: int) -> None:
    from batchrun.cli.rendering.rejects import show_rejects, show_total

    first = list(islice(chosen, limit))
    show_rejects(invocation.stdout, first)
    if not invocation.options.quiet:
        total = show_total(invocation.stderr, chain(first, chosen), len(first))
        if total:
            command = invocation.command("replay", execution_id)
            invocation.stderr.print_labelled("hint", f"{command} sends them through the step again")


def _write(invocation: Invocation, chosen: Iterator[RejectRecord], output: Table) -> None:
    if output is Table.CSV:
        from batchrun.cli.reject_documents import csv_lines

        for line in csv_lines(chosen):
            invocation.stdout.write(line)
        return
    from batchrun.cli.documents import as_json_list
    from batchrun.cli.reject_documents import reject_document

    for part in as_json_list(map(reject_document, chosen)):
        invocation.stdout.write(part)


def replay(
    context: typer.Context,
    execution_id: ExecutionArgument,
    parameters: ParameterArguments = None,
    params: ParameterFileOption = None,
    step: StepOption = None,
    detached: DetachOption = False,
    fail_on_skips: FailOnSkipsOption = False,
    output: OutputsOption = None,
) -> int:
    """Send the rejects of a step through it again.

    Its current processors and writer take them, in a job instance of its own, which restart continues. What fails again
    is in its own rejects. Parameters given here stand in place of those that the run had.
    """
    from batchrun.cli.detaching import begun, detach
    from batchrun.cli.ending import tell_end, watched

    invocation: Invocation = context.obj
    if detached and (exit_code := detach(invocation)) is not None:
        return exit_code
    invocation.take_outputs(output or ())
    given = given_parameters(parameters or (), params or ())
    with invocation.application() as application:
        with watched(invocation, f"replay {execution_id}") as listeners:
            execution = application.rejects.replay(
                execution_id, given, step_name=step, listeners=listeners, begun=begun(invocation, application)
            )
        return tell_end(invocation, application, execution, fail_on_skips=fail_on_skips)
