"""Tasklet `shell`: a command of the operating system as a step's body."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import IO, Annotated

from batchrun.components.stopping import POLL_SECONDS
from batchrun.domain.durations import parse_duration
from batchrun.domain.status import COMPLETED, FAILED, ExitStatus
from batchrun.errors import StepStoppedError, TaskletError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsProblem, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution

_GRACE_SECONDS = 10.0
_LINES_SHOWN = 5
_MAX_CODE = 255
_KEPT_VARIABLES = ("PATH", "HOME")
_RESERVED = ("EXECUTING", "STOPPED", "FAILED", "UNKNOWN")


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
    clear_environment: Annotated[
        bool, option("Begins with PATH and HOME alone, instead of the whole environment of batchrun.")
    ] = False
    working_directory: Annotated[str, option("Where it runs, relative to the project folder.")] = "."
    stdin: Annotated[str, option("Text that it gets on its standard input, which is empty otherwise.")] = ""
    output: (
        Annotated[
            str, option("Key of the step's context that keeps the last line of its standard output.", min_length=1)
        ]
        | None
    ) = None
    exit_codes: Annotated[
        dict[str, str],
        option(
            "The step's exit code for exit codes of the command, for the flow to branch on; FAILED fails the step.",
            examples=[{"3": "NOTHING TO DO"}],
        ),
    ] = {}
    timeout: Annotated[str, option("How long it may run.", format="duration", examples=["30s"])] | None = None

    def check(self) -> list[OptionsProblem]:
        """Checks that there is a command, and that its exit codes become those that a tasklet may give."""
        problems = [] if self.command else [OptionsProblem("the command is empty", ("command",))]
        for number, code in self.exit_codes.items():
            at = ("exit_codes", number)
            if not number.isdecimal() or int(number) > _MAX_CODE:
                problems.append(OptionsProblem(f"{number!r} is no exit code", at, f"a number from 0 to {_MAX_CODE}"))
            if code != FAILED.code and (not code.strip() or code.startswith(_RESERVED)):
                message = f"a completed step cannot have the exit code {code!r}"
                way_out = "FAILED fails the step; any other word completes it with that exit code"
                problems.append(OptionsProblem(message, at, way_out))
        return problems


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
        "What the command prints goes to the step's log, line by line. An exit code other than 0 fails the step, "
        "unless `exit_codes` gives it a meaning. When the execution is asked to stop, or the time is over, the command "
        "and all it started get SIGTERM, and SIGKILL 10 seconds later. A command that did not end is run again by a "
        "restart: at least once."
    ),
)


@component(SPEC)
class ShellTasklet:
    """Runs one command in a process group of its own."""

    def __init__(self, options: ShellOptions, scope: ComponentScope) -> None:
        self._options = options
        self._command = ["sh", "-c", options.command] if isinstance(options.command, str) else options.command
        self._shown = options.command if isinstance(options.command, str) else shlex.join(options.command)
        self._folder = scope.path(options.working_directory)
        self._timeout = parse_duration(options.timeout).total_seconds() if options.timeout else None
        self._meanings = {int(number): meaning for number, meaning in options.exit_codes.items()}
        self._scope = scope
        self._last_lines: deque[str] = deque(maxlen=_LINES_SHOWN)
        self._last_output = ""

    def open(self) -> CheckpointStore | None:
        """Has no transaction."""
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Runs the command to its end.

        Raises:
            TaskletError: it cannot be started, ended with an exit code that means failure, or took too long.
            StepStoppedError: the execution was asked to stop meanwhile.
        """
        with self._started() as process:
            code = self._wait(process)
        meaning = self._meanings.get(code, COMPLETED.code if code == 0 else FAILED.code)
        if meaning == FAILED.code:
            said = "".join(f"; {line}" for line in self._last_lines)
            how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
            raise TaskletError(f"command {self._shown!r} ended with {how}{said}")
        if meaning != COMPLETED.code:
            contribution.exit_status = ExitStatus(meaning, f"exit code {code}")
        if self._options.output is not None:
            contribution.context[self._options.output] = self._last_output
        return RepeatStatus.FINISHED

    @contextmanager
    def _started(self) -> Iterator[subprocess.Popen[str]]:
        """Starts the command; whatever happens, nothing of it is left running."""
        process = self._start()
        threads = [
            Thread(target=self._listen, args=(process.stdout, True), daemon=True),
            Thread(target=_feed, args=(process.stdin, self._options.stdin), daemon=True),
        ]
        if process.stderr is not None:
            threads.append(Thread(target=self._listen, args=(process.stderr, False), daemon=True))
        for each in threads:
            each.start()
        try:
            yield process
        finally:
            _end(process)
            for each in threads:
                each.join(_GRACE_SECONDS)

    def _start(self) -> subprocess.Popen[str]:
        if not self._folder.is_dir():
            raise TaskletError(
                f"command {self._shown!r} cannot be started: there is no folder {self._folder}",
                hint="working_directory is relative to the project folder",
            )
        try:
            return subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # One pipe keeps the order of the lines; apart they are only where the two must be told apart.
                stderr=subprocess.STDOUT if self._options.output is None else subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError is a NUL in an argument
            reason = f"{error.strerror}: {error.filename or self._command[0]}" if isinstance(error, OSError) else error
            raise TaskletError(f"command {self._shown!r} cannot be started: {reason}") from error

    def _environment(self) -> dict[str, str]:
        inherited = dict(os.environ)
        if self._options.clear_environment:
            inherited = {name: inherited[name] for name in _KEPT_VARIABLES if name in inherited}
        return {**inherited, **self._options.environment}

    def _listen(self, stream: IO[str], is_output: bool) -> None:
        with stream:
            for text in stream:
                line = text.rstrip("\n")
                self._last_lines.append(line)
                self._scope.log.info("%s", line)
                if is_output and line.strip():
                    self._last_output = line.strip()

    def _wait(self, process: subprocess.Popen[str]) -> int:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            try:
                return process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if self._scope.should_stop():
                    raise StepStoppedError(f"command {self._shown!r} was ended by the stop") from None
                if deadline is not None and time.monotonic() > deadline:
                    raise TaskletError(f"command {self._shown!r} took longer than {self._timeout:g} s") from None

    def close(self) -> None:
        """Has nothing to give back: a command is ended where it was started."""


def _feed(stream: IO[str], text: str) -> None:
    """Gives the command its input; one that does not read it all has closed the pipe."""
    with suppress(BrokenPipeError), stream:
        stream.write(text)


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
