"""The checkpoint store: what commits a step's position in one transaction with the items (DESIGN section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from batchrun.domain.execution import Checkpoint


@dataclass(frozen=True, slots=True)
class CheckpointKey:
    """Names a step's checkpoint in a target that several repositories may share.

    Attributes:
        repository_id: the own id of the repository that the job instance began in.
        instance_id: the job instance in that repository.
        step_name: the step.
        partition: the partition or writer's slot; empty for a step that has none.
    """

    repository_id: str
    instance_id: int
    step_name: str
    partition: str = ""


class CheckpointStore(Protocol):
    """Transactions of a target that hold the items and the checkpoint together.

    *Order*: `take_over` once, then for each chunk `begin`, writes, `commit` (or `rollback`), at last `forget`. While a
    chunk is narrowed down to its bad items, its writes stand between savepoints.
    *Threads*: one thread. *Fence*: the row holds the owner's token; `commit` fails where the row's token is another,
    so that an owner who was stopped for a while cannot commit after its successor took over. *Errors*: FencedError
    from `take_over` and `commit`; DatabaseError where the target fails.
    """

    def take_over(self, key: CheckpointKey, token: int, run: int) -> Checkpoint:
        """Writes the token into the row, commits, and only then reads the checkpoint.

        Args:
            key: names the row; it is made where there is none.
            token: must not be lower than the row's.
            run: the run of the step (`Checkpoint.run`). A row of another run is out of date, left by a crash after
                the step had completed: it is replaced by `Checkpoint(run)`, as is a missing one.

        Raises:
            FencedError: the row holds a higher token.
        """
        ...

    def begin(self) -> None:
        """Begins the transaction of a chunk."""
        ...

    def commit(self, checkpoint: Checkpoint) -> None:
        """Commits the chunk with its checkpoint, if the row still holds this owner's token.

        Raises:
            FencedError: it does not; the transaction is rolled back.
            WriteError: a constraint checked at commit refuses the chunk; the transaction is rolled back.
        """
        ...

    def rollback(self) -> None:
        """Rolls back the transaction of a chunk; does nothing where none is open, and raises nothing."""
        ...

    def savepoint(self) -> None:
        """Sets a savepoint inside the chunk's transaction, and inside the last one."""
        ...

    def release(self) -> None:
        """Keeps what was done since the last savepoint, and forgets it."""
        ...

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint, and forgets it."""
        ...

    def forget(self) -> None:
        """Deletes the row, if it holds this owner's token; called once the repository has the step COMPLETED."""
        ...
