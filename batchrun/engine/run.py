"""What one execution of a job works with: the record that flow, step and work share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from batchrun.domain.definition import JobDefinition
from batchrun.domain.execution import JobExecution
from batchrun.engine.lease import BEAT
from batchrun.engine.listeners import Listeners
from batchrun.engine.stop import StopSignal
from batchrun.spi.repository import JobRepository
from batchrun.spi.source import ComponentSource


@dataclass(frozen=True, slots=True)
class JobRun:
    """One execution of a job, with everything that it needs.

    Attributes:
        execution: as `JobRepository.begin` gave it; this process is its owner.
        mask: hides secrets in a text that is stored or shown.
        beat: how often the lease is renewed and a request to stop is looked for.
    """

    definition: JobDefinition
    execution: JobExecution
    repository: JobRepository
    components: ComponentSource
    listeners: Listeners = field(default_factory=Listeners)
    stop: StopSignal = field(default_factory=StopSignal)
    mask: Callable[[str], str] = str
    beat: timedelta = BEAT

    def describe(self, error: BaseException) -> str:
        """Returns an error as an exit description: its message and the way out, or its class."""
        text = str(error) or type(error).__name__
        hint = getattr(error, "hint", None)
        return self.mask(f"{text} ({hint})" if hint else text)
