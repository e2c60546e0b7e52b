"""Rejects: the items that a step skipped, kept where they can be read, mended and replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from batchrun.domain.execution import JsonObject
from batchrun.domain.tolerance import Phase
from batchrun.spi.checkpoint import CheckpointStore


@dataclass(frozen=True, slots=True)
class Reject:
    """One skipped item.

    Attributes:
        phase: where it was skipped.
        error: why.
        origin: where it came from, such as `flights.csv:17`, or None.
        raw: its text as it was read, where it could not be read.
        item: the item as it was read, or, of the phase `write`, as the processors had made it.
    """

    phase: Phase
    error: Exception
    origin: str | None = None
    raw: str | None = None
    item: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RejectRecord:
    """A reject as a sink keeps it.

    Attributes:
        number: its place among the rejects of its run, from 1.
        job: name of the job.
        step: name of the step.
        instance_id: the job instance.
        run: the run of the step (`Checkpoint.run`); a loop back to the step or a rerun of it is another one.
        execution_id: the job execution that rejected it.
        phase: where it was skipped.
        origin: where it came from, or None.
        error: class of the error, or of the one that caused it first.
        message: what was wrong.
        raw: its text as it was read, where it could not be read.
        item: the item as it was read, where it was.
        at: when.
    """

    number: int
    job: str
    step: str
    instance_id: int
    run: int
    execution_id: int
    phase: Phase
    origin: str | None
    error: str
    message: str
    raw: str | None
    item: dict[str, Any] | None
    at: datetime


def reject_folder(repository_id: str, instance_id: int) -> str:
    """Returns the folder, in a project, for rejects of a job instance in files that the job gives no path.

    A purge of the instance removes it.
    """
    return f".batchrun/rejects/{repository_id[:8]}/{instance_id}"


class RejectSink(Protocol):
    """Keeps rejects, each chunk's with its commit (SEMANTICS section 5).

    *Order*: `open` once, then for each chunk `write` and `state`, and `cut_back` where that was not committed after
    all; at last `close`. *Repeat*: rejects of a chunk that was not committed come again. *Threads*: the thread that
    commits. *Errors*: OutputError or DatabaseError, which fails the chunk.
    """

    def open(self, state: JsonObject | None, run: int, store: CheckpointStore | None) -> None:
        """Makes ready to keep what follows the last committed chunk.

        Args:
            state: what `state()` returned with it; None before the run's first commit. Rejects of this run that are
                not in it were never committed, and go. Those of earlier runs stay.
            run: the run of the step.
            store: of the step's target: a sink in the same database keeps the rejects in the chunk's own transaction.
        """
        ...

    def write(self, rejects: Sequence[Reject]) -> None:
        """Adds the rejects of a chunk; called inside its transaction, where its target has any."""
        ...

    def state(self) -> JsonObject | None:
        """Returns what a restart needs, after making durable what it tells of; called before the chunk's commit.

        Under `count` it tells how many rejects the run has kept; who reads the sink takes no more of them.
        """
        ...

    def cut_back(self, state: JsonObject | None) -> None:
        """Drops the rejects of a chunk that was not committed.

        Args:
            state: what `state()` returned with the last committed chunk; None before the first.
        """
        ...

    def close(self) -> None:
        """Gives back what `open` took."""
        ...


@runtime_checkable
class RejectSource(Protocol):
    """What a RejectSink is too whose rejects can be shown and replayed. *Errors*: InputError or DatabaseError."""

    def records(self) -> Iterator[RejectRecord]:
        """Yields the rejects that are kept of the step in this job instance, in order, those of all runs.

        Called on a sink that is not open, perhaps while another process writes to it.
        """
        ...
