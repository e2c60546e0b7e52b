"""The contract of a CheckpointStore as a suite of tests, for every target that claims exactly once.

A test module takes it over by a subclass whose fixture `target` gives a target of its own:

    class TestMyStore(CheckpointStoreContract):
        @pytest.fixture
        def target(self) -> CheckpointTarget: ...
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import pytest

from batchrun.domain.execution import Checkpoint, StepCounts
from batchrun.errors import FencedError
from batchrun.spi.checkpoint import CheckpointKey, CheckpointStore

KEY = CheckpointKey("00000000-aaaa", 7, "load 'all'", "p:1")
RUN = 41


class CheckpointTarget(Protocol):
    """A target under test, to which several owners connect."""

    def connect(self) -> CheckpointStore:
        """Returns a store on a connection of its own; the target closes it when the test ends."""
        ...

    def write(self, store: CheckpointStore, item: int) -> None:
        """Writes an item in the transaction that the store has begun."""
        ...

    def items(self) -> list[int]:
        """Returns the committed items, in ascending order."""
        ...


class CheckpointStoreContract:
    """What every CheckpointStore keeps."""

    def test_take_over_of_a_missing_row_begins_the_run(self, target: CheckpointTarget) -> None:
        assert target.connect().take_over(KEY, 1, RUN) == Checkpoint(RUN)

    def test_commit_keeps_items_and_checkpoint_together(self, target: CheckpointTarget) -> None:
        after = commit(target, owner := taken(target, 1), 1)
        commit(target, owner, 2, after)
        assert target.items() == [1, 2]
        assert target.connect().take_over(KEY, 1, RUN).sequence == 2

    def test_checkpoint_comes_back_as_it_was(self, target: CheckpointTarget) -> None:
        owner = taken(target, 1)
        counts = StepCounts(read=3, write=2, filter=1, commit=1)
        saved = Checkpoint(RUN, 5, 1, {"offset": 2**53 + 1, "text": "é \0 '"}, {"writer": {"bytes": 9}}, counts)
        owner.begin()
        owner.commit(saved)
        assert target.connect().take_over(KEY, 1, RUN) == saved

    def test_commit_without_items_moves_the_checkpoint(self, target: CheckpointTarget) -> None:
        owner = taken(target, 1)
        owner.begin()
        owner.commit(Checkpoint(RUN).after(1, {"at": 1}, {}, StepCounts()))
        assert target.connect().take_over(KEY, 1, RUN).position == {"at": 1}

    def test_rollback_keeps_neither_items_nor_checkpoint(self, target: CheckpointTarget) -> None:
        owner = taken(target, 1)
        owner.begin()
        target.write(owner, 1)
        owner.rollback()
        assert target.items() == []
        assert target.connect().take_over(KEY, 1, RUN) == Checkpoint(RUN)

    def test_rollback_without_a_transaction_does_nothing(self, target: CheckpointTarget) -> None:
        owner = taken(target, 1)
        owner.rollback()
        commit(target, owner, 1)
        owner.rollback()
        assert target.items() == [1]

    def test_work_goes_on_after_a_rollback(self, target: CheckpointTarget) -> None:
        owner = taken(target, 1)
        owner.begin()
        target.write(owner, 1)
        owner.rollback()
        commit(target, owner, 2)
        assert target.items() == [2]

    def test_old_owner_cannot_commit_after_a_take_over(self, target: CheckpointTarget) -> None:
        old = taken(target, 1)
        after = commit(target, old, 1)
        new = target.connect()
        assert new.take_over(KEY, 2, RUN) == after
        old.begin()
        target.write(old, 99)
        with pytest.raises(FencedError):
            old.commit(after.after(1, {"at": 99}, {}, StepCounts()))
        commit(target, new, 2, after)
        assert target.items() == [1, 2]

    def test_fenced_owner_leaves_no_transaction_open(self, target: CheckpointTarget) -> None:
        old, new = taken(target, 1), taken(target, 2)
        old.begin()
        with pytest.raises(FencedError):
            old.commit(Checkpoint(RUN).after(1, {}, {}, StepCounts()))
        commit(target, new, 1)
        assert target.items() == [1]

    def test_old_owner_cannot_take_over(self, target: CheckpointTarget) -> None:
        taken(target, 2)
        with pytest.raises(FencedError):
            target.connect().take_over(KEY, 1, RUN)

    def test_the_same_token_takes_over_again(self, target: CheckpointTarget) -> None:
        after = commit(target, taken(target, 3), 1)
        assert target.connect().take_over(KEY, 3, RUN) == after

    def test_checkpoint_of_another_run_is_replaced(self, target: CheckpointTarget) -> None:
        commit(target, taken(target, 1), 1)
        assert target.connect().take_over(KEY, 2, RUN + 1) == Checkpoint(RUN + 1)
        assert target.connect().take_over(KEY, 2, RUN + 1) == Checkpoint(RUN + 1)

    def test_forget_makes_the_next_take_over_begin_anew(self, target: CheckpointTarget) -> None:
        owner = taken(target, 1)
        commit(target, owner, 1)
        owner.forget()
        assert target.connect().take_over(KEY, 1, RUN) == Checkpoint(RUN)
        assert target.items() == [1]

    def test_old_owner_cannot_forget(self, target: CheckpointTarget) -> None:
        old = taken(target, 1)
        after = commit(target, old, 1)
        new = taken(target, 2)
        old.forget()
        commit(target, new, 2, after)
        assert target.items() == [1, 2]

    @pytest.mark.parametrize(
        "other",
        [
            replace(KEY, repository_id="00000000-bbbb"),
            replace(KEY, instance_id=8),
            replace(KEY, step_name="load"),
            replace(KEY, partition=""),
        ],
        ids=["repository", "instance", "step", "partition"],
    )
    def test_rows_of_other_keys_are_apart(self, target: CheckpointTarget, other: CheckpointKey) -> None:
        after = commit(target, taken(target, 9), 1)
        assert target.connect().take_over(other, 1, RUN) == Checkpoint(RUN)
        assert target.connect().take_over(KEY, 9, RUN) == after


def taken(target: CheckpointTarget, token: int) -> CheckpointStore:
    """Returns a store that owns the row with this token."""
    store = target.connect()
    store.take_over(KEY, token, RUN)
    return store


def commit(target: CheckpointTarget, store: CheckpointStore, item: int, last: Checkpoint | None = None) -> Checkpoint:
    """Commits one item and returns its checkpoint."""
    after = (last or Checkpoint(RUN)).after(1, {"at": item}, {}, StepCounts(read=item, write=item, commit=1))
    store.begin()
    target.write(store, item)
    store.commit(after)
    return after
