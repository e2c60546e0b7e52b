"""The listener: observes a run at its points. Progress, logs and metrics use the same points as users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import ExitStatus
from batchrun.domain.tolerance import Phase
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
    processing are called by the thread that reads ahead, all others by the thread that commits. *Repeat*: a chunk that
    was rolled back passes its points again. *Errors*: an exception becomes a ListenerError, which names listener and
    point, and fails what is listened to: the job, the step, or the item or chunk with its origin; a listener that is
    registered as lenient is only logged. A `before_*` that fails keeps those after it from being called; at the other
    points the rest is called all the same. At the points `on_…_error` it is logged in any case, so that it never
    hides the error that was told. *Cost*: the points of items make a Python object of each item; a listener that does
    not override them costs nothing there.
    """

    def __str__(self) -> str:
        """Returns what messages call it: its registry name, or else its class's."""
        name = getattr(getattr(self, "spec", None), "name", None)
        return str(name or type(self).__name__)

    def parts(self) -> Sequence[Listener]:
        """Returns the listeners that it stands for, in order: itself, or several that are called in its place."""
        return (self,)

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

    # --- fault tolerance ---

    def on_skip(
        self, execution: JobExecution, step: StepExecution, phase: Phase, item: Item | None, error: Exception
    ) -> None:
        """Called once for each skipped item, when the chunk that it was skipped from has committed.

        Of a chunk that is rolled back for good it is not called: a restart makes that again, and the skip with it. A
        process that dies between the commit and this call never makes it; the reject, durable with the chunk, is there.

        Args:
            execution: the job's.
            step: the step's; the skip is in its counts already.
            phase: what could not be done with the item.
            item: as it was when that failed: as read, or, for `write`, as processed; None where it could not be read.
            error: why; an ItemError of batchrun's says the origin.
        """

    def on_retry(self, execution: JobExecution, step: StepExecution, attempt: int, error: Exception) -> None:
        """Called when an attempt has failed and another one follows, before the wait between the two.

        By the thread that makes the attempts: for a processor the one that reads ahead, for a writer the one that
        commits, whose transaction has been rolled back by then.

        Args:
            execution: the job's.
            step: the step's.
            attempt: the number of the one that failed; the first is 1.
            error: why it failed.
        """


POINTS = tuple(name for name in vars(Listener) if name.startswith(("before_", "after_", "on_")))
"""The names of all points."""
