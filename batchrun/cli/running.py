"""The commands that run jobs: launch and restart."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output, given_parameters
from batchrun.cli.options import MAX_NUMBER, JobArgument, OutputOption, ParameterArguments, PlainCommand

if TYPE_CHECKING:
    from batchrun.app import Application
    from batchrun.domain.execution import JobExecution


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
    if_complete: Annotated[
        IfComplete,
        typer.Option("--if-complete", help="What to do where the same parameters have completed already."),
    ] = IfComplete.REFUSE,
    output: OutputOption = Output.TEXT,
) -> int:
    """Run a job with parameters.

    If the last run with the same parameters failed or was stopped, it goes on from there. Ctrl-C stops at the next
    commit.
    """
    from batchrun.cli.rendering.progress import progress_on
    from batchrun.errors import InstanceCompleteError

    invocation: Invocation = context.obj
    given = given_parameters(parameters or ())
    with invocation.application() as application:
        loaded = application.load_job(job)
        invocation.warn(loaded.warnings)
        names = [step.name for step in loaded.definition.steps]
        try:
            with progress_on(invocation.stderr, quiet=invocation.options.quiet, step_names=names) as listeners:
                execution = application.launch(loaded, given, listeners=listeners)
        except InstanceCompleteError as error:
            if if_complete is IfComplete.REFUSE:
                raise
            return _show_skipped(invocation, application.explorer.execution(error.execution_id), output)
        _show_result(invocation, execution, output)
        return application.exit_code(execution, loaded)


def restart(
    context: typer.Context,
    execution_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Id of an execution; left out: the last one that can be restarted."),
    ] = None,
    parameters: ParameterArguments = None,
    allow_changed: Annotated[
        bool, typer.Option("--allow-changed", help="Go on although the job file's steps have changed.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Continue an execution that failed or was stopped.

    It goes on from its last commit. Parameters that do not identify the job instance may be given anew.
    """
    from batchrun.cli.rendering.progress import progress_on

    invocation: Invocation = context.obj
    wanted, given = _restart_arguments(execution_id, parameters or ())
    with invocation.application() as application:
        if wanted is None:
            wanted = application.last_restartable().id
            if not invocation.options.quiet:
                invocation.stderr.print(f"restarting execution {wanted}, the last one that can be")
        with progress_on(invocation.stderr, quiet=invocation.options.quiet) as listeners:
            execution = application.restart(wanted, given, allow_changed=allow_changed, listeners=listeners)
        _show_result(invocation, execution, output)
        return _exit_code(application, execution)


def _restart_arguments(execution_id: str | None, parameters: Sequence[str]) -> tuple[int | None, dict[str, str]]:
    """Tells the id from parameters: it may be left out, and then the first argument is a parameter already."""
    from batchrun.errors import UsageError

    if execution_id is None:
        return None, {}
    if "=" in execution_id:
        return None, given_parameters([execution_id, *parameters])
    if not execution_id.isdecimal() or len(execution_id) > len(str(MAX_NUMBER)) or int(execution_id) > MAX_NUMBER:
        raise UsageError(
            f"expected ID to be the number of an execution, got: {execution_id!r}", hint="batchrun history lists them"
        )
    return int(execution_id), given_parameters(parameters)


def _show_skipped(invocation: Invocation, complete: JobExecution, output: Output) -> int:
    """Shows the execution that has done the work already."""
    if output is Output.JSON:
        _show_result(invocation, complete, output)
    elif not invocation.options.quiet:
        invocation.stdout.print(f"{complete.job_name} has completed with these parameters: execution {complete.id}")
    return 0


def _exit_code(application: Application, execution: JobExecution) -> int:
    """Returns the process's exit code; only a job that has numbers of its own is read once more."""
    if "exit_codes" not in execution.job_text:
        return application.exit_code(execution)
    return application.exit_code(execution, application.load_job(execution.job_file))


def _show_result(invocation: Invocation, execution: JobExecution, output: Output) -> None:
    """Shows what came of the run; where stdout is not watched, a failure is told on stderr too."""
    from batchrun.cli.rendering.execution import failures, show_summary
    from batchrun.domain.status import BatchStatus

    is_good = execution.status is BatchStatus.COMPLETED
    if output is Output.JSON:
        from batchrun.cli.documents import as_json, execution_document

        invocation.stdout.write(as_json(execution_document(execution)))
    elif not (is_good and invocation.options.quiet):
        if invocation.stdout.is_watched and not invocation.options.quiet:
            invocation.stdout.print("")  # sets it apart from the progress above
        next_command = invocation.command("restart", execution.id) if execution.status.is_restartable else None
        show_summary(invocation.stdout, execution, next_command)
    if execution.status is BatchStatus.FAILED and (output is Output.JSON or not invocation.stdout.is_watched):
        for what, description in failures(execution):
            invocation.stderr.print_labelled("error", f"{what}: {description}")
