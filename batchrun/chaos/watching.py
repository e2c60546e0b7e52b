"""Thin wrappers that put a boundary before and after whatever a run makes durable; they change nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from batchrun.chaos.boundaries import Boundaries
from batchrun.domain.execution import Checkpoint, JobExecution, JsonObject, StepExecution
from batchrun.spi.checkpoint import CheckpointKey, CheckpointStore
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import ItemWriter, PartPreparer
from batchrun.spi.rejects import Reject, RejectSink
from batchrun.spi.repository import JobRepository, LaunchRequest
from batchrun.spi.tasklet import RepeatStatus, StepContribution, Tasklet
from batchrun.spi.text import ItemText, TextWriter


class WatchedRepository:
    """A JobRepository with boundaries around its commits; the heartbeat's renewals have none.

    Whatever is not watched is the repository's own.
    """

    def __init__(self, inner: JobRepository, boundaries: Boundaries, lease: timedelta | None) -> None:
        """Watches a repository; `lease` stands in place of the one that owners ask for."""
        self._inner = inner
        self._boundaries = boundaries
        self._lease = lease

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def begin(self, request: LaunchRequest) -> JobExecution:
        """Begins an execution."""
        with self._boundaries.around("the repository's begin"):
            return self._inner.begin(replace(request, lease=self._lease or request.lease))

    def renew_lease(self, execution: JobExecution, lease: timedelta) -> None:
        """Prolongs the owner's lease."""
        self._inner.renew_lease(execution, self._lease or lease)

    def save_job(self, execution: JobExecution) -> None:
        """Stores an execution."""
        with self._boundaries.around(f"the repository's save_job ({execution.status.name})"):
            self._inner.save_job(execution)

    def add_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores a new step execution."""
        with self._boundaries.around(f"the repository's add_step of {step.step_name}"):
            self._inner.add_step(execution, step)

    def save_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores a step execution."""
        with self._boundaries.around(f"the repository's save_step of {step.step_name} ({step.status.name})"):
            self._inner.save_step(execution, step)

    def correct_step(self, execution: JobExecution, checkpoint: Checkpoint) -> None:
        """Brings an earlier attempt in line with what its target says."""
        with self._boundaries.around("the repository's correct_step"):
            self._inner.correct_step(execution, checkpoint)

    def save_progress(self, execution: JobExecution, step: StepExecution) -> None:
        """Stores counts and checkpoint after a chunk."""
        with self._boundaries.around(f"the repository's save_progress of {step.step_name}"):
            self._inner.save_progress(execution, step)


class WatchedStore:
    """A CheckpointStore with boundaries around its commits.

    Attributes:
        inner: what is watched; a reject sink of the same target needs it itself.
    """

    def __init__(self, inner: CheckpointStore, boundaries: Boundaries, step_name: str) -> None:
        self.inner = inner
        self._boundaries = boundaries
        self._target = f"the target's {{}} of {step_name}"

    def take_over(self, key: CheckpointKey, token: int, run: int) -> Checkpoint:
        """Writes the token and reads the checkpoint."""
        with self._boundaries.around(self._target.format("take_over")):
            return self.inner.take_over(key, token, run)

    def begin(self) -> None:
        """Begins a transaction."""
        self.inner.begin()

    def commit(self, checkpoint: Checkpoint) -> None:
        """Commits a chunk with its checkpoint."""
        with self._boundaries.around(self._target.format("commit")):
            self.inner.commit(checkpoint)

    def rollback(self) -> None:
        """Rolls a transaction back."""
        self.inner.rollback()

    def savepoint(self) -> None:
        """Sets a savepoint."""
        self.inner.savepoint()

    def release(self) -> None:
        """Keeps what was done since the last savepoint."""
        self.inner.release()

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint."""
        self.inner.rollback_to_savepoint()

    def forget(self) -> None:
        """Deletes the row of the checkpoint."""
        with self._boundaries.around(self._target.format("forget")):
            self.inner.forget()


def _watched(store: CheckpointStore | None, boundaries: Boundaries, step_name: str) -> CheckpointStore | None:
    return None if store is None else WatchedStore(store, boundaries, step_name)


class WatchedWriter:
    """An ItemWriter with boundaries: around its store's commits or, without one, around what it makes durable."""

    def __init__(self, inner: ItemWriter, boundaries: Boundaries, step_name: str) -> None:
        self._inner = inner
        self._boundaries = boundaries
        self._step_name = step_name
        self._has_store = False

    def connect(self) -> CheckpointStore | None:
        """Reaches the target."""
        store = _watched(self._inner.connect(), self._boundaries, self._step_name)
        self._has_store = store is not None
        return store

    def open(self, state: JsonObject | None) -> None:
        """Makes the target ready."""
        self._inner.open(state)

    def prepare(self, chunk: Chunk) -> Any:
        """Encodes a chunk."""
        return self._inner.prepare(chunk)

    def takes_text(self, text: ItemText) -> bool:
        """Tells whether the writer takes the text of items."""
        return isinstance(self._inner, TextWriter) and self._inner.takes_text(text)

    def write(self, prepared: Any) -> int:
        """Writes a chunk."""
        return self._inner.write(prepared)

    def state(self) -> JsonObject | None:
        """Makes what was written durable, where there is no store that does."""
        if self._has_store:
            return self._inner.state()
        with self._boundaries.around(f"the writer's durable step of {self._step_name}"):
            return self._inner.state()

    def finish(self) -> None:
        """Publishes the result."""
        with self._boundaries.around(f"the writer's finish of {self._step_name}"):
            self._inner.finish()

    def close(self) -> None:
        """Closes the target."""
        self._inner.close()


