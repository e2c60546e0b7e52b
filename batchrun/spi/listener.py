"""The listener: observes a run at its points. Progress, logs and metrics use the same points as users."""

from __future__ import annotations

from dataclasses import dataclass

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import ExitStatus
from batchrun.errors import ItemError
from batchrun.spi.chunk import Chunk, Item


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is, in the unit of its reader: `bytes` or `items`; total None where nobody knows."""

    done: int
    total: int | None
    unit: str


class Listener:
    """Does nothing at any point; a listener overrides those it wants (SEMANTICS section 6).

    *Order*: `before_*` in order of registration, the job's listeners first; `after_*` and `on_*` in reverse order.
    *Threads*: steps of parallel branches call from threads of their own. Within a step, the points of reading and
    processing are called by the thread that reads ahead, all others by the thread that commits. *Errors*: an exception
    fails what is listened to, unless the listener is registered as lenient; then it is logged. *Cost*: the points of
    items make a Python object of each item; a listener that does not override them costs nothing there.
    """

    # --- the job ---

    def before_job(self, execution: JobExecution) -> None:
        """Called once the execution is STARTED and saved."""

    def after_job(self, execution: JobExecution) -> None:
        """Called when the flow has ended, before the end is saved; may change the exit status."""

    # --- the step ---

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Called before the step's components are opened; may change the step's context."""

    def after_step(self, execution: JobExecution, step: StepExecution) -> ExitStatus | None:
        """Called when the step's work has ended, well or not, before that is saved.

        Returns:
            An exit status to merge with the step's by `ExitStatus.and_`, or None to leave it as it is.
        """

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        """Called instead of the others for a step that completed in an earlier execution; gets that attempt."""

    # --- the chunk ---

    def before_chunk(self, execution: JobExecution, step: StepExecution, chunk: Chunk) -> None:
        """Called before a chunk's transaction begins; the chunk is read and processed."""

    def after_chunk(
        self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
    ) -> None:
        """Called when a chunk has been committed, and once with None when the reader has been opened."""

    def on_chunk_error(self, execution: JobExecution, step: StepExecution, chunk: Chunk, error: Exception) -> None:
        """Called when a chunk's transaction has been rolled back."""

    # --- reading ---

    def before_read(self, execution: JobExecution, step: StepExecution) -> None:
        """Called before a chunk of items is asked of the reader."""

    def after_read(self, execution: JobExecution, step: StepExecution, item: Item) -> None:
        """Called with each item that has been read."""

    def on_read_error(self, execution: JobExecution, step: StepExecution, error: ItemError) -> None:
        """Called for each item that could not be read."""

    # --- processing ---

    def before_process(self, execution: JobExecution, step: StepExecution, item: Item) -> None:
        """Called with each item before the processors see its chunk."""

    def after_process(self, execution: JobExecution, step: StepExecution, item: Item, result: Item) -> None:
        """Called with each item and what the processors made of it."""

    def on_filter(self, execution: JobExecution, step: StepExecution, item: Item) -> None:
        """Called with each item that a processor dropped on purpose."""

    def on_process_error(
        self, execution: JobExecution, step: StepExecution, item: Item | None, error: Exception
    ) -> None:
        """Called when a processor broke; the item is None where it is not known which of the chunk's it was."""

    # --- writing ---

    def before_write(self, execution: JobExecution, step: StepExecution, chunk: Chunk) -> None:
        """Called in the chunk's transaction, before the writer."""

    def after_write(self, execution: JobExecution, step: StepExecution, chunk: Chunk) -> None:
        """Called in the chunk's transaction, after the writer and before the commit."""

    def on_write_error(self, execution: JobExecution, step: StepExecution, chunk: Chunk, error: Exception) -> None:
        """Called when the writer broke, before the transaction is rolled back."""
