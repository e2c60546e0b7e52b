"""Compares what a disturbed run has left with what an undisturbed one has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, zip_longest

from batchrun.chaos.child import Outcome
from batchrun.chaos.snapshot import Row, Snapshot, TableContent

_EXAMPLES = 3
_COUNTS = ("read", "write", "filter", "skip")


class Kind(StrEnum):
    """What is not as it was undisturbed."""

    LOST = "rows lost"
    TWICE = "rows twice"
    FILE = "file"
    REJECTS = "rejects"
    COUNTS = "counts"
    STATUS = "status"
    CHECKPOINT = "checkpoint"
    REPAIR = "repair"
    FENCE = "fence"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that differs.

    Attributes:
        where: the table, file, step or process.
        count: how many rows; 1 for anything else.
        message: what differs.
        examples: some of the rows, as texts.
        columns: of a table, those that differ between rows that are lost and rows that are there instead.
    """

    kind: Kind
    where: str
    message: str
    count: int = 1
    examples: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How a run has ended, and what it has left."""

    outcome: Outcome
    left: Snapshot


def compared(result: Result) -> dict[str, int]:
    """Returns how much there is to compare with a result, by what it is."""
    tables = result.left.tables
    return {
        "tables": len(tables),
        "rows": sum(each.rows.total() for each in tables.values()),
        "files": len(result.left.files),
        "rejects": len(result.outcome.rejects or []),
    }


def differences(expected: Result, found: Result, struck: Sequence[str] = ()) -> list[Difference]:
    """Returns what differs, the worst first.

    Args:
        expected: undisturbed.
        found: disturbed.
        struck: names of the boundaries at which it was.
    """
    return [
        *_tables(expected.left, found.left),
        *_files(expected.left, found.left),
        *_rejects(expected.outcome.rejects or [], found.outcome.rejects or []),
        *_checkpoints(expected.left, found.left, sum(map(_leaves_row, struck))),
        *_status(expected.outcome, found.outcome),
        *_counts(expected.outcome, found.outcome),
    ]


def _tables(expected: Snapshot, found: Snapshot) -> Iterator[Difference]:
    for name in sorted({*expected.tables, *found.tables}):
        before, after = expected.tables.get(name), found.tables.get(name)
        if before is None or after is None:
            lost = before is not None
            kind = Kind.LOST if lost else Kind.TWICE
            rows = before or after
            assert rows is not None
            yield Difference(kind, name, f"the table is {'missing' if lost else 'there'}", max(rows.rows.total(), 1))
        elif before.rows != after.rows:
            yield from _rows(name, before, after)


def _rows(name: str, before: TableContent, after: TableContent) -> Iterator[Difference]:
    lost, more = before.rows - after.rows, after.rows - before.rows
    columns = _differing_columns(before, lost, more)
    if lost:
        yield Difference(Kind.LOST, name, "rows are missing", lost.total(), _shown(before, lost), columns)
    if more:
        yield Difference(Kind.TWICE, name, "rows are there too often", more.total(), _shown(after, more), columns)


def _shown(table: TableContent, rows: Counter[Row]) -> tuple[str, ...]:
    return tuple(
        ", ".join(
            f"{column}={'NULL' if value is None else value}" for column, value in zip(table.columns, row, strict=True)
        )
        for row in islice(sorted(rows, key=str), _EXAMPLES)
    )


def _differing_columns(table: TableContent, lost: Counter[Row], more: Counter[Row]) -> tuple[str, ...]:
    """Returns the columns whose values differ as a whole, where rows are changed and none is lost or twice."""
    if lost.total() != more.total():
        return ()
    return tuple(
        column
        for place, column in enumerate(table.columns)
        if Counter(row[place] for row in lost.elements()) != Counter(row[place] for row in more.elements())
    )


def _files(expected: Snapshot, found: Snapshot) -> Iterator[Difference]:
    for name in sorted({*expected.files, *found.files}):
        if name not in found.files:
            yield Difference(Kind.FILE, name, "the file is missing")
        elif name not in expected.files:
            yield Difference(Kind.FILE, name, "the file should not be there")
        elif expected.files[name] != found.files[name]:
            yield Difference(Kind.FILE, name, "the file differs")


def _rejects(expected: Sequence[str], found: Sequence[str]) -> Iterator[Difference]:
    if expected != found:
        pairs = zip_longest(expected, found, fillvalue="nothing")
        examples = [f"expected {one}, found {other}" for one, other in pairs if one != other]
        message = f"{len(expected)} rejects expected, {len(found)} found"
        yield Difference(Kind.REJECTS, "rejects", message, len(examples), tuple(examples[:_EXAMPLES]))


def _leaves_row(boundary: str) -> bool:
    """Tells whether a process that dies there leaves its checkpoint's row: its step is COMPLETED, and not run again.

    The row is out of date from then on, and replaced where the step is run once more.
    """
    after_end = boundary.startswith("after the repository's save_step") and boundary.endswith("(COMPLETED)")
    return after_end or boundary.startswith("before the target's forget")


def _checkpoints(expected: Snapshot, found: Snapshot, allowed: int) -> Iterator[Difference]:
    left = {name: count - expected.checkpoints.get(name, 0) for name, count in found.checkpoints.items()}
    if sum(left.values()) > allowed:
        for name, count in left.items():
            if count > 0:
                yield Difference(Kind.CHECKPOINT, name, f"batchrun_checkpoint has rows left: {count}", count)


def _status(expected: Outcome, found: Outcome) -> Iterator[Difference]:
    before, after = (f"{each.status or each.error} with exit code {each.exit_code}" for each in (expected, found))
    if before != after:
        why = f": {found.failures}" if found.failures else ""
        yield Difference(Kind.STATUS, "job", f"ended {after} in place of {before}{why}")
    ends, found_ends = expected.ends or {}, found.ends or {}
    for step in sorted({*ends, *found_ends}):
        if ends.get(step) != found_ends.get(step):
            was, now = (", ".join(each.get(step, ())) or "never" for each in (ends, found_ends))
            yield Difference(Kind.STATUS, step, f"completed with {now} in place of {was}")


def _counts(expected: Outcome, found: Outcome) -> Iterator[Difference]:
    before, after = expected.counts or {}, found.counts or {}
    for step in sorted({*before, *after}):
        pairs = zip(_COUNTS, before.get(step, [0] * 4), after.get(step, [0] * 4), strict=True)
        told = [f"{name} {other} in place of {one}" for name, one, other in pairs if one != other]
        if told:
            yield Difference(Kind.COUNTS, step, f"over all executions: {', '.join(told)}")
