"""What the code of a job prints: it goes to stderr and to the execution's log, since stdout is for the result alone."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, cast

from batchrun.operations.masked_log import masked

OUTPUT_LOGGER = "batchrun.output"
"""Its records are lines that stand on the screen already."""

_STDOUT = 1
_STDERR = 2

_log = logging.getLogger(OUTPUT_LOGGER)


class JobOutput:
    """A stream in the place of stdout. Writes to what is stderr at that moment, which a live display exchanges."""

    def __init__(self) -> None:
        self._begun: dict[int, str] = {}

    def write(self, text: str) -> int:
        """Writes through to stderr, unless that is such a stream itself; whole lines go to the log."""
        if not isinstance(sys.stderr, JobOutput):
            sys.stderr.write(masked(text))
        *lines, rest = (self._begun.pop(threading.get_ident(), "") + text).split("\n")
        for line in lines:
            _log.info("%s", line)
        if rest:
            self._begun[threading.get_ident()] = rest
        return len(text)

    def flush(self) -> None:
        """Writes what stderr holds back."""
        if not isinstance(sys.stderr, JobOutput):
            sys.stderr.flush()

    def isatty(self) -> bool:
        """Tells that nobody watches it, so that no library draws there."""
        return False


@contextmanager
def printed_to_log() -> Iterator[None]:
    """Sends all that is printed to the log only, as a detached run has no screen."""
    stream = cast("IO[str]", JobOutput())
    with redirect_stdout(stream), redirect_stderr(stream):
        yield


@contextmanager
def printed_to_stderr() -> Iterator[None]:
    """Sends all that is printed to stderr and to the log, also what programs print that the job's code starts."""
    with _descriptor_of_stderr(), redirect_stdout(cast("IO[str]", JobOutput())):
        yield


@contextmanager
def _descriptor_of_stderr() -> Iterator[None]:
    """Lets stdout's descriptor be stderr's, where those are what the process was started with."""
    try:
        is_own = (sys.stdout.fileno(), sys.stderr.fileno()) == (_STDOUT, _STDERR)
    except (OSError, ValueError):  # streams in memory
        is_own = False
    if not is_own:
        yield
        return
    with suppress(OSError):
        sys.stdout.flush()
    kept = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        yield
    finally:
        os.dup2(kept, _STDOUT)
        os.close(kept)
