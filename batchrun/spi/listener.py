"""The listener: observes a run at its points. Progress, logs and metrics use the same points as users."""

from __future__ import annotations

from dataclasses import dataclass

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.spi.chunk import Chunk


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is, in the unit of its reader: `bytes` or `items`; total None where nobody knows."""

    done: int
    total: int | None
    unit: str


class Listener:
    """Does nothing at any point; a listener overrides those it wants.

    *Order*: `before_*` in order of registration, `after_*` and `on_*` in reverse order. *Threads*: the thread that
    commits. *Errors*: an exception fails what is listened to.
    """

    def before_job(self, execution: JobExecution) -> None:
        """Called once the execution is STARTED and saved."""

    def after_job(self, execution: JobExecution) -> None:
        """Called when the flow has ended, before the end is saved."""

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Called before the step's components are opened."""

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Called when the step's work has ended, well or not, before that is saved."""

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        """Called instead of the others for a step that completed in an earlier execution; gets that attempt."""

    def after_chunk(
        self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
    ) -> None:
        """Called when a chunk has been committed, and once with None when the reader has been opened."""

    def on_chunk_error(self, execution: JobExecution, step: StepExecution, chunk: Chunk, error: Exception) -> None:
        """Called when a chunk's transaction has been rolled back."""
