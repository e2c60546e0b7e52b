"""The decision's work: asks its decider once; the answer is saved with the state, so a restart finds it."""

from __future__ import annotations

from batchrun.domain.status import ExitStatus
from batchrun.engine.work import StepWork
from batchrun.errors import BatchrunError, DecisionError
from batchrun.spi.decider import Facts


class DecisionWork(StepWork):
    """Takes one decision."""

    def execute(self) -> None:
        """Asks the decider, and makes its answer the exit status of the state."""
        execution = self.run.execution
        facts: Facts = {
            "params": dict(execution.parameters),
            "execution": {
                "id": execution.id,
                "instance_id": execution.instance.first_id,
                "job_name": execution.job_name,
            },
            "job": {"context": execution.context},
            "steps": self.start.results,
        }
        try:
            answer = self.run.components.decider(self.start).decide(facts)
        except BatchrunError:
            raise
        except Exception as error:
            raise DecisionError(self.definition.name, f"{type(error).__name__}: {error}") from error
        if isinstance(answer, str) and answer:
            answer = ExitStatus(answer)
        if not isinstance(answer, ExitStatus):
            raise DecisionError(self.definition.name, f"the decider returned {answer!r} where an exit code is expected")
        self.step.exit_status = answer
