"""The error tree: each family carries the exit code of the process (SEMANTICS section 9) and the way out.

An error takes data and builds its own text, so that one text lives in one place. This module imports
nothing of batchrun; everything else may import it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Returns the word of `words` that a misspelt one most likely means, or None where none is near."""
    from difflib import get_close_matches

    spelt = {each.lower(): each for each in words}
    near = get_close_matches(word.lower(), spelt, n=1)
    return spelt[near[0]] if near else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """Returns the hint that names the word of `words` nearest to a misspelt one, or None where none is near."""
    near = nearest(word, words)
    return f"did you mean {near!r}?" if near is not None else None


class ExitCode(IntEnum):
    """Exit codes of the process; 10 to 63 are left to the `exit_codes` of a job, and 10 also to `--fail-on-skips`."""

    COMPLETED = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    STOPPED = 4
    DEFINITION = 5
    REPOSITORY = 6
    SKIPS = 10
    DEFECT = 70
    TIMEOUT = 124


def first_line(error: BaseException) -> str:
    """Returns the first line of a foreign error's text, or its class's name where it has none."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


class BatchrunError(Exception):
    """Anything that batchrun tells its user; the message says what happened, where, and what to do.

    Attributes:
        exit_code: the process's exit code when this error ends the command.
        hint: the way out, as a sentence or a command, or None.
    """

    exit_code: ExitCode = ExitCode.DEFECT

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# --- wrong usage ------------------------------------------------------------------------------------


class UsageError(BatchrunError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


class NoSuchExecutionError(UsageError):
    """No job execution has this id in the repository."""

    def __init__(self, execution_id: int) -> None:
        super().__init__(
            f"there is no execution {execution_id} in this repository",
            hint="batchrun history lists the executions there are",
        )
        self.execution_id = execution_id


class NoLogError(UsageError):
    """There is no log of an execution in this place."""

    def __init__(self, execution_id: int, path: str, host: str, *, is_here: bool) -> None:
        why = (
            f"there is no {path}: it has been removed, or could not be written"
            if is_here
            else f"it ran on host {host}, which keeps its log; here there is no {path}"
        )
        super().__init__(
            f"the log of execution {execution_id} is not here: {why}",
            hint=f"batchrun show {execution_id} tells what the repository knows of it",
        )


# --- waiting, and runs in other processes -------------------------------------------------------------


class StillRunningError(BatchrunError):
    """The time to wait for an execution is over, and it runs still."""

    exit_code = ExitCode.TIMEOUT

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(
            f"the time is over, and execution {execution_id} of job {job_name!r} goes on",
            hint=f"batchrun wait {execution_id} waits on, batchrun stop {execution_id} asks it to stop",
        )


class DetachError(BatchrunError):
    """The process of a detached run did not come as far as its execution."""

    exit_code = ExitCode.FAILED

    def __init__(self, what: str) -> None:
        super().__init__(f"the process of the detached run {what}", hint="without --detach it runs in this process")


# --- the job file and its parameters -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a job file, with its place.

    Attributes:
        message: what is wrong, in one line, lower case at the start.
        file: the file as the user named it.
        line: 1-based line, or None where the problem has no place in a text that somebody wrote.
        column: 1-based column.
        source: the text of that line, for the caret.
        path: the place in the document, such as `steps[0].reader.delimiter`.
        hint: a did-you-mean or the way out, without a final full stop.
        severity: `error`, or `warning` for what does not stop a launch.
    """

    message: str
    file: str
    line: int | None = None
    column: int | None = None
    source: str | None = None
    path: str = ""
    hint: str | None = None
    severity: str = "error"

    @property
    def has_place(self) -> bool:
        """Tells whether it says where in the document it is: by a line, or in a job built in code by the path."""
        return self.line is not None or bool(self.path)

    def place(self, file: str | None = None) -> str:
        """Returns `file:line:column`, or `job 'x', steps[0].reader.path`, as far as the problem has it.

        Args:
            file: what to call the file instead.
        """
        file = self.file if file is None else file
        if self.line is None:
            return f"{file}, {self.path}" if self.path else file
        return ":".join(str(part) for part in (file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        """Returns the problem in one line, with its place and the way out."""
        return f"{self.place()}: {self.message}{f' ({self.hint})' if self.hint else ''}"


class DefinitionError(BatchrunError):
    """The job file or its parameters are wrong; holds every problem found, in the order of the file."""

    exit_code = ExitCode.DEFINITION

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in the job file or its parameters")

    def __str__(self) -> str:
        """Returns all problems, for the history of a step that meets them; the message only counts them."""
        return "; ".join(str(problem) for problem in self.problems)


class MissingExtraError(BatchrunError):
    """A component needs a library that is not installed."""

    exit_code = ExitCode.DEFINITION

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra {extra!r}, which is not installed",
            hint=f"pip install 'batchrun-cli[{extra}]'",
        )


# --- launches that are refused -----------------------------------------------------------------------


class LaunchRefusedError(BatchrunError):
    """The state of the job instance forbids this launch or restart (SEMANTICS section 1)."""

    exit_code = ExitCode.REFUSED


class ExecutionRunningError(LaunchRefusedError):
    """An execution of the same instance is alive."""

    def __init__(self, job_name: str, execution_id: int, host: str, pid: int, verb: str = "launch") -> None:
        where = f"host {host}, pid {pid}"
        if verb == "launch":
            message = f"job {job_name!r} is already running with these parameters: execution {execution_id}, {where}"
            way_out = f"batchrun show {execution_id} tells how far it is"
        else:
            message = f"execution {execution_id} of job {job_name!r} is running: {where}"
            way_out = f"batchrun stop {execution_id} asks it to stop"
        super().__init__(message, hint=way_out)
        self.execution_id = execution_id


class InstanceCompleteError(LaunchRefusedError):
    """The instance has completed; the same parameters mean the same work again."""

    def __init__(self, job_name: str, execution_id: int, has_identifying: bool) -> None:
        way_out = (
            "launch it with other identifying parameters, or once more with --next"
            if has_identifying
            else "the job has no identifying parameter, so it has one instance only; --next makes one more"
        )
        super().__init__(
            f"job {job_name!r} has already completed with these parameters (execution {execution_id})",
            hint=way_out,
        )
        self.execution_id = execution_id


class InstanceAbandonedError(LaunchRefusedError):
    """The instance's last execution was abandoned: it never starts again."""

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(
            f"execution {execution_id} of job {job_name!r} was abandoned, so it cannot be started again",
            hint="launch the job with other identifying parameters",
        )
        self.execution_id = execution_id


class NotAbandonableError(LaunchRefusedError):
    """An execution has completed: there is nothing to abandon."""

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(f"execution {execution_id} of job {job_name!r} has completed, so it cannot be abandoned")


class NotRunningError(LaunchRefusedError):
    """An execution that is to be stopped does not run."""

    def __init__(self, job_name: str, execution_id: int, status: str, way_out: str | None = None) -> None:
        super().__init__(f"execution {execution_id} of job {job_name!r} is not running: it is {status}", hint=way_out)


class NotLatestExecutionError(LaunchRefusedError):
    """A restart names an execution that a later one of the same instance has superseded."""

    def __init__(self, execution_id: int, latest_id: int, verb: str = "restart") -> None:
        super().__init__(
            f"execution {execution_id} is not the last one of its job instance; execution {latest_id} came after it",
            hint=f"batchrun {verb} {latest_id}",
        )


class OtherInstanceError(LaunchRefusedError):
    """A restart would begin another job instance: the job has another name now."""

    def __init__(self, execution_id: int) -> None:
        super().__init__(
            f"execution {execution_id} cannot be continued: under the name that the job has now it would be another "
            "job instance",
            hint="give the job its former name, or launch it as a new one",
        )


class JobFileChangedError(LaunchRefusedError):
    """The job file changed so that the step to resume is gone or stands elsewhere."""

    def __init__(self, job_name: str, execution_id: int, reason: str, way_out: str) -> None:
        super().__init__(
            f"the file of job {job_name!r} has changed since execution {execution_id}: {reason}", hint=way_out
        )


class JobInCodeError(LaunchRefusedError):
    """An execution of a job that was built in Python code, which no file says, is to be continued without it."""

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(
            f"execution {execution_id} is of job {job_name!r}, which was built in code: no file says what it does",
            hint=f"continue it where it is built: batchrun.restart({execution_id}, job=…)",
        )
        self.execution_id = execution_id


# --- the repository ----------------------------------------------------------------------------------


class RepositoryError(BatchrunError):
    """The job repository cannot be used; `execution_id` is that of the run which this has ended, or None."""

    exit_code = ExitCode.REPOSITORY
    execution_id: int | None = None


class RepositoryUnreachableError(RepositoryError):
    """The repository's database does not answer, cannot be opened or cannot be written."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the repository {url} cannot be used: {reason}",
            hint="check --repository, BATCHRUN_REPOSITORY and batchrun.toml",
        )


class RepositoryVersionError(RepositoryError):
    """The repository's tables are of another version than this batchrun."""

    def __init__(self, url: str, found: str, expected: str, hint: str) -> None:
        super().__init__(f"the repository {url} has schema version {found}, this batchrun needs {expected}", hint=hint)


class FencedError(BatchrunError):
    """A newer owner has taken over what this process was running; nothing more of it may be committed."""

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, token: int) -> None:
        super().__init__(
            f"{what} has been taken over by another process (this one holds token {token}); "
            "this process stops without committing anything more"
        )
        self.token = token


