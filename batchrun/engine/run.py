"""What one execution of a job works with: the record that flow, step and work share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import RLock

from batchrun.domain.definition import JobDefinition
from batchrun.domain.execution import JobExecution, JsonObject
from batchrun.domain.position import Address, FlowPosition
from batchrun.engine.attempts import Attempts
from batchrun.engine.lease import BEAT
from batchrun.engine.listeners import Listeners
from batchrun.engine.stop import StopSignal
from batchrun.spi.repository import JobRepository
from batchrun.spi.source import ComponentSource


@dataclass(frozen=True, slots=True)
class JobRun:
    """One execution of a job, with everything that it needs; branches of the flow share it.

    Attributes:
        execution: as `JobRepository.begin` gave it; this process is its owner.
        mask: hides secrets in a text that is stored or shown.
        sleep: lets so many seconds pass.
        clock: seconds by which waits, timeouts and chunks that close by time are measured; never goes back.
        beat: how often the lease is renewed and a request to stop is looked for.
        attempts: what came of the steps so far.
        lock: held while the execution's own record changes and is saved.
    """

    definition: JobDefinition
    execution: JobExecution
    repository: JobRepository
    components: ComponentSource
    listeners: Listeners = field(default_factory=Listeners)
    stop: StopSignal = field(default_factory=StopSignal)
    mask: Callable[[str], str] = str
    beat: timedelta = BEAT
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    attempts: Attempts = field(default_factory=Attempts)
    lock: RLock = field(default_factory=RLock)

    def within(self, should_stop: Callable[[], bool]) -> JobRun:
        """Returns the same run for what runs inside a step, which ends when the step has to."""
        return replace(self, stop=StopSignal(should_stop))

    def position(self, address: Address) -> FlowPosition:
        """Returns where a flow of the job stands."""
        with self.lock:
            return self.execution.flow.at(address)

    def move(self, address: Address, position: FlowPosition) -> None:
        """Saves where a flow of the job stands now."""
        with self.lock:
            self.execution.flow = self.execution.flow.with_at(address, position)
            self.repository.save_job(self.execution)

    def promote(self, values: JsonObject) -> None:
        """Puts values into the job's context and saves it; with none there is nothing to save."""
        if not values:
            return
        with self.lock:
            self.execution.context.update(values)
            self.repository.save_job(self.execution)

    def describe(self, error: BaseException) -> str:
        """Returns an error as an exit description: its message and the way out, or its class."""
        text = str(error) or type(error).__name__
        hint = getattr(error, "hint", None)
        return self.mask(f"{text} ({hint})" if hint else text)
