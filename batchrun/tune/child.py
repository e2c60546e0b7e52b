"""The process of a measurement: runs the job in the workplace up to the last measured step, and tells the times."""

from __future__ import annotations

import time
import traceback
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from batchrun.copies.child import Order, set_apart
from batchrun.domain.definition import ParallelDefinition
from batchrun.spi.listener import Listener, Progress
from batchrun.tune.memory import forget_peak, peak
from batchrun.tune.setting import Setting, with_settings

if TYPE_CHECKING:
    from batchrun.domain.definition import JobDefinition
    from batchrun.domain.execution import JobExecution, StepExecution
    from batchrun.engine import StopSignal
    from batchrun.spi.chunk import Chunk
    from batchrun.tune.application import Samples


@dataclass(frozen=True, slots=True)
class TuneOrder(Order):
    """What a process is to measure.

    Attributes:
        settings: of the measured steps, by name.
        samples: how much is read.
        repository_url: of the real repository.
    """

    settings: Mapping[str, Setting]
    samples: Samples
    repository_url: str


def measure(order: TuneOrder) -> None:
    """Does what is ordered; the body of a process of its own."""
    set_apart(order)
    order.keep(_told(order))


def _told(order: TuneOrder) -> dict[str, Any]:
    from batchrun.errors import BatchrunError, DefinitionError

    try:
        return _measured(order)
    except DefinitionError as error:
        return {"problems": [asdict(each) for each in error.problems]}
    except BatchrunError as error:
        traceback.print_exc()
        return {"error": str(error), "hint": error.hint or ""}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}", "hint": ""}


def _measured(order: TuneOrder) -> dict[str, Any]:
    from batchrun.engine import StopSignal
    from batchrun.tune.application import TuneApplication

    with closing(TuneApplication(order.workplace, order.samples, order.repository_url)) as application:
        job = application.load_job(str(order.job))
        job = replace(job, definition=with_settings(job.definition, dict(order.settings)))
        stop = StopSignal()
        watch = Stopwatch(job.definition, order.settings, stop)
        execution = application.launch(job, order.given, listeners=[watch], stop=stop)
    of_job = execution.exit_status.description
    told = [step.exit_status.description for step in execution.steps if step.status.name == "FAILED"]
    told = [*(each for each in told if each not in of_job), of_job]  # that of the job mostly has the step's in it
    return {
        "steps": watch.measured,
        "failures": "; ".join(dict.fromkeys(filter(None, told))) if execution.status.name == "FAILED" else "",
    }


class Stopwatch(Listener):
    """Takes the times of the measured steps at their first visit, and stops the job behind the last of them.

    Attributes:
        measured: what came of each that has completed, as JSON.
    """

    def __init__(self, job: JobDefinition, names: Collection[str], stop: StopSignal) -> None:
        """Takes no time yet; `names` are those of the measured steps."""
        self.measured: dict[str, dict[str, Any]] = {}
        self._names = names
        self._stop = stop
        self._beside = {each for each in names if _has_steps_beside(job, each)}
        self._opened_at: dict[str, float] = {}
        self._committed_at: dict[str, float] = {}

    def before_step(self, _execution: JobExecution, step: StepExecution) -> None:
        """Lets the peak of memory begin anew, unless other steps run beside."""
        if self._is_measured(step) and step.step_name not in self._beside and not forget_peak():
            self._beside.add(step.step_name)

    def after_chunk(
        self, _execution: JobExecution, step: StepExecution, chunk: Chunk | None, _progress: Progress
    ) -> None:
        """Takes the time at which all is open, and that of each commit."""
        if self._is_measured(step):
            if chunk is None:
                self._opened_at.setdefault(step.step_name, time.perf_counter())
            self._committed_at[step.step_name] = time.perf_counter()

    def after_step(self, _execution: JobExecution, step: StepExecution) -> None:
        """Keeps what came of it."""
        name = step.step_name
        if not self._is_measured(step):
            return
        if name in self._opened_at and step.status.name == "COMPLETED":
            self.measured[name] = {
                "items": step.counts.read,
                "seconds": self._committed_at[name] - self._opened_at[name],
                "times": step.times.as_dict(),
                "peak": None if name in self._beside else peak(),
            }
        if len(self.measured) == len(self._names):
            self._stop.request()

    def _is_measured(self, step: StepExecution) -> bool:
        return step.step_name in self._names and step.step_name not in self.measured


def _has_steps_beside(job: JobDefinition, name: str) -> bool:
    return any(isinstance(each.work, ParallelDefinition) for each in job.flow.around(name))
