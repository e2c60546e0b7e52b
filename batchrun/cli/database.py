"""The commands on the repository's database itself: status and upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.repository import RepositoryState


def add_to(program: typer.Typer) -> None:
    """Adds the group `db`."""
    group = typer.Typer(name="db", help="Look at the repository's database, or upgrade it.", no_args_is_help=True)
    group.command(cls=PlainCommand)(status)
    group.command(cls=PlainCommand)(upgrade)
    program.add_typer(group)


def status(context: typer.Context, output: OutputOption = Output.TEXT) -> int:
    """Show where the repository is, the version of its tables, and how much it holds."""
    invocation: Invocation = context.obj
    with invocation.application() as application:
        return _tell(invocation, application.look_at_repository(), output)


def upgrade(context: typer.Context, output: OutputOption = Output.TEXT) -> int:
    """Bring the tables to the version that this batchrun needs.

    On SQLite that happens by itself. Nothing may run meanwhile.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        return _tell(invocation, application.upgrade_repository(), output)


def _tell(invocation: Invocation, state: RepositoryState, output: Output) -> int:
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, repository_document

        invocation.stdout.write(as_json(repository_document(state)))
        return 0
    if state.found is None:
        told = "there are no tables yet; the first launch makes them"
    elif state.found == state.expected:
        told = f"version {state.found}, as this batchrun needs it"
    elif state.found < state.expected:
        told = f"version {state.found}, this batchrun needs {state.expected}: {invocation.command('db', 'upgrade')}"
    else:
        told = f"version {state.found}, newer than this batchrun, which needs {state.expected}"
    invocation.stdout.print(f"{state.url}: {told}")
    if state.contents is not None:
        from batchrun.cli.rendering.words import contents

        invocation.stdout.print(contents(state.contents))
    return 0
