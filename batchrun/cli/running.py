"""The commands that run jobs: launch and restart."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.options import (
    MAX_NUMBER,
    DetachOption,
    FailOnSkipsOption,
    JobArgument,
    OutputsOption,
    ParameterArguments,
    ParameterFileOption,
    PlainCommand,
)
from batchrun.cli.parameters import given_parameters


class IfComplete(StrEnum):
    """What a launch does where its instance has completed."""

    REFUSE = "refuse"
    SKIP = "skip"


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExample:\n  batchrun launch load_flights input=flights.csv day=2026-07-30",
    )(launch)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun restart 7")(restart)


def launch(
    context: typer.Context,
    job: JobArgument,
    parameters: ParameterArguments = None,
    params: ParameterFileOption = None,
    next_run: Annotated[
        bool, typer.Option("--next", help="Make it a new run of its own: add the next number as the parameter run.id.")
    ] = False,
    if_complete: Annotated[
        IfComplete,
        typer.Option("--if-complete", help="What to do where the same parameters have completed already."),
    ] = IfComplete.REFUSE,
    detached: DetachOption = False,
    fail_on_skips: FailOnSkipsOption = False,
    output: OutputsOption = None,
) -> int:
    """Run a job with parameters.

    If the last run with the same parameters failed or was stopped, it goes on from there. Ctrl-C stops at the next
    commit.
    """
    from batchrun.cli.detaching import begun, detach
    from batchrun.cli.ending import tell_complete, tell_end, watched
    from batchrun.errors import InstanceCompleteError

    invocation: Invocation = context.obj
    if detached and (exit_code := detach(invocation)) is not None:
        return exit_code
    invocation.take_outputs(output or ())
    given = given_parameters(parameters or (), params or ())
    with invocation.application() as application:
        loaded = application.load_job(job)
        invocation.warn(loaded.warnings)
        names = [step.name for step in loaded.definition.steps]
        try:
            with watched(invocation, loaded.definition.name, names) as listeners:
                execution = application.launch(
                    loaded, given, next_run=next_run, listeners=listeners, begun=begun(invocation, application)
                )
        except InstanceCompleteError as error:
            if if_complete is IfComplete.REFUSE:
                raise
            complete = application.explorer.execution(error.execution_id)
            if (tell_launcher := begun(invocation, application)) is not None:
                tell_launcher(complete)
            return tell_complete(invocation, application, complete)
        return tell_end(invocation, application, execution, fail_on_skips=fail_on_skips)


def restart(
    context: typer.Context,
    execution_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Id of an execution; left out: the last one that can be restarted."),
    ] = None,
    parameters: ParameterArguments = None,
    params: ParameterFileOption = None,
    allow_changed: Annotated[
        bool, typer.Option("--allow-changed", help="Go on although the job file's steps have changed.")
    ] = False,
    detached: DetachOption = False,
    fail_on_skips: FailOnSkipsOption = False,
    output: OutputsOption = None,
) -> int:
    """Continue an execution that failed or was stopped.

    It goes on from its last commit. Parameters that do not identify the job instance may be given anew; secrets must
    be, unless the job file says where they are.
    """
    from batchrun.cli.detaching import begun, detach
    from batchrun.cli.ending import tell_end, watched

    invocation: Invocation = context.obj
    if detached and (exit_code := detach(invocation)) is not None:
        return exit_code
    invocation.take_outputs(output or ())
    wanted, arguments = _restart_arguments(execution_id, parameters or ())
    given = given_parameters(arguments, params or ())
    with invocation.application() as application:
        if wanted is None:
            wanted = application.last_restartable().id
            if not invocation.options.quiet:
                invocation.stderr.print(f"restarting execution {wanted}, the last one that can be")
        with watched(invocation, f"restart {wanted}") as listeners:
            execution = application.restart(
                wanted,
                given,
                allow_changed=allow_changed,
                listeners=listeners,
                begun=begun(invocation, application),
            )
        return tell_end(invocation, application, execution, fail_on_skips=fail_on_skips)


def _restart_arguments(execution_id: str | None, parameters: Sequence[str]) -> tuple[int | None, Sequence[str]]:
    """Tells the id from parameters: it may be left out, and then the first argument is a parameter already."""
    from batchrun.errors import UsageError

    if execution_id is None:
        return None, ()
    if "=" in execution_id:
        return None, (execution_id, *parameters)
    if not execution_id.isdecimal() or len(execution_id) > len(str(MAX_NUMBER)) or int(execution_id) > MAX_NUMBER:
        raise UsageError(
            f"expected ID to be the number of an execution, got: {execution_id!r}", hint="batchrun history lists them"
        )
    return int(execution_id), parameters
