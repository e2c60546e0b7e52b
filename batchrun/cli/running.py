"""The commands that run jobs: launch and restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

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
from batchrun.cli.planning import PlanOption, refuse_beside_plan, tell_plan

if TYPE_CHECKING:
    from batchrun.app import Application


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
    program.command(
        cls=PlainCommand, epilog="\b\nExamples:\n  batchrun restart 7\n  batchrun restart --from state.json"
    )(restart)


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
    plan: PlanOption = False,
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
    if plan:
        refuse_beside_plan(output or (), detached=detached)
    if detached and (exit_code := detach(invocation)) is not None:
        return exit_code
    invocation.take_outputs(output or ())
    given = given_parameters(parameters or (), params or ())
    with invocation.application() as application:
        loaded = application.load_job(job)
        invocation.warn(loaded.warnings)
        names = [step.name for step in loaded.definition.steps]
        try:
            if plan:
                return tell_plan(invocation, application.plan_launch(loaded, given, next_run=next_run))
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
    export: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Continue what another machine has exported into this file."),
    ] = None,
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="JOB", help="With --from: the job's file here, if it has another place."),
    ] = None,
    allow_changed: Annotated[
        bool, typer.Option("--allow-changed", help="Go on although the job file's steps have changed.")
    ] = False,
    plan: PlanOption = False,
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
    if plan:
        refuse_beside_plan(output or (), detached=detached)
    if detached and (exit_code := detach(invocation)) is not None:
        return exit_code
    invocation.take_outputs(output or ())
    wanted, arguments = _restart_arguments(execution_id, parameters or ())
    _refuse_mixed(wanted, export, job)
    given: Mapping[str, object] = given_parameters(arguments, params or ())
    with invocation.application() as application:
        if export is not None:
            wanted, given = _taken_in(application, export, given, job)
        elif wanted is None:
            wanted = application.explorer.last_restartable().id
            if not invocation.options.quiet:
                doing = "planning to restart" if plan else "restarting"
                invocation.stderr.print(f"{doing} execution {wanted}, the last one that can be")
        if plan:
            return tell_plan(invocation, application.plan_restart(wanted, given, allow_changed=allow_changed))
        with watched(invocation, f"restart {wanted}") as listeners:
            execution = application.restart(
                wanted,
                given,
                allow_changed=allow_changed,
                listeners=listeners,
                begun=begun(invocation, application),
            )
        return tell_end(invocation, application, execution, fail_on_skips=fail_on_skips)


def _refuse_mixed(execution_id: int | None, export: str | None, job: str | None) -> None:
    from batchrun.errors import UsageError

    if execution_id is not None and export is not None:
        raise UsageError("--from says which execution: the last one of the export", hint="leave the ID out")
    if job is not None and export is None:
        raise UsageError("--job goes with --from: an execution of this repository knows its file")


def _taken_in(
    application: Application, export: str, given: Mapping[str, object], job: str | None
) -> tuple[int, Mapping[str, object]]:
    from pathlib import Path

    from batchrun.operations.export_file import read_export

    return application.take_in(read_export(Path(export)), given, job=job)


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
