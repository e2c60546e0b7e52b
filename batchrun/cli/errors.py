"""How a command that failed tells so: one place turns every exception into text on stderr and an exit code."""

from __future__ import annotations

import sys
import traceback

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.reports.failure import FailureResult
from batchrun.cli.reports.writing import write_forms
from batchrun.errors import BatchrunError, DefinitionError, ExitCode, UsageError

ABORTED = 130
"""Exit code after the second SIGINT: 128 + 2, as shells have it. Unlike 4 it says that nothing was stopped cleanly."""


def report(error: BaseException, invocation: Invocation) -> int:
    """Shows the error, in all forms that are asked for, and returns the exit code of the process."""
    if _is_gone_stdout(error):
        return ExitCode.COMPLETED
    if invocation.options.debug and not isinstance(error, typer.TyperException):
        invocation.stderr.write("".join(traceback.format_exception(error)))
    result = _result(error, invocation)
    result.show(invocation.stderr)
    try:
        write_forms(invocation, result)
    except UsageError as unwritten:
        invocation.stderr.print_labelled("error", unwritten.message)
    return result.exit_code


def _result(error: BaseException, invocation: Invocation) -> FailureResult:
    command = f"batchrun {invocation.command_name}".rstrip()
    match error:
        case typer.TyperException():
            return _usage_result(error, command)
        case DefinitionError():
            # The message counts the problems, which are told one by one.
            problems = error.problems
            return FailureResult(command, error.message, error.exit_code, _kind(error), error.hint, problems)
        case BatchrunError():
            execution_id = getattr(error, "execution_id", None)
            return FailureResult(
                command, str(error), error.exit_code, _kind(error), error.hint, execution_id=execution_id
            )
        case KeyboardInterrupt(args=(str(message),)):
            return FailureResult(command, message, ABORTED, "Aborted")
        case KeyboardInterrupt():
            message = "aborted; what was not committed is not kept"
            hint = f"{invocation.command('history')} shows how far it came; the same command goes on from there"
            return FailureResult(command, message, ABORTED, "Aborted", hint)
        case OSError() if _is_of_typer(error):
            message = f"the help cannot be written to stdout: {error.strerror}"
            return FailureResult(command, message, ExitCode.USAGE, UsageError.__name__)
        case _:
            return _defect_result(error, command, is_traced=invocation.options.debug)


def _kind(error: BatchrunError) -> str:
    return type(error).__name__


def _usage_result(error: typer.TyperException, command: str) -> FailureResult:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else command
    hint = f"{path} --help tells how to use it"
    return FailureResult(path, message[:1].lower() + message[1:], ExitCode.USAGE, UsageError.__name__, hint)


def _defect_result(error: BaseException, command: str, *, is_traced: bool) -> FailureResult:
    message = f"a defect of batchrun itself: {type(error).__name__}: {error}"
    where = "the traceback above" if is_traced else "the traceback that --debug shows"
    return FailureResult(command, message, ExitCode.DEFECT, type(error).__name__, f"please report it with {where}")


def _is_of_typer(error: BaseException) -> bool:
    """Tells whether typer met the error when it printed, which it does with the help alone."""
    return any(frame.f_code is typer.echo.__code__ for frame, _line in traceback.walk_tb(error.__traceback__))


def _is_gone_stdout(error: BaseException) -> bool:
    """Tells whether the error is that nobody reads the help that typer prints; a screen sees to that itself."""
    if not isinstance(error, BrokenPipeError):
        return False
    import select

    from batchrun.cli.rendering.screen import silence

    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), select.POLLOUT)
    except (OSError, ValueError):  # no file stands behind it
        return False
    if not any(events & select.POLLERR for _, events in poll.poll(0)):
        return False
    silence(sys.stdout)
    return True
