"""The invocation: one run of the command line, with its global options and the screens it writes to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from batchrun.cli.outputs import Outputs, asked_outputs, read_outputs

if TYPE_CHECKING:
    import logging

    from batchrun.app import Application
    from batchrun.cli.rendering.screen import Screen
    from batchrun.errors import Problem
    from batchrun.operations.detaching import Detachment


class Output(StrEnum):
    """The form of a result that only text and JSON suit."""

    TEXT = "text"
    JSON = "json"


class GlobalOptions(NamedTuple):
    """Options that every command has; a tuple, since a dataclass alone would take 3 ms of each start.

    Attributes:
        verbosity: the rung of the ladder: -2 silent, -1 quiet, 0, 1 with what happens on the way, 2 with all there is.
    """

    repository: str | None = None
    verbosity: int = 0
    no_color: bool = False

    @property
    def silent(self) -> bool:
        """Only the exit code tells something."""
        return self.verbosity <= -2

    @property
    def quiet(self) -> bool:
        """Errors are told, and what a command is there to show; no progress, and nothing of what went well."""
        return self.verbosity <= -1

    @property
    def debug(self) -> bool:
        """The debug log and tracebacks are told too."""
        return self.verbosity >= 2

    @property
    def log_level(self) -> str:
        """The least severe log records to show."""
        return {-1: "ERROR", 0: "WARNING", 1: "INFO"}.get(self.verbosity, "DEBUG" if self.debug else "CRITICAL")

    @property
    def kept_log_level(self) -> int:
        """The least severe records that the log of an execution keeps: a rung more than the screen may show."""
        import logging

        return logging.DEBUG if self.verbosity >= 1 else logging.INFO


class Invocation:
    """What the commands share; makes everything when it is first asked for, so that `--help` makes nothing.

    Attributes:
        options: set once the global ones have been read.
        arguments: all of the command line, behind the program's name.
        detachment: this process is a detached run; else None.
        outputs: the forms that the result is asked for in.
        command_name: such as `launch`, once it is known; else empty.
        is_told: the result has been written in those forms, so that an error that comes later is no second one.
    """

    def __init__(
        self, open_application: Callable[..., Application] | None = None, arguments: Sequence[str] = ()
    ) -> None:
        self.options = GlobalOptions()
        self.arguments = arguments
        self.detachment: Detachment | None = None
        self.outputs: Outputs = asked_outputs(arguments, os.environ)
        self.command_name = ""
        self.is_told = False
        self._open_application = open_application
        self._log_handler: logging.Handler | None = None
        self._silence = ExitStack()

    def start(self, options: GlobalOptions, command_name: str) -> None:
        """Takes the global options, and shows batchrun's log records on stderr from here on."""
        self.options, self.command_name = options, command_name
        if options.silent:
            nowhere = self._silence.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - close() closes it
            self._silence.enter_context(redirect_stdout(nowhere))
            self._silence.enter_context(redirect_stderr(nowhere))
        self._start_log()

    def take_outputs(self, given: Sequence[str]) -> None:
        """Reads the values of `--output`, and makes sure of its files.

        Raises:
            UsageError: there is no such form, or a file cannot be written.
        """
        outputs = read_outputs(given, os.environ)
        self.outputs = outputs._replace(files=())  # a file that cannot be written gets no error either
        outputs.make_ready()
        self.outputs = outputs

    @cached_property
    def stdout(self) -> Screen:
        """Where results go."""
        from batchrun.cli.rendering.screen import Screen

        return Screen(stderr=False, no_color=self.options.no_color)

    @cached_property
    def stderr(self) -> Screen:
        """Where progress, logs and errors go."""
        from batchrun.cli.rendering.screen import Screen

        return Screen(stderr=True, no_color=self.options.no_color)

    def application(self) -> Application:
        """Opens the application; to be used as a context manager."""
        if self._open_application is not None:
            return self._open_application(repository=self.options.repository)
        from batchrun.app import Application

        return Application.open(repository=self.options.repository, log_level=self.options.kept_log_level)

    def command(self, *words: object) -> str:
        """Returns a batchrun command to type next, with the repository that this one was given."""
        repository = self.options.repository
        # A URL with a user in it may hold a password, which is not to be shown.
        given = ["--repository", repository] if repository and "@" not in repository else []
        return " ".join(["batchrun", *given, *map(str, words)])

    def warn(self, problems: Sequence[Problem]) -> None:
        """Shows the warnings that a job file gave."""
        if problems and not self.options.quiet:
            from batchrun.cli.rendering.problems import show_problem

            for problem in problems:
                show_problem(self.stderr, problem)

    def _start_log(self) -> None:
        import logging

        from batchrun.cli.log import ScreenLogHandler

        logger = logging.getLogger("batchrun")
        self._log_handler = ScreenLogHandler(lambda: self.stderr)
        self._log_handler.setLevel(self.options.log_level)  # the logs of executions may want more from the logger
        logger.addHandler(self._log_handler)
        logger.setLevel(self.options.log_level)

    def fall_silent(self) -> None:
        """Shows nothing from here on; what the job's code prints goes to its log only."""
        from batchrun.cli.job_output import printed_to_log

        self.stdout.silence()
        self.stderr.silence()
        self._silence.enter_context(printed_to_log())

    def close(self) -> None:
        """Undoes `start` and `fall_silent`."""
        self._silence.close()
        if self._log_handler is not None:
            import logging

            logger = logging.getLogger("batchrun")
            logger.removeHandler(self._log_handler)
            logger.setLevel(logging.NOTSET)
