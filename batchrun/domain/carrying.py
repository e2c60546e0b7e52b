"""Job instances that are carried from one repository to another: what is taken along, and when it may come in.

A carried instance keeps the name by which targets know it (`InstanceOrigin`), and the numbers by which checkpoints call
its steps. So a restart elsewhere finds its row in the target, and takes the target's word for what is done already.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from batchrun.domain.execution import InstanceOrigin, JobExecution
from batchrun.domain.launch import may_recover
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType, ParameterValue
from batchrun.errors import LaunchRefusedError, NotLatestExecutionError

_BITS = 52
_FIRST = 1 << _BITS
"""Far above any id that a repository counts up to, and within what JSON's readers keep exactly."""


class SupersededExportError(LaunchRefusedError):
    """An export comes into a repository where its job instance has gone on since."""

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(
            f"the export of job {job_name!r} is older than what is here: execution {execution_id} came after it",
            hint=f"batchrun restart {execution_id} goes on with what is here",
        )
        self.execution_id = execution_id


class DivergedExportError(LaunchRefusedError):
    """An export comes into a repository where its job instance has gone on, as it has in the export."""

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(
            f"job {job_name!r} has gone on here, in execution {execution_id}, and where the export was made too",
            hint=f"batchrun restart {execution_id} goes on with what is here; --repository URL takes another place",
        )
        self.execution_id = execution_id


class OtherOriginError(LaunchRefusedError):
    """An export comes into a repository that has another job instance of the same name and parameters."""

    def __init__(self, job_name: str, execution_id: int) -> None:
        super().__init__(
            f"job {job_name!r} has been launched here with the same parameters, as an instance of its own: "
            f"execution {execution_id}",
            hint=f"batchrun show {execution_id} tells what it came to; --repository URL takes another place",
        )
        self.execution_id = execution_id


def new_number() -> int:
    """Returns a number for a step execution or a rerun that no repository has given, nor will give."""
    return _FIRST | secrets.randbits(_BITS)


def shared_run(step_name: str, visit: int) -> int:
    """Returns the number of a step's first run at a visit, the same in every repository that carries the instance.

    So an old export, restarted after another machine had gone on, finds what that machine did of steps that the export
    has not begun, and does none of it again.
    """
    digest = hashlib.sha256(f"{visit}:{step_name}".encode()).digest()
    return _FIRST | int.from_bytes(digest[:8]) >> (64 - _BITS)


def carried_token(last: int, at: datetime) -> int:
    """Returns the token of an instance that comes in: above all before, and above those of earlier imports elsewhere.

    It is the time in microseconds, which no repository reaches by counting; so of several owners in several
    repositories, the target takes the one whose import was last.
    """
    return max(last + 1, int(at.timestamp() * 1_000_000))


@dataclass(frozen=True, slots=True)
class CarriedInstance:
    """A job instance on its way: ids are those of the repository that it left.

    Attributes:
        executions: all that it had, in order, with their steps; none of them is running.
    """

    job_name: str
    origin: InstanceOrigin
    executions: tuple[JobExecution, ...]

    @property
    def last(self) -> JobExecution:
        """The execution that a restart continues."""
        return self.executions[-1]

    @property
    def identity(self) -> str:
        """The identity of its parameters, which is another one where their paths have been moved."""
        return self.last.parameters.identity()

    def moved(self, move: Callable[[JobParameter], ParameterValue], move_file: Callable[[str], str]) -> CarriedInstance:
        """Returns it with its parameters and job files as they are on another machine."""
        executions = tuple(
            replace(each, parameters=_moved(each.parameters, move), job_file=move_file(each.job_file))
            for each in self.executions
        )
        return replace(self, executions=executions)


def _moved(parameters: JobParameters, move: Callable[[JobParameter], ParameterValue]) -> JobParameters:
    return JobParameters([replace(each, value=move(each)) for each in parameters.all()])


def moved_value(parameter: JobParameter, move: Callable[[str], str], known: Mapping[str, str]) -> ParameterValue:
    """Returns what a parameter's value is on another machine.

    Args:
        parameter: any; only paths, and texts that are known ones, can have moved.
        move: returns where a path is now.
        known: paths of the job that launched this one as its child, which may be handed on as texts.
    """
    is_path = ParameterType.PATH in (parameter.type, parameter.items)

    def moved(value: object) -> str:
        text = str(value)
        return known.get(text) or (move(text) if is_path else text)

    if isinstance(parameter.value, tuple) and parameter.items in (ParameterType.PATH, ParameterType.STRING):
        return tuple(moved(each) for each in parameter.value)
    return moved(parameter.value) if isinstance(parameter.value, str) else parameter.value


def may_export(execution: JobExecution, last_id: int, *, owner_is_alive: bool) -> bool:
    """Tells whether an execution is to be set to FAILED before its instance is given away, since nobody runs it.

    Raises:
        NotLatestExecutionError: a later execution of the instance has superseded it.
        ExecutionRunningError: its owner lives.
    """
    if execution.id != last_id:
        raise NotLatestExecutionError(execution.id, last_id, verb="export")
    return may_recover(execution, owner_is_alive=owner_is_alive)


def missing_executions(carried: CarriedInstance, here: Sequence[JobExecution]) -> list[JobExecution]:
    """Returns the executions that a repository lacks of an instance that comes in; tokens tell them apart.

    Args:
        carried: the instance that comes in.
        here: its executions that are here already, in order.

    Raises:
        SupersededExportError: it has gone on here since it was exported.
        DivergedExportError: it has gone on both here and there.
    """
    own, theirs = ({each.token for each in executions} for executions in (here, carried.executions))
    missing = [each for each in carried.executions if each.token not in own]
    if own - theirs:
        refusal = DivergedExportError if missing else SupersededExportError
        raise refusal(carried.job_name, here[-1].id)
    return missing