# --- what fails while a step runs --------------------------------------------------------------------


class StepError(BatchrunError):
    """A step's work failed; the execution ends FAILED and can be restarted."""

    exit_code = ExitCode.FAILED


class StartLimitError(StepError):
    """A step has been started as often as its `start_limit` allows in this instance."""

    def __init__(self, step_name: str, limit: int) -> None:
        super().__init__(
            f"step {step_name!r} has been started {limit} time{'' if limit == 1 else 's'}, "
            "which is its start_limit in one job instance",
            hint="raise start_limit, or launch the job with other identifying parameters",
        )


class VisitLimitError(StepError):
    """The flow enters a state more often than its `max_visits` allows."""

    def __init__(self, step_name: str, limit: int) -> None:
        super().__init__(
            f"the flow has entered step {step_name!r} {limit} time{'' if limit == 1 else 's'}, "
            "which is its max_visits in one job instance",
            hint="raise max_visits, or let the flow leave the loop",
        )


class StepTimeoutError(StepError):
    """A step has taken longer than its `timeout`."""

    def __init__(self, step_name: str, seconds: float) -> None:
        super().__init__(
            f"step {step_name!r} took longer than its timeout of {seconds:g} s",
            hint="what it has committed is kept; raise timeout, or restart to go on",
        )