class WatchedPartWriter(WatchedWriter):
    """A watched ItemWriter that cuts parts out of prepared chunks."""

    def __init__(self, inner: ItemWriter, parts: PartPreparer, boundaries: Boundaries, step_name: str) -> None:
        super().__init__(inner, boundaries, step_name)
        self._parts = parts

    def prepare_part(self, whole: Any, start: int, part: Chunk) -> Any:
        """Cuts a part out of a prepared chunk."""
        return self._parts.prepare_part(whole, start, part)


def watched_writer(writer: ItemWriter, boundaries: Boundaries, step_name: str) -> WatchedWriter:
    """Returns the writer with boundaries, and with all that it offers: the run is to go the way it always goes."""
    if isinstance(writer, PartPreparer):
        return WatchedPartWriter(writer, writer, boundaries, step_name)
    return WatchedWriter(writer, boundaries, step_name)


class WatchedTasklet:
    """A Tasklet with boundaries around its store's commits."""

    def __init__(self, inner: Tasklet, boundaries: Boundaries, step_name: str) -> None:
        self._inner = inner
        self._boundaries = boundaries
        self._step_name = step_name

    def open(self) -> CheckpointStore | None:
        """Makes ready."""
        return _watched(self._inner.open(), self._boundaries, self._step_name)

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Does the work."""
        return self._inner.execute(contribution)

    def close(self) -> None:
        """Gives back what was taken."""
        self._inner.close()


class WatchedSink:
    """A RejectSink with boundaries around what makes the rejects of a chunk durable."""

    def __init__(self, inner: RejectSink, boundaries: Boundaries, step_name: str) -> None:
        self._inner = inner
        self._boundaries = boundaries
        self._step_name = step_name
        self._is_written = False

    def open(self, state: JsonObject | None, run: int, store: CheckpointStore | None) -> None:
        """Makes ready; a sink of the target shares the transactions of the store itself."""
        self._inner.open(state, run, store.inner if isinstance(store, WatchedStore) else store)

    def write(self, rejects: Sequence[Reject]) -> None:
        """Adds rejects."""
        self._is_written = True
        self._inner.write(rejects)

    def state(self) -> JsonObject | None:
        """Makes rejects durable."""
        if not self._is_written:
            return self._inner.state()
        self._is_written = False
        with self._boundaries.around(f"the rejects' durable step of {self._step_name}"):
            return self._inner.state()

    def cut_back(self, state: JsonObject | None) -> None:
        """Drops rejects."""
        self._inner.cut_back(state)

    def close(self) -> None:
        """Gives back what was taken."""
        self._inner.close()
