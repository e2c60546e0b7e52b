"""The tasklet step's work: calls of a body, each in a transaction where its target has transactions."""

from __future__ import annotations

import json
from copy import deepcopy

from batchrun.domain.execution import Checkpoint, JsonObject
from batchrun.domain.status import ExitStatus
from batchrun.engine.work import StepWork
from batchrun.errors import BatchrunError, StepStoppedError, TaskletError
from batchrun.spi.tasklet import RepeatStatus, StepContribution, Tasklet


class TaskletWork(StepWork):
    """Runs one attempt at a tasklet step."""

    def execute(self) -> None:
        """Calls the tasklet until it is finished or a stop was asked for between two calls."""
        tasklet = self.run.components.tasklet(self.start)
        self.opened.callback(tasklet.close)
        self.store = tasklet.open()
        self.take_over()
        self._recall_exit_status()
        while not self.checkpoint.finished:
            self._call(tasklet)
            if self.should_stop() and not self.checkpoint.finished:
                self.stopped = True
                return

    def _call(self, tasklet: Tasklet) -> None:
        contribution = StepContribution(self.step.counts.copy(), None, deepcopy(self.step.context))
        try:
            with self.transaction():
                status = tasklet.execute(contribution)
                contribution.counts.commit += 1
                self.save_checkpoint(self._checkpoint_after(contribution, status))
        except StepStoppedError:
            self.stopped = True
            raise
        except BatchrunError:
            raise
        except Exception as error:
            raise TaskletError(f"{type(error).__name__}: {error}") from error
        self.step.context = contribution.context
        if contribution.exit_status is not None:
            self.step.exit_status = contribution.exit_status
        self.save_progress()

    def _recall_exit_status(self) -> None:
        """Takes the exit status that a committed call has set, in an attempt that this one continues."""
        if said := self.checkpoint.contexts.get("exit_status"):
            self.step.exit_status = ExitStatus(said["code"], said["description"])

    def _checkpoint_after(self, contribution: StepContribution, status: RepeatStatus | None) -> Checkpoint:
        finished = status is not RepeatStatus.CONTINUABLE
        contexts: dict[str, JsonObject] = {"step": _durable(contribution.context)} if contribution.context else {}
        if (said := contribution.exit_status) is not None:
            contexts["exit_status"] = {"code": said.code, "description": said.description}
        elif (before := self.checkpoint.contexts.get("exit_status")) is not None:
            contexts["exit_status"] = before
        return self.checkpoint.after(self.step.number, None, contexts, contribution.counts, finished=finished)


def _durable(context: JsonObject) -> JsonObject:
    """Returns a context as a restart will get it, apart from the tasklet's own, which may change on.

    Raises:
        TaskletError: a value has no form in JSON.
    """
    try:
        durable: JsonObject = json.loads(json.dumps(context, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TaskletError(
            f"the step's context cannot be saved: {error}", hint="it holds texts, numbers, booleans, lists and objects"
        ) from error
    return durable
