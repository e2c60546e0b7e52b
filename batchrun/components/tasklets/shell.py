"""Tasklet `shell`: a command of the operating system as a step's body."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import IO, Annotated

from batchrun.domain.durations import parse_duration
from batchrun.errors import StepStoppedError, TaskletError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsProblem, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 10.0
_LINES_SHOWN = 5


class ShellOptions(Options):
    """Options of the tasklet `shell`."""

    command: Annotated[
        str | list[str],
        option(
            "The program with its arguments as a list, or a line for `sh -c`.",
            examples=[["gzip", "out.csv"], "ls | wc -l"],
        ),
    ]
    environment: Annotated[dict[str, str], option("Variables added to the environment.")] = {}
    working_directory: Annotated[str, option("Where it runs, relative to the project folder.")] = "."
    timeout: Annotated[str, option("How long it may run.", format="duration", examples=["30s"])] | None = None

    def check(self) -> list[OptionsProblem]:
        """Checks that there is a command."""
        return [] if self.command else [OptionsProblem("the command is empty", ("command",))]


SPEC = ComponentSpec(
    role="tasklet",
    name="shell",
    summary="Runs a command of the operating system.",
    options=ShellOptions,
    example="""
type: shell
command: [notify-desk, "${execution.id}"]
timeout: 30s
""",
    capabilities=Capabilities(restartable=True),
    description=(
        "What the command prints goes to the step's log, line by line. An exit code other than 0 fails the step. When "
        "the execution is asked to stop, or the time is over, the command and all it started get SIGTERM, and SIGKILL "
        "10 seconds later. A command that did not end is run again by a restart: at least once."
    ),
)


@component(SPEC)
class ShellTasklet:
    """Runs one command in a process group of its own."""

    def __init__(self, options: ShellOptions, scope: ComponentScope) -> None:
        self._command = ["sh", "-c", options.command] if isinstance(options.command, str) else options.command
        self._shown = options.command if isinstance(options.command, str) else shlex.join(options.command)
        self._environment = {**os.environ, **options.environment}
        self._folder = scope.path(options.working_directory)
        self._timeout = parse_duration(options.timeout).total_seconds() if options.timeout else None
        self._scope = scope
        self._last_lines: deque[str] = deque(maxlen=_LINES_SHOWN)

    def open(self) -> CheckpointStore | None:
        """Has no transaction."""
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Runs the command to its end.

        Raises:
            TaskletError: it cannot be started, ended with an exit code other than 0, or took too long.
            StepStoppedError: the execution was asked to stop meanwhile.
        """
        del contribution
        with self._started() as process:
            code = self._wait(process)
        if code != 0:
            said = "".join(f"; {line}" for line in self._last_lines)
            how = f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
            raise TaskletError(f"command {self._shown!r} ended with {how}{said}")
        return RepeatStatus.FINISHED

    @contextmanager
    def _started(self) -> Iterator[subprocess.Popen[str]]:
        """Starts the command; whatever happens, nothing of it is left running."""
        try:
            process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            what = error.filename or self._command[0]
            raise TaskletError(f"command {self._shown!r} cannot be started: {error.strerror}: {what}") from error
        assert process.stdout is not None
        listener = Thread(target=self._listen, args=(process.stdout,), daemon=True)
        listener.start()
        try:
            yield process
        finally:
            _end(process)
            listener.join(_GRACE_SECONDS)
            process.stdout.close()

    def _listen(self, output: IO[str]) -> None:
        for line in output:
            self._last_lines.append(line.rstrip("\n"))
            self._scope.log.info("%s", line.rstrip("\n"))

    def _wait(self, process: subprocess.Popen[str]) -> int:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            try:
                return process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if self._scope.should_stop():
                    raise StepStoppedError(f"command {self._shown!r} was ended by the stop") from None
                if deadline is not None and time.monotonic() > deadline:
                    raise TaskletError(f"command {self._shown!r} took longer than {self._timeout:g} s") from None

    def close(self) -> None:
        """Has nothing to give back: a command is ended where it was started."""


def _end(process: subprocess.Popen[str]) -> None:
    """Ends the whole process group, politely first, and reaps the command."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
