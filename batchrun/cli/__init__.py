"""The command line: reads arguments, calls the application, shows what came of it. It decides nothing about a run."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from batchrun.cli.interrupting import killed_by_sigint

_OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Not Python's 700: a command goes on importing, and collecting meanwhile takes up to a fifth of its time."""

_ABORTED = 130
"""As in `cli.errors`, which is not imported yet."""


def main() -> None:
    """Runs the command that the process was started with, and exits with its code."""
    _mend_streams()
    if sys.argv[1:] == ["--version"]:
        # Scripts and editors ask for it often, and typer takes ten times as long as this.
        from batchrun.version import __version__

        sys.stdout.flush()
        with suppress(OSError):
            os.write(sys.stdout.fileno(), f"batchrun {__version__}\n".encode())
        sys.exit(0)

    try:
        sys.exit(_run())
    except KeyboardInterrupt:  # where there is nobody yet who tells of it
        sys.exit(_ABORTED)


def _run() -> int:
    gc.disable()  # importing makes what lasts and no garbage; without the collector it takes a tenth less time
    with killed_by_sigint():
        from batchrun.cli.program import run

    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    return run(_arguments())


def _arguments() -> list[str]:
    if "BATCHRUN_DETACHED" not in os.environ:
        return sys.argv[1:]
    from batchrun.operations.detaching import arguments_of_this_process

    return arguments_of_this_process()


def _mend_streams() -> None:
    """Gives a closed stdout or stderr a place to write to, and shows a `?` where a stream lacks a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
