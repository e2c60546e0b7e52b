"""BatchStatus and ExitStatus: order, upgrade and algebra (SEMANTICS section 2)."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrun.domain.status import EXECUTING, BatchStatus, ExitStatus

statuses = st.sampled_from(BatchStatus)
codes = st.one_of(
    st.sampled_from(
        ["EXECUTING", "COMPLETED", "COMPLETED WITH SKIPS", "NOOP", "STOPPED", "FAILED", "UNKNOWN", "BAD INPUT"]
    ),
    st.text(alphabet="ABCDE ", min_size=1, max_size=8),
)
exit_statuses = st.builds(ExitStatus, codes, st.sampled_from(["", "why", "because"]))


def test_statuses_are_ordered_by_severity() -> None:
    names = [status.name for status in sorted(BatchStatus)]
    assert names == ["COMPLETED", "STARTING", "STARTED", "STOPPING", "STOPPED", "FAILED", "ABANDONED", "UNKNOWN"]


@given(statuses, statuses, statuses)
def test_upgrade_is_the_maximum(a: BatchStatus, b: BatchStatus, c: BatchStatus) -> None:
    assert a.upgrade(b) is b.upgrade(a)
    assert a.upgrade(b).upgrade(c) is a.upgrade(b.upgrade(c))
    assert a.upgrade(b) in (a, b)
    assert a.upgrade(b) >= a


@given(statuses)
def test_completed_is_neutral_and_twice_is_as_once(status: BatchStatus) -> None:
    assert status.upgrade(BatchStatus.COMPLETED) is BatchStatus.COMPLETED.upgrade(status) is status
    assert status.upgrade(status) is status


@given(st.lists(statuses, min_size=1))
def test_the_upgrade_of_many_is_the_most_severe_whatever_their_order(many: list[BatchStatus]) -> None:
    assert reduce(BatchStatus.upgrade, many) is reduce(BatchStatus.upgrade, many[::-1]) is max(many)


@pytest.mark.parametrize(
    ("status", "running", "restartable"),
    [
        (BatchStatus.COMPLETED, False, False),
        (BatchStatus.STARTING, True, False),
        (BatchStatus.STARTED, True, False),
        (BatchStatus.STOPPING, True, False),
        (BatchStatus.STOPPED, False, True),
        (BatchStatus.FAILED, False, True),
        (BatchStatus.ABANDONED, False, False),
        (BatchStatus.UNKNOWN, False, False),
    ],
)
def test_what_each_status_allows(status: BatchStatus, running: bool, restartable: bool) -> None:
    assert (status.is_running, status.is_restartable) == (running, restartable)


def test_severity_goes_by_prefix() -> None:
    order = ["EXECUTING", "COMPLETED", "NOOP", "STOPPED", "FAILED", "UNKNOWN", "BAD INPUT"]
    assert [ExitStatus(code).severity for code in order] == [0, 1, 2, 3, 4, 5, 6]
    assert ExitStatus("COMPLETED WITH SKIPS").severity == ExitStatus("COMPLETED").severity


@given(exit_statuses, exit_statuses)
def test_and_keeps_the_more_severe(a: ExitStatus, b: ExitStatus) -> None:
    both = a.and_(b)
    assert both.severity == max(a.severity, b.severity)
    assert both.code in (a.code, b.code)


@given(exit_statuses, exit_statuses, exit_statuses)
def test_the_code_of_and_is_associative(a: ExitStatus, b: ExitStatus, c: ExitStatus) -> None:
    assert a.and_(b).and_(c).code == a.and_(b.and_(c)).code


@given(st.lists(exit_statuses, min_size=1, max_size=6))
def test_and_loses_no_description(many: list[ExitStatus]) -> None:
    joined = reduce(ExitStatus.and_, many).description
    assert set(joined.split("; ")) - {""} == {each.description for each in many} - {""}


@given(exit_statuses)
def test_executing_is_neutral(status: ExitStatus) -> None:
    assert EXECUTING.and_(status) == status
    assert status.and_(EXECUTING).severity == status.severity
    assert status.and_(status) == status


def test_and_joins_descriptions() -> None:
    assert ExitStatus("COMPLETED", "a").and_(ExitStatus("FAILED", "b")) == ExitStatus("FAILED", "a; b")
    assert ExitStatus("COMPLETED", "a").and_(ExitStatus("COMPLETED", "a")).description == "a"
    assert ExitStatus("COMPLETED").and_(ExitStatus("COMPLETED", "b")).description == "b"


def test_on_equal_severity_the_later_word_wins() -> None:
    assert ExitStatus("COMPLETED").and_(ExitStatus("COMPLETED WITH SKIPS")).code == "COMPLETED WITH SKIPS"
