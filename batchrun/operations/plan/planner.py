"""Plans a launch or restart by what the repository has, and refuses it by the rules of a real one; writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from batchrun.definition import LoadedJob
from batchrun.domain.definition import StepDefinition
from batchrun.domain.execution import JobExecution, Owner, StepExecution
from batchrun.domain.launch import LaunchDecision, decide_launch
from batchrun.domain.position import FlowPosition
from batchrun.engine import is_gone
from batchrun.engine.attempts import Attempts
from batchrun.operations.assembly import Assembly
from batchrun.operations.changed_file import refuse_changed_file
from batchrun.operations.plan.record import JobPlan
from batchrun.operations.plan.resuming import Resuming
from batchrun.operations.plan.walk import Resumption, plan_flow
from batchrun.spi.repository import JobRepository


@dataclass(frozen=True, slots=True)
class JobPlanner:
    """Plans what `JobOperator.launch` would do.

    Attributes:
        load: reads a job file, given by its path or name: a child's.
        is_gone: tells of an owner whether its process certainly no longer exists.
    """

    repository: JobRepository
    load: Callable[[str], LoadedJob]
    is_gone: Callable[[Owner], bool] = is_gone

    def plan(
        self,
        assembly: Assembly,
        restart_of: int | None = None,
        *,
        allow_changed: bool = False,
        is_new: bool = False,
    ) -> JobPlan:
        """Returns what would be done.

        Args:
            assembly: the job with its parameters.
            restart_of: the execution to continue; None decides by the parameters.
            allow_changed: continue although the steps before the one to resume changed in the job file.
            is_new: the launch gets a `run.id` that no other has had, and so an instance of its own.

        Raises:
            DefinitionError: an option does not fit.
            LaunchRefusedError: the state of the job instance forbids it.
        """
        assembly.check()
        definition = assembly.job.definition
        identity = assembly.parameters.masked().identity()
        last = None if is_new else self.repository.last_execution(definition.name, identity)
        decision = decide_launch(last, owner_is_alive=self._is_alive(last), restart_of=restart_of)
        if last is not None:
            refuse_changed_file(last, assembly.job, allow_changed=allow_changed)
        attempts = self._attempts(assembly, last)
        facts = _RepositoryFacts(self.repository, last, attempts, Resuming(self, assembly, last, attempts))
        position = FlowPosition() if last is None else last.flow
        steps = plan_flow(facts, definition.flow, position)
        return JobPlan(definition.name, last, decision is LaunchDecision.RECOVER, steps)

    def _is_alive(self, last: JobExecution | None) -> bool:
        return last is not None and self.repository.is_alive(last.id, self.is_gone)

    def _attempts(self, assembly: Assembly, last: JobExecution | None) -> Attempts:
        earlier = () if last is None else self.repository.last_visits(last)
        return Attempts([step.name for step in assembly.job.definition.steps], earlier)


@dataclass(frozen=True, slots=True)
class _RepositoryFacts:
    """The facts that a plan is made of, from the repository."""

    repository: JobRepository
    execution: JobExecution | None
    attempts: Attempts
    resuming: Resuming
    counted: dict[str, int] = field(default_factory=dict)

    def last(self, step_name: str, visit: int) -> StepExecution | None:
        return self.attempts.last(step_name, visit)

    def starts(self, step_name: str) -> int:
        if self.execution is None:
            return 0
        if step_name not in self.counted:
            self.counted[step_name] = self.repository.count_step_starts(self.execution, step_name)
        return self.counted[step_name]

    def resumption(self, state: StepDefinition, attempt: StepExecution | None) -> Resumption:
        return self.resuming.resumption(state, attempt)