class DecisionError(StepError):
    """A decision could not be taken."""

    def __init__(self, step_name: str, reason: str) -> None:
        super().__init__(f"decision {step_name!r} could not be taken: {reason}")


class PromotionError(StepError):
    """A step has completed without a key that its `promote` names."""

    def __init__(self, step_name: str, key: str, keys: Iterable[str]) -> None:
        known = ", ".join(keys) or "none"
        super().__init__(f"the context of step {step_name!r} has no {key!r} to promote", hint=f"its keys: {known}")


class SkipLimitExceededError(StepError):
    """A step has skipped as many items as it may, and another one failed.

    Attributes:
        error: what was wrong with that item.
    """

    def __init__(self, limit: str, error: BaseException) -> None:
        super().__init__(f"more items failed than the skip limit of {limit} allows; the last one: {error}")
        self.error = error


class ItemError(StepError):
    """An item cannot be read, processed or written.

    Attributes:
        origin: where the item came from, such as `flights.csv:17`, or None.
        raw: the item's raw text or values, for the reject, or None.
        item: the item itself, where it is known which one it was and it had been read.
        place: the item's place in the chunk that was worked on, from 0, where it is known for certain: once the items
            before it are done, it is set aside without being tried by itself.
        decided: how many items of that chunk, from its first, stay as they are: written, or refused by name, in this
            error or in `further`; 0 where all is undone.
        further: errors of more of those items, each with its place, in order.
    """

    def __init__(
        self,
        message: str,
        *,
        origin: str | None = None,
        raw: str | None = None,
        item: dict[str, Any] | None = None,
        place: int | None = None,
        decided: int = 0,
        further: Sequence[ItemError] = (),
    ) -> None:
        super().__init__(f"{origin}: {message}" if origin else message)
        self.reason = message
        self.origin = origin
        self.raw = raw
        self.item = item
        self.place = place
        self.decided = decided
        self.further = further


class ParseError(ItemError):
    """A record does not have the shape or the types that the reader declares."""


class ProcessError(ItemError):
    """A processor refuses or breaks on an item."""


class WriteError(ItemError):
    """The target refuses the items of a chunk."""


class ListenerError(ItemError):
    """A listener failed, and so does what it listens to; at a point of an item or chunk this is an error of it."""

    @classmethod
    def at(cls, point: str, listener: object, error: BaseException) -> ListenerError:
        """Returns the error of a listener that raised another one at a point."""
        cause = error.message if isinstance(error, BatchrunError) else f"{type(error).__name__}: {error}"
        return cls(f"listener {str(listener)!r} failed at {point}: {cause}")


class InputError(StepError):
    """A reader's source cannot be opened or read."""


class OutputError(StepError):
    """A writer's target cannot be opened, written or published."""


class TaskletError(StepError):
    """A tasklet's work failed."""


class CallError(StepError):
    """A job's Python function cannot be called as the job file says, or would end the process."""


class StepStoppedError(StepError):
    """A component ended its work early because the execution was asked to stop; the step ends STOPPED."""


class DatabaseError(StepError):
    """A database of the job cannot be reached or refuses a statement.

    Attributes:
        database: the name in the job's `databases`.
    """

    def __init__(self, database: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"database {database!r}: {reason}", hint=hint)
        self.database = database
