"""The command that follows executions of other processes: wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.options import MAX_NUMBER, FailOnSkipsOption, OutputsOption, PlainCommand

if TYPE_CHECKING:
    from datetime import timedelta


def add_to(program: typer.Typer) -> None:
    """Adds the command of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun wait 7 --timeout 30m")(wait)


def wait(
    context: typer.Context,
    execution_ids: Annotated[
        list[int],
        typer.Argument(
            metavar="ID...", min=0, max=MAX_NUMBER, help="Ids of executions; one that has ended is not waited for."
        ),
    ],
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", metavar="DURATION", help="Wait no longer, such as 30m; then exit with 124."),
    ] = None,
    fail_on_skips: FailOnSkipsOption = False,
    output: OutputsOption = None,
) -> int:
    """Wait until an execution has ended, and exit as it did.

    It may run in any process, also on another machine. Several are waited for in turn, and the first that did not
    complete decides the exit code. Ctrl-C ends the waiting, not the run.
    """
    from batchrun.cli.ending import tell_end, watched

    invocation: Invocation = context.obj
    invocation.take_outputs(output or ())
    _refuse_several(invocation, execution_ids)
    deadline = _Deadline(timeout)
    with invocation.application() as application:
        for execution_id in execution_ids:
            application.explorer.execution(execution_id)
        exit_codes = []
        for execution_id in execution_ids:
            try:
                with watched(invocation, f"wait {execution_id}", is_late=True) as listeners:
                    ended = application.wait(execution_id, listeners=listeners, timeout=deadline.left())
            except KeyboardInterrupt:
                return tell_unwaited(invocation, execution_id)
            invocation.is_told = False  # of each, where the form adds up
            exit_codes.append(tell_end(invocation, application, ended, fail_on_skips=fail_on_skips))
    return next(filter(None, exit_codes), 0)


def tell_unwaited(invocation: Invocation, execution_id: int) -> int:
    """Tells that the waiting was ended by Ctrl-C, and returns the exit code of the process."""
    from batchrun.cli.errors import ABORTED

    invocation.stderr.print_labelled("warning", f"no longer waiting; execution {execution_id} goes on by itself")
    return ABORTED


def _refuse_several(invocation: Invocation, execution_ids: Sequence[int]) -> None:
    from batchrun.cli.outputs import Form
    from batchrun.errors import UsageError

    if len(execution_ids) > 1 and (invocation.outputs.files or invocation.outputs.stdout is not Form.TEXT):
        raise UsageError(
            "--output tells of one execution, and several are waited for",
            hint=f"{invocation.command('wait', execution_ids[0])} waits for one",
        )


class _Deadline:
    """The end of all waiting, in whatever number of pieces."""

    def __init__(self, timeout: str | None) -> None:
        import time

        self._clock = time.monotonic
        self._end = None if timeout is None else self._clock() + _duration(timeout).total_seconds()

    def left(self) -> timedelta | None:
        """Returns how much of the time is left; None without an end."""
        from datetime import timedelta

        return None if self._end is None else timedelta(seconds=max(self._end - self._clock(), 0))


def _duration(text: str) -> timedelta:
    from batchrun.domain.durations import parse_duration
    from batchrun.errors import UsageError

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
