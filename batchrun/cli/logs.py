"""The command that shows the log of an execution: logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.options import MAX_NUMBER, PlainCommand

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchrun.app import Application
    from batchrun.domain.execution import JobExecution
    from batchrun.operations.log_reading import LogLine

    Wanted = Callable[[LogLine], bool]


class Level(StrEnum):
    """How severe a record of a log is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def add_to(program: typer.Typer) -> None:
    """Adds the command of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun logs 7 -f --step load")(logs)


def logs(
    context: typer.Context,
    execution_id: Annotated[
        int | None,
        typer.Argument(metavar="[ID]", min=0, max=MAX_NUMBER, help="Id of an execution; left out: the last one."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is still to come, until the execution ends.")
    ] = False,
    step: Annotated[str | None, typer.Option("--step", metavar="NAME", help="Only what belongs to this step.")] = None,
    level: Annotated[
        Level, typer.Option("--level", case_sensitive=False, metavar="LEVEL", help="Only this level and above.")
    ] = Level.DEBUG,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", min=1, help="Begin with the last N records.")
    ] = None,
) -> int:
    """Show or follow the log of an execution.

    It has what batchrun, the steps and the code of the job said, and is kept on the machine that the execution runs on.
    Times are in UTC.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        execution = _execution(invocation, application, execution_id)
        try:
            _show(invocation, _lines(application, execution, _wanted(step, level), tail, follow=follow))
        except KeyboardInterrupt:
            from batchrun.cli.errors import ABORTED

            return ABORTED
        if follow and not invocation.options.quiet:
            ended = application.wait(execution.id)
            invocation.stderr.print(f"execution {ended.id} of {ended.job_name} is {ended.status.name}")
    return 0


def _execution(invocation: Invocation, application: Application, execution_id: int | None) -> JobExecution:
    if execution_id is not None:
        return application.explorer.execution(execution_id)
    last = application.explorer.last()
    if not invocation.options.quiet:
        invocation.stderr.print(f"log of execution {last.id}, the last one")
    return last


def _wanted(step: str | None, level: Level) -> Wanted:
    import logging

    least = logging.getLevelNamesMapping()[level.name]
    return lambda line: line.level >= least and step in (None, line.step)


def _lines(
    application: Application, execution: JobExecution, wanted: Wanted, tail: int | None, *, follow: bool
) -> Iterator[LogLine]:
    start = 0 if tail is None else _start_of_tail(application.log_lines(execution), wanted, tail)
    return filter(wanted, islice(application.log_lines(execution, follow=follow), start, None))


def _start_of_tail(lines: Iterable[LogLine], wanted: Wanted, count: int) -> int:
    """Returns the number of the line where the last records begin; behind the end where there is none."""
    starts: deque[int] = deque(maxlen=count)
    number = -1
    for number, line in enumerate(lines):
        if line.begins and wanted(line):
            starts.append(number)
    return starts[0] if starts else number + 1


def _show(invocation: Invocation, lines: Iterable[LogLine]) -> None:
    from batchrun.cli.rendering.log import show_line

    for line in lines:
        show_line(invocation.stdout, line)
        if invocation.stdout.is_silent:  # nobody reads any more
            return
