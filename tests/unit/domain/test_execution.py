"""Checkpoints and flow positions survive their stored form."""

from __future__ import annotations

from batchrun.domain.execution import Checkpoint, StepCounts


def test_a_checkpoint_survives_its_stored_form() -> None:
    checkpoint = Checkpoint(3, 5, 7, {"offset": 9}, {"writer": {"bytes": 5}}, StepCounts(read=4, write_skip=1), True)
    assert Checkpoint.from_dict(checkpoint.as_dict()) == checkpoint


def test_the_next_checkpoint_keeps_its_run() -> None:
    assert Checkpoint(run=3).after(4, {"a": 1}, {}, StepCounts()) == Checkpoint(3, 4, 1, {"a": 1})


def test_counts_name_themselves() -> None:
    assert StepCounts(read=1, rollback=2).as_dict() == {
        "read_count": 1,
        "write_count": 0,
        "filter_count": 0,
        "read_skip_count": 0,
        "process_skip_count": 0,
        "write_skip_count": 0,
        "commit_count": 0,
        "rollback_count": 2,
    }
    assert StepCounts(1, 2, 3, 4, 5, 6).skip == 15
