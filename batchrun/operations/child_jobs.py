"""Child jobs: launched by a step of another job, as instances of their own, in the same process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from batchrun.definition import LoadedJob, read_parameters
from batchrun.domain.definition import ChildJobDefinition
from batchrun.domain.execution import JobExecution
from batchrun.domain.parameters import value_text
from batchrun.engine import StopSignal
from batchrun.errors import InstanceCompleteError
from batchrun.operations.assembly import Assembly
from batchrun.spi.repository import JobRepository
from batchrun.spi.source import StepStart

Launch = Callable[[Assembly, StopSignal, int], JobExecution]
"""Runs an assembled job for the step execution of that id, until it ends or the signal stops it."""


@dataclass(frozen=True, slots=True)
class ChildJobOperator:
    """Launches the child jobs of one run.

    Attributes:
        load: reads a job file, given as a step names it.
        launch: runs a job as the operator of the parent does.
    """

    load: Callable[[str], LoadedJob]
    launch: Launch

    def run(
        self, parent: Assembly, child: ChildJobDefinition, given: Mapping[str, Any], start: StepStart
    ) -> JobExecution:
        """Launches the child or continues its last execution; returns it when it has ended.

        An instance that has completed is returned as it is where this step launched it, or takes any completed one.

        Raises:
            DefinitionError: the child's file or parameters are wrong.
            LaunchRefusedError: the state of the child's instance forbids it.
        """
        assembly = child_of(parent, child, given, self.load)
        try:
            return self.launch(assembly, StopSignal(start.should_stop), start.step.id)
        except InstanceCompleteError as error:
            completed = parent.repository.find_execution(error.execution_id)
            if takes_completed(parent.repository, child, completed, start):
                return completed
            raise


def child_of(
    parent: Assembly, child: ChildJobDefinition, given: Mapping[str, Any], load: Callable[[str], LoadedJob]
) -> Assembly:
    """Returns the assembly of a child job with the given parameters.

    Raises:
        DefinitionError: the child's file or parameters are wrong.
    """
    job = parent.job.children.get(child.job) or load(child.job)
    mapped = {name: _mapped(value) for name, value in given.items()}
    parameters = read_parameters(job, mapped, parent.project, project=parent.project, secrets=parent.secrets)
    return parent.of_child(job, parameters)


def _mapped(value: Any) -> Any:
    """Returns a value as if it were given on a command line, so that a child's text may come from a number."""
    is_kept = value is None or isinstance(value, timedelta | list | tuple)
    return value if is_kept else value_text(value)


def takes_completed(
    repository: JobRepository, child: ChildJobDefinition, completed: JobExecution, start: StepStart
) -> bool:
    """Tells whether a step takes an instance that has completed as done.

    It does where it takes any, or where an earlier attempt at this visit launched it, and died before it could tell.
    """
    if child.skip_if_complete:
        return True
    visit = (start.step.step_name, start.step.visit)
    attempts = (step for step in repository.last_visits(start.execution) if (step.step_name, step.visit) == visit)
    return any(step.id == completed.parent_step_id for step in attempts)
