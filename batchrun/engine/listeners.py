"""Calls the listeners at their points: before in order of registration, after and on in reverse order."""

from __future__ import annotations

from collections.abc import Sequence

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.spi.chunk import Chunk
from batchrun.spi.listener import Listener, Progress


class Listeners(Listener):
    """Several listeners as one."""

    def __init__(self, listeners: Sequence[Listener] = ()) -> None:
        self._in_order = tuple(listeners)
        self._reversed = tuple(reversed(self._in_order))

    def before_job(self, execution: JobExecution) -> None:
        """Calls all, in order."""
        for listener in self._in_order:
            listener.before_job(execution)

    def after_job(self, execution: JobExecution) -> None:
        """Calls all, in reverse order."""
        for listener in self._reversed:
            listener.after_job(execution)

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Calls all, in order."""
        for listener in self._in_order:
            listener.before_step(execution, step)

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Calls all, in reverse order."""
        for listener in self._reversed:
            listener.after_step(execution, step)

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        """Calls all, in reverse order."""
        for listener in self._reversed:
            listener.on_step_skipped(execution, step)

    def after_chunk(
        self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
    ) -> None:
        """Calls all, in reverse order."""
        for listener in self._reversed:
            listener.after_chunk(execution, step, chunk, progress)

    def on_chunk_error(self, execution: JobExecution, step: StepExecution, chunk: Chunk, error: Exception) -> None:
        """Calls all, in reverse order."""
        for listener in self._reversed:
            listener.on_chunk_error(execution, step, chunk, error)
