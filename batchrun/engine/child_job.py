"""The work of a step that is another job: launched as an instance of its own, awaited, restarted with its parent."""

from __future__ import annotations

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.engine.ending import Ending
from batchrun.engine.work import StepWork


class ChildJobWork(StepWork):
    """Runs one child job; the step's context says which execution it was."""

    _child: JobExecution | None = None

    def execute(self) -> None:
        """Launches the child or continues it, and waits until it has ended."""
        self._child = self.run.components.run_child(self.start)
        self.step.context["execution_id"] = self._child.id

    def ending(self) -> Ending:
        """Returns the child's ending; its exit code is the step's."""
        child = self._child
        if child is None:
            return super().ending()
        described = child.exit_status.description
        if child.status is not BatchStatus.COMPLETED:
            described = f"execution {child.id} of job {child.job_name!r}" + (f": {described}" if described else "")
        return Ending(child.status, ExitStatus(child.exit_status.code, described))
