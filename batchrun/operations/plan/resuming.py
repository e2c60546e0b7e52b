"""Tells how a step goes on: by the position of its last commit, in words that its reader finds, or by its child."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchrun.domain.definition import ChildJobDefinition, ChunkDefinition, StepDefinition, TaskletDefinition
from batchrun.domain.execution import JobExecution, JsonObject, StepExecution
from batchrun.domain.status import BatchStatus
from batchrun.engine.attempts import Attempts
from batchrun.errors import BatchrunError, DefinitionError, InputError, InstanceCompleteError, LaunchRefusedError
from batchrun.operations.assembly import Assembly
from batchrun.operations.child_jobs import child_of, takes_completed
from batchrun.operations.plan.record import Action
from batchrun.operations.plan.walk import Resumption
from batchrun.spi.item import PositionDescriber
from batchrun.spi.source import StepStart

if TYPE_CHECKING:
    from batchrun.operations.plan.planner import JobPlanner

_log = logging.getLogger("batchrun.operations")


@dataclass(frozen=True, slots=True)
class Resuming:
    """Tells how the steps of one job go on.

    Attributes:
        last: the execution that is continued; None where the instance is new.
        attempts: what there is of the steps.
    """

    planner: JobPlanner
    assembly: Assembly
    last: JobExecution | None
    attempts: Attempts

    def resumption(self, state: StepDefinition, attempt: StepExecution | None) -> Resumption:
        """Tells how an attempt that has not completed is continued, or how the step begins where there is none."""
        if isinstance(state.work, ChildJobDefinition):
            return self._child(state, state.work, attempt)
        if attempt is None:
            return Resumption(Action.START)
        is_exact = self._is_exact(state, attempt)
        if state.flows:
            return Resumption(Action.RESUME, f"{_ended(attempt)}; goes on inside")
        if not attempt.checkpoint.sequence and not attempt.checkpoint.finished:
            kept = "nothing of it is committed" if is_exact else "nothing of it is known to be committed"
            return Resumption(Action.START, f"{_ended(attempt)}, and {kept}", is_exact=is_exact)
        try:
            return Resumption(Action.RESUME, _ended(attempt), self._position(state, attempt), is_exact)
        except InputError as error:
            return Resumption(Action.BLOCKED, str(error))

    def _is_exact(self, state: StepDefinition, attempt: StepExecution) -> bool:
        """Tells whether no commit can be ahead of what the repository has.

        A target's own row is the truth, and a process that died, or lost its target in a commit, could not tell it.
        """
        match state.work:
            case ChunkDefinition():
                component = state.work.writer
            case TaskletDefinition(component):
                pass
            case _:
                return True
        spec = self.assembly.job.registry.spec(component.role, component.type)
        return not spec.capabilities.transactional or attempt.status is BatchStatus.STOPPED

    def _position(self, state: StepDefinition, attempt: StepExecution) -> str:
        checkpoint = attempt.checkpoint
        if checkpoint.finished:
            return "its end, all is committed"
        if isinstance(state.work, TaskletDefinition):
            return f"behind call {checkpoint.sequence}"
        chunks = f"behind chunk {checkpoint.sequence}"
        return chunks if checkpoint.position is None else self._described(state, checkpoint.position) or chunks

    def _described(self, state: StepDefinition, position: JsonObject) -> str | None:
        """Returns the position in the reader's words, or None where it has none, or cannot be built before the run.

        Raises:
            InputError: a restart could not go on there.
        """
        try:
            reader = self.assembly.reader(self._start(state))
            return reader.describe_position(position) if isinstance(reader, PositionDescriber) else None
        except InputError:
            raise
        except BatchrunError as error:
            _log.debug("the position of step %r has no words: %s", state.name, error)
            return None

    def _start(self, state: StepDefinition, visit: int = 1) -> StepStart:
        """Returns a start of the step as far as it is known before there is one."""
        assert self.last is not None
        none_yet = StepExecution(0, self.last.id, state.name, visit)
        return StepStart(self.last, state, none_yet, self.attempts.results(), lambda: False)

    def _child(self, state: StepDefinition, work: ChildJobDefinition, attempt: StepExecution | None) -> Resumption:
        """Tells what becomes of the child by planning it as it would be launched."""
        action = Action.START if attempt is None else Action.RESUME
        if self.last is None:
            return Resumption(action)
        start = self._start(state, 0 if attempt is None else attempt.visit)
        try:
            given = self.assembly.given_to_child(start)
            plan = self.planner.plan(child_of(self.assembly, work, given, self.planner.load))
        except InstanceCompleteError as error:
            complete = self.planner.repository.find_execution(error.execution_id)
            if not takes_completed(self.planner.repository, work, complete, start):
                return Resumption(Action.BLOCKED, str(error))
            reason = f"takes execution {complete.id} of {complete.job_name}, which has completed"
            return Resumption(action, reason, child_id=complete.id)
        except LaunchRefusedError as error:
            return Resumption(Action.BLOCKED, str(error))
        except DefinitionError as error:
            return Resumption(action, f"its parameters are not known yet: {error}")
        if plan.last is None:
            return Resumption(action, f"launches a new instance of {plan.job_name}")
        return Resumption(action, f"continues execution {plan.last.id} of {plan.job_name}", child_id=plan.last.id)


def _ended(attempt: StepExecution) -> str:
    how = "was running" if attempt.status.is_running else attempt.status.name.lower()
    return f"{how} in execution {attempt.job_execution_id}"
