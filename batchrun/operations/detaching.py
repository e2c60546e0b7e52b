"""Detached runs: a process of its own, in a session of its own, that outlives its launcher and its terminal.

The launcher starts the same command once more, and holds two pipes to it. Through one it hands over the arguments:
anybody on the machine can read those of a process, and a secret may be among them. Through the other the run tells the
execution's id when there is one. Until then it reads and writes the launcher's own streams, as it would without a
launcher. A launcher that is killed meanwhile leaves the run as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from batchrun.domain.parameters import MASK
from batchrun.errors import DetachError

_VARIABLE = "BATCHRUN_DETACHED"
"""Carries the number of the end of the id's pipe to the run."""

_ARGUMENTS_VARIABLE = "BATCHRUN_ARGUMENTS"
"""The same of the pipe with the arguments."""


class DetachedStart(NamedTuple):
    """How the start of a detached run came out.

    Attributes:
        execution_id: of the execution that runs; None where the process ended before it had one, and told why.
        exit_code: of the process that ended; 0 where it runs.
    """

    execution_id: int | None
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Streams:
    """What a detached run reads and writes until its execution has begun, and its environment besides the launcher's.

    Attributes:
        stdin: None is the launcher's own.
        stdout: as above.
        stderr: as above.
    """

    stdin: int | IO[bytes] | None = None
    stdout: int | IO[bytes] | None = None
    stderr: int | IO[bytes] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def start_detached(arguments: Sequence[str], streams: Streams | None = None) -> DetachedStart:
    """Runs `batchrun ARGUMENTS` as a process of its own, and returns as soon as its execution has begun.

    Args:
        arguments: of the command.
        streams: in place of the launcher's own.

    Raises:
        DetachError: the process was killed, or could not be started.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        try:
            process = _spawn(arguments, writing, streams or Streams())
        except OSError as error:
            raise DetachError(f"cannot be started: {error.strerror}") from error
        finally:
            os.close(writing)
        try:
            told = pipe.read().strip()
        except KeyboardInterrupt:
            process.terminate()  # its execution, should it have begun meanwhile, ends STOPPED
            raise
    if told:
        # In a launcher that lives on, as a server does, the run would stay a zombie otherwise.
        threading.Thread(target=process.wait, daemon=True).start()
        return DetachedStart(int(told))
    code = process.wait()
    if code < 0:
        raise DetachError(f"was killed by signal {-code} before its execution had begun")
    return DetachedStart(None, code)


def _spawn(arguments: Sequence[str], pipe: int, streams: Streams) -> subprocess.Popen[bytes]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as handed:
        try:
            process = subprocess.Popen(
                # -P: the current directory is no place to import from, as it is none for the installed command.
                [sys.executable, "-P", "-m", "batchrun", *map(_shown, arguments)],
                pass_fds=[pipe, reading],
                stdin=streams.stdin,
                stdout=streams.stdout,
                stderr=streams.stderr,
                env={**os.environ, **streams.variables, _VARIABLE: str(pipe), _ARGUMENTS_VARIABLE: str(reading)},
                start_new_session=True,
            )
        finally:
            os.close(reading)
        with suppress(BrokenPipeError):
            handed.write(json.dumps(list(arguments)).encode())
            handed.flush()
    return process


def _shown(argument: str) -> str:
    """Returns an argument as `ps` may show it: without the value of a parameter, or a URL's password."""
    name, equals, _ = argument.partition("=")
    if equals:
        return f"{name}={MASK}"
    return MASK if "://" in argument and "@" in argument else argument


def arguments_of_this_process() -> list[str]:
    """Returns the command line of this process, which a launcher has handed over where it runs detached."""
    given = os.environ.pop(_ARGUMENTS_VARIABLE, "")
    if not given.isdecimal():
        return sys.argv[1:]
    with os.fdopen(int(given), "rb") as handed:
        arguments: list[str] = json.loads(handed.read())
    return arguments


class Detachment:
    """The other side: this process is a detached run, and its launcher waits to hear the id."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        os.set_inheritable(pipe, False)

    @classmethod
    def of_this_process(cls) -> Detachment | None:
        """Returns this process's own, if a launcher has started it to run detached.

        The environment forgets about it, so that what the job itself starts is not taken for a detached run.
        """
        given = os.environ.pop(_VARIABLE, "")
        return cls(int(given)) if given.isdecimal() else None

    def begun(self, execution_id: int, log: Path) -> None:
        """Leaves the launcher's streams for the log, and tells the launcher the id; it may be gone already."""
        _leave_streams(log)
        with suppress(OSError):
            os.write(self._pipe, b"%d" % execution_id)
        with suppress(OSError):
            os.close(self._pipe)


def _leave_streams(log: Path) -> None:
    """Reads nothing more, and sends what any library writes to stdout and stderr to the end of the log."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        output = os.open(log, os.O_WRONLY | os.O_APPEND)
    except OSError:
        output = os.dup(nowhere)
    for file, descriptor in ((nowhere, 0), (output, 1), (output, 2)):
        os.dup2(file, descriptor)
    os.close(nowhere)
    os.close(output)
