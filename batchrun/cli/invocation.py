"""The invocation: one run of the command line, with its global options and the screens it writes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import logging

    from batchrun.app import Application
    from batchrun.cli.rendering.screen import Screen
    from batchrun.errors import Problem


class Output(StrEnum):
    """The form of a command's result on stdout."""

    TEXT = "text"
    JSON = "json"


class GlobalOptions(NamedTuple):
    """Options that every command has; a tuple, since a dataclass alone would take 3 ms of each start."""

    repository: str | None = None
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    no_color: bool = False

    @property
    def log_level(self) -> str:
        """The least severe log records to show."""
        if self.debug:
            return "DEBUG"
        if self.quiet:
            return "ERROR"
        return "INFO" if self.verbose else "WARNING"

    @property
    def kept_log_level(self) -> int:
        """The least severe records that the log of an execution keeps: a rung more than the screen may show."""
        import logging

        return logging.DEBUG if self.verbose or self.debug else logging.INFO


class Invocation:
    """What the commands share; makes everything when it is first asked for, so that `--help` makes nothing.

    Attributes:
        options: set once the global ones have been read.
    """

    def __init__(self, open_application: Callable[..., Application] | None = None) -> None:
        self.options = GlobalOptions()
        self._open_application = open_application
        self._log_handler: logging.Handler | None = None

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

    def start_log(self) -> None:
        """Shows batchrun's log records on stderr from here on."""
        import logging

        from batchrun.cli.log import ScreenLogHandler

        logger = logging.getLogger("batchrun")
        self._log_handler = ScreenLogHandler(lambda: self.stderr)
        self._log_handler.setLevel(self.options.log_level)  # the logs of executions may want more from the logger
        logger.addHandler(self._log_handler)
        logger.setLevel(self.options.log_level)

    def close(self) -> None:
        """Undoes `start_log`."""
        if self._log_handler is not None:
            import logging

            logger = logging.getLogger("batchrun")
            logger.removeHandler(self._log_handler)
            logger.setLevel(logging.NOTSET)


def given_parameters(arguments: Sequence[str]) -> dict[str, str]:
    """Reads `key=value` arguments, split at the first `=`.

    Raises:
        UsageError: an argument is none, or a key stands twice.
    """
    from batchrun.errors import UsageError

    given: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not (key and equals):
            raise UsageError(
                f"{argument!r} is not a parameter: it needs a name, = and a value",
                hint=f"{key or 'name'}=VALUE",
            )
        if key in given:
            raise UsageError(f"parameter {key!r} is given twice: {given[key]!r} and {value!r}")
        given[key] = value
    return given
