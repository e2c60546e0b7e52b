"""The CheckpointStore on a session: one row of `batchrun_checkpoint`, in the target, in the items' transaction."""

from __future__ import annotations

import json

from batchrun.components.databases.session import RefusedError, Session
from batchrun.domain.execution import Checkpoint
from batchrun.errors import DatabaseError, FencedError, WriteError
from batchrun.spi.checkpoint import CheckpointKey

CHECKPOINT_TABLE = "batchrun_checkpoint"
_ROW = "repository_id = :repository AND instance_id = :instance AND step_name = :step AND {partition} = :partition"
_TAKE = f"UPDATE {CHECKPOINT_TABLE} SET token = :token WHERE {_ROW} AND token <= :token"
_READ = f"SELECT token, checkpoint FROM {CHECKPOINT_TABLE} WHERE {_ROW}"
_ADD = (
    f"INSERT INTO {CHECKPOINT_TABLE} "
    "(repository_id, instance_id, step_name, {partition}, token, sequence, checkpoint, updated_at) "
    "VALUES (:repository, :instance, :step, :partition, :token, 0, :checkpoint, CURRENT_TIMESTAMP)"
)
_SAVE = (
    f"UPDATE {CHECKPOINT_TABLE} SET sequence = :sequence, checkpoint = :checkpoint, updated_at = CURRENT_TIMESTAMP "
    f"WHERE {_ROW} AND token = :token"
)
_KEEP = f"UPDATE {CHECKPOINT_TABLE} SET updated_at = CURRENT_TIMESTAMP WHERE {_ROW} AND token = :token"
_FORGET = f"DELETE FROM {CHECKPOINT_TABLE} WHERE {_ROW} AND token = :token"


class SessionCheckpointStore:
    """Keeps a step's checkpoint in its target (DESIGN section 5); transactions are the session's.

    Attributes:
        commits: chunks committed by this store.
        undone: how many times something was rolled back, to a savepoint or as a whole; whoever made something in the
            transaction, such as a table, looks again where this has changed.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.commits = 0
        self.undone = 0
        self._row: dict[str, str | int] = {}
        self._what = ""

    def take_over(self, key: CheckpointKey, token: int, run: int) -> Checkpoint:
        """Writes the token, commits, and only then reads the checkpoint; one of another run is replaced."""
        self._what = f"step {key.step_name!r}"
        self._row = {
            "repository": key.repository_id,
            "instance": key.instance_id,
            "step": key.step_name,
            "partition": key.partition,
            "token": token,
        }
        try:
            self.session.create_checkpoint_table()
            self._write_token(run)
            return self._read(run)
        except RefusedError as error:
            raise DatabaseError(
                self.session.database,
                f"the checkpoint table {CHECKPOINT_TABLE} cannot be used: {error.reason}",
                hint="the job keeps its checkpoint beside its data: it needs the right to create and write that table",
            ) from error

    def _write_token(self, run: int) -> None:
        """Raises the row's token, or adds the row; two that add it at once meet at the update."""
        for attempt in range(3):
            if self._change(_TAKE, self._row):
                return
            if self.session.fetch(self._sql(_READ), self._row):
                raise FencedError(self._what, int(self._row["token"]))
            try:
                self._change(_ADD, {**self._row, "checkpoint": _text(Checkpoint(run))})
                return
            except RefusedError:
                if attempt == 2:
                    raise

    def _read(self, run: int) -> Checkpoint:
        token, text = self.session.fetch(self._sql(_READ), self._row)[0]
        if token != self._row["token"]:
            raise FencedError(self._what, int(self._row["token"]))
        checkpoint = Checkpoint.from_dict(json.loads(text))
        if checkpoint.run == run:
            return checkpoint
        if not self._change(_SAVE, {**self._row, "sequence": 0, "checkpoint": _text(Checkpoint(run))}):
            raise FencedError(self._what, int(self._row["token"]))
        return Checkpoint(run)

    def _change(self, sql: str, parameters: dict[str, str | int]) -> bool:
        self.session.begin()
        try:
            return self.session.commit_if(self._sql(sql), parameters)
        except BaseException:
            self.session.rollback()
            raise

    def _sql(self, sql: str) -> str:
        # PARTITION is a reserved word of MySQL, and each database has quotes of its own.
        return sql.replace("{partition}", self.session.quote("partition"))

    def begin(self) -> None:
        """Begins the transaction of a chunk."""
        self.session.begin()

    def commit(self, checkpoint: Checkpoint) -> None:
        """Writes the checkpoint where the token is still this owner's, and commits both in one."""
        self._commit(_SAVE, {**self._row, "sequence": checkpoint.sequence, "checkpoint": _text(checkpoint)})

    def commit_behind(self) -> None:
        """Commits what is no chunk, where the token is still this owner's; the checkpoint stays as it is."""
        self._commit(_KEEP, self._row)

    def _commit(self, sql: str, parameters: dict[str, str | int]) -> None:
        try:
            if not self.session.commit_if(self._sql(sql), parameters):
                self.undone += 1
                raise FencedError(self._what, int(self._row["token"]))
        except RefusedError as error:
            self.rollback()
            raise WriteError(error.reason) from error
        except DatabaseError:
            self.rollback()
            raise
        self.commits += 1

    def rollback(self) -> None:
        """Rolls back the transaction of a chunk."""
        self.undone += 1
        self.session.rollback()

    def savepoint(self) -> None:
        """Sets a savepoint inside the chunk's transaction."""
        self.session.savepoint()

    def release(self) -> None:
        """Keeps what was done since the last savepoint."""
        self.session.release()

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint."""
        self.undone += 1
        self.session.rollback_to_savepoint()

    def forget(self) -> None:
        """Deletes the row where it holds this owner's token."""
        try:
            self._change(_FORGET, self._row)
        except RefusedError as error:
            raise DatabaseError(self.session.database, error.reason) from error


def _text(checkpoint: Checkpoint) -> str:
    return json.dumps(checkpoint.as_dict(), separators=(",", ":"))
