"""The command that gives an execution to another machine: export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import OptionalRestartableArgument, OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.operations.export_file import Export

_STDOUT = "-"


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n  batchrun export --to state.json\n  batchrun export 7 --to state.json.gz",
    )(export)


def export(
    context: typer.Context,
    execution_id: OptionalRestartableArgument = None,
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Where to; compressed if it ends in .gz. - is stdout.")
    ] = _STDOUT,
    output: OutputOption = Output.TEXT,
) -> int:
    """Write what a restart elsewhere needs into a file.

    There `batchrun restart --from FILE` goes on at the last commit, in the same target. Secrets are not in the file,
    nor are output files that are not finished: the hidden .part files beside them are for you to carry.
    """
    from batchrun.operations.export_file import export_bytes, write_export

    invocation: Invocation = context.obj
    with invocation.application() as application:
        wanted = application.explorer.last_restartable().id if execution_id is None else execution_id
        exported = application.export(wanted)
    if to == _STDOUT:
        invocation.stdout.write(export_bytes(exported).decode())
        return 0
    size = write_export(Path(to), exported)
    _tell(invocation, exported, to, size, output)
    return 0


def _tell(invocation: Invocation, exported: Export, to: str, size: int, output: Output) -> None:
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, export_document

        invocation.stdout.write(as_json(export_document(exported, to, size)))
    elif not invocation.options.quiet:
        last = exported.last
        invocation.stdout.print(f"execution {last.id} of {last.job_name}, {last.status.name}, is exported to {to}")
        if last.status.is_restartable:
            invocation.stderr.print_labelled("hint", f"batchrun restart --from {to} goes on with it, on any machine")
