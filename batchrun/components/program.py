"""Runs batchrun's own commands as processes, each in a session of its own, on the repository of the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from batchrun.components.stopping import POLL_SECONDS
from batchrun.errors import TaskletError
from batchrun.spi.scope import ComponentScope


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command came out.

    Attributes:
        code: its exit code; negative for a signal.
        document: what it printed as JSON, a result or an error; None where it came to neither.
        complaint: what it said beside, line by line.
    """

    code: int
    document: Any = None
    complaint: Sequence[str] = ()

    @property
    def error(self) -> dict[str, Any] | None:
        """The error, where it was one: its `type`, `message`, and what belongs to it."""
        error: dict[str, Any] | None = self.document.get("error") if isinstance(self.document, dict) else None
        return error

    @property
    def result(self) -> Any:
        """The result, or None."""
        return None if self.error is not None else self.document

    @property
    def message(self) -> str:
        """What went wrong."""
        if (error := self.error) is None:
            return " ".join(self.complaint) or f"batchrun ended with exit code {self.code}"
        problems = [f"{problem['file']}: {problem['message']}" for problem in error.get("problems", ())]
        return "; ".join(problems) or str(error["message"])


class Command:
    """A command at work."""

    def __init__(self, process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes]) -> None:
        self._process = process
        self._out = out
        self._err = err

    def ended(self) -> Ended | None:
        """Returns how it came out, or None where a short wait did not see its end."""
        try:
            code = self._process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return None
        for file in (self._out, self._err):
            file.seek(0)
        try:
            document = json.load(self._out)
        except ValueError:
            document = None
        return Ended(code, document, self._err.read().decode(errors="replace").splitlines())

    def end(self) -> None:
        """Asks it to stop, as SIGTERM asks any run."""
        self._process.terminate()


@contextmanager
def started(scope: ComponentScope, *arguments: str, stdin: str = "") -> Iterator[Command]:
    """Starts `batchrun ARGUMENTS --output json` in the project folder; a block that fails asks it to stop.

    What it prints goes into files and not into pipes, so that it goes on undisturbed should this process die.

    Args:
        scope: of the component that starts it.
        arguments: the command; anybody on the machine may read them.
        stdin: what it gets to read, such as parameters that may be secret.
    """
    with TemporaryFile() as out, TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                # -P: the current directory is no place to import from, as it is none for the installed command.
                [sys.executable, "-P", "-m", "batchrun", "--quiet", *arguments, "--output", "json"],
                cwd=scope.path("."),
                env={**os.environ, "BATCHRUN_REPOSITORY": scope.repository_url},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            raise TaskletError(f"batchrun cannot be started: {error.strerror}") from error
        try:
            _hand_over(process, stdin)
            yield Command(process, out, err)
        finally:
            if process.poll() is None:
                process.terminate()


def _hand_over(process: subprocess.Popen[bytes], text: str) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(text.encode())


def run(scope: ComponentScope, *arguments: str) -> Ended:
    """Runs a command that is soon over to its end."""
    with started(scope, *arguments) as command:
        while (ended := command.ended()) is None:
            pass
        return ended
