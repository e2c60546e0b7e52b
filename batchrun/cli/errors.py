"""How a command that failed tells so: one place turns every exception into text on stderr and an exit code."""

from __future__ import annotations

import sys
import traceback

import typer

from batchrun.cli.invocation import Invocation
from batchrun.errors import BatchrunError, DefinitionError, ExitCode

ABORTED = 130
"""Exit code after the second SIGINT: 128 + 2, as shells have it. Unlike 4 it says that nothing was stopped cleanly."""


def report(error: BaseException, invocation: Invocation) -> int:
    """Shows the error and returns the exit code of the process."""
    if _is_gone_stdout(error):
        return ExitCode.COMPLETED
    if invocation.options.debug and not isinstance(error, typer.TyperException):
        invocation.stderr.write("".join(traceback.format_exception(error)))
    match error:
        case typer.TyperException():
            return _report_usage(error, invocation)
        case DefinitionError():
            return _report_definition(error, invocation)
        case BatchrunError():
            return _show(invocation, str(error), error.hint, error.exit_code)
        case KeyboardInterrupt():
            hint = f"{invocation.command('history')} shows how far it came; the same command goes on from there"
            return _show(invocation, "aborted; what was not committed is not kept", hint, ABORTED)
        case _:
            return _report_defect(error, invocation)


def _show(invocation: Invocation, message: str, hint: str | None, exit_code: int) -> int:
    invocation.stderr.print_labelled("error", message)
    if hint:
        invocation.stderr.print_labelled("hint", hint)
    return exit_code


def _report_usage(error: typer.TyperException, invocation: Invocation) -> int:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "batchrun"
    hint = f"{command} --help tells how to use it"
    return _show(invocation, message[:1].lower() + message[1:], hint, ExitCode.USAGE)


def _report_definition(error: DefinitionError, invocation: Invocation) -> int:
    from batchrun.cli.rendering.problems import show_problem

    for problem in error.problems:
        show_problem(invocation.stderr, problem)
    return _show(invocation, error.message, error.hint, error.exit_code)


def _report_defect(error: BaseException, invocation: Invocation) -> int:
    message = f"a defect of batchrun itself: {type(error).__name__}: {error}"
    hint = (
        "please report it with the traceback above"
        if invocation.options.debug
        else "please report it with the traceback that --debug shows"
    )
    return _show(invocation, message, hint, ExitCode.DEFECT)


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
