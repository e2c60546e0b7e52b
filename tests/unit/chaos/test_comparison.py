"""What is told of a disturbed run beside an undisturbed one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from batchrun.chaos import Difference, Kind
from batchrun.chaos.child import Outcome
from batchrun.chaos.comparison import Result, differences
from batchrun.chaos.snapshot import Snapshot, TableContent


def result(*ids: str, left: Snapshot | None = None, **outcome: Any) -> Result:
    told = {"status": "COMPLETED", "exit_code": 0, "counts": {"load": [3, 3, 0, 0]}, "rejects": [], **outcome}
    table = TableContent(("id", "day"), Counter((each, "monday") for each in ids))
    return Result(Outcome([], **told), left or Snapshot(tables={"target.rows": table}))


def kinds(found: list[Difference]) -> list[tuple[Kind, int]]:
    return [(each.kind, each.count) for each in found]


def test_the_same_rows_in_another_order_are_equal() -> None:
    assert differences(result("1", "2", "2"), result("2", "1", "2")) == []


def test_rows_are_counted_as_often_as_they_are_there() -> None:
    found = differences(result("1", "2", "2", "3"), result("1", "1", "1", "2"))
    assert kinds(found) == [(Kind.LOST, 2), (Kind.TWICE, 2)]
    assert found[0].examples == ("id=2, day=monday", "id=3, day=monday")
    assert found[1].columns == ("id",)


def test_a_table_that_is_missing_is_lost_with_its_rows() -> None:
    assert kinds(differences(result("1", "2"), result(left=Snapshot()))) == [(Kind.LOST, 2)]


def test_files_are_missing_too_many_or_other() -> None:
    before = result(left=Snapshot(files={"a": "1", "b": "2", "c": "3"}))
    after = result(left=Snapshot(files={"b": "2", "c": "4", "d": "5"}))
    told = [(each.where, each.message) for each in differences(before, after)]
    assert told == [("a", "the file is missing"), ("c", "the file differs"), ("d", "the file should not be there")]


def test_a_row_of_a_checkpoint_may_stay_only_where_the_process_died_after_the_end_of_its_step() -> None:
    before, after = result(left=Snapshot(checkpoints={"t": 0})), result(left=Snapshot(checkpoints={"t": 1}))
    for boundary in ("before the target's forget of load", "after the repository's save_step of load (COMPLETED)"):
        assert differences(before, after, [boundary]) == []
    for boundary in ("before the target's commit of load", "after the repository's save_step of load (STARTED)"):
        assert kinds(differences(before, after, [boundary])) == [(Kind.CHECKPOINT, 1)]


def test_status_counts_and_rejects_are_compared() -> None:
    after = result(status="FAILED", exit_code=1, counts={"load": [3, 4, 0, 0]}, rejects=["one"], failures="broken")
    found = differences(result(), after)
    assert [each.kind for each in found] == [Kind.REJECTS, Kind.STATUS, Kind.COUNTS]
    assert found[1].message == "ended FAILED with exit code 1 in place of COMPLETED with exit code 0: broken"
    assert found[2].message == "over all executions: write 4 in place of 3"


def test_a_step_that_has_completed_with_another_code_is_told() -> None:
    before, after = result(ends={"load": ["COMPLETED WITH SKIPS"]}), result(ends={"load": ["COMPLETED"], "more": ["X"]})
    told = [(each.where, each.message) for each in differences(before, after)]
    assert told == [
        ("load", "completed with COMPLETED in place of COMPLETED WITH SKIPS"),
        ("more", "completed with X in place of never"),
    ]
