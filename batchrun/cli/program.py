"""The program: the typer application with its global options, and how a run of it ends."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli import (
    carrying,
    catalogue,
    chaos,
    checking,
    cleaning,
    comparing,
    database,
    describing,
    logs,
    operating,
    records,
    rejecting,
    running,
    tuning,
    waiting,
)
from batchrun.cli.interrupting import killed_by_sigint
from batchrun.cli.invocation import GlobalOptions, Invocation

if TYPE_CHECKING:
    from batchrun.app import Application

NAME = "batchrun"
_REPOSITORY = "--repository"
_GLOBAL_FLAGS = re.compile(r"--(quiet|verbose|debug|no-color)|-(q+|v+)")
_DEBUG_VERBOSITY = 2
_COMPLETION_VARIABLE = "_BATCHRUN_COMPLETE"

program = typer.Typer(
    name=NAME,
    # Plain help: rich would take longer to import than all the rest of `--help`.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
running.add_to(program)
waiting.add_to(program)
operating.add_to(program)
logs.add_to(program)
records.add_to(program)
rejecting.add_to(program)
comparing.add_to(program)
cleaning.add_to(program)
carrying.add_to(program)
checking.add_to(program)
chaos.add_to(program)
tuning.add_to(program)
describing.add_to(program)
catalogue.add_to(program)
database.add_to(program)


def _show_version(wanted: bool) -> None:
    if wanted:
        from batchrun.version import __version__

        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@program.callback(
    invoke_without_command=True,
    epilog=(
        "\b\nExamples:\n"
        "  batchrun launch jobs.d/load_flights.yaml input=flights.csv\n"
        "  batchrun history --limit 5\n"
        "  batchrun restart 7"
    ),
)
def root(
    context: typer.Context,
    repository: Annotated[
        str | None,
        typer.Option(
            _REPOSITORY,
            metavar="URL",
            help="Where executions are kept; else BATCHRUN_REPOSITORY, batchrun.toml, or SQLite in .batchrun/.",
        ),
    ] = None,
    quiet: Annotated[
        int,
        typer.Option(
            "--quiet", "-q", count=True, show_default=False, help="Show errors only; -qq shows nothing at all."
        ),
    ] = 0,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, show_default=False, help="Show what happens on the way; -vv is --debug."
        ),
    ] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the debug log, and tracebacks of errors.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Use no colors, as NO_COLOR does.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Run restartable batch jobs that are declared in YAML."""
    invocation: Invocation = context.obj
    verbosity = _DEBUG_VERBOSITY if debug else verbose - quiet
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        invocation.start(GlobalOptions(repository, verbosity, no_color), context.invoked_subcommand)


def run(arguments: Sequence[str], open_application: Callable[..., Application] | None = None) -> int:
    """Runs one command and returns the exit code of the process.

    Args:
        arguments: those after the program's name.
        open_application: opens another application than the real one.
    """
    if _COMPLETION_VARIABLE in os.environ:
        program(args=list(arguments), prog_name=NAME)
    invocation = Invocation(open_application, arguments)
    try:
        return _invoke(arguments, invocation)
    except BaseException as error:  # also a SystemExit of foreign code, whose exit code would say what it likes
        with killed_by_sigint():
            from batchrun.cli.errors import report

            return report(error, invocation)
    finally:
        invocation.close()


def _invoke(arguments: Sequence[str], invocation: Invocation) -> int:
    command = typer.main.get_command(program)
    try:
        with command.make_context(NAME, _global_options_first(arguments), obj=invocation) as context:
            return command.invoke(context) or 0
    except typer.Exit as end:
        return end.exit_code


def _global_options_first(arguments: Sequence[str]) -> list[str]:
    """Moves the global options in front of the command, so that they may stand anywhere before a `--`."""
    moved: list[str] = []
    kept: list[str] = []
    left = list(arguments)
    while left and left[0] != "--":
        argument = left.pop(0)
        if _GLOBAL_FLAGS.fullmatch(argument) or argument.startswith(f"{_REPOSITORY}="):
            moved.append(argument)
        elif argument == _REPOSITORY:
            if not left:
                raise _missing_repository()
            moved += [argument, left.pop(0)]
        else:
            kept.append(argument)
    return [*moved, *kept, *left]


def _missing_repository() -> Exception:
    from batchrun.errors import UsageError

    return UsageError(f"{_REPOSITORY} needs a URL", hint=f"{_REPOSITORY} sqlite:///repository.db")
