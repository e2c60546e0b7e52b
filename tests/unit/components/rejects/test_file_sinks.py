"""The reject sinks `json_lines` and `csv`: in the file is what was committed, each once, whoever died when."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchrun.components.files.reject_file import FileRejectSink
from batchrun.components.rejects.csv import CsvRejectOptions, CsvRejectSink
from batchrun.components.rejects.json_lines import JsonLinesRejectOptions, JsonLinesRejectSink
from batchrun.domain.tolerance import Phase
from batchrun.errors import InputError, OutputError, ParseError, ProcessError
from batchrun.spi.rejects import Reject
from batchrun.testing.scope import scope_in

ITEM = {
    "id": 1,
    "name": 'Łódź, "a"\n\rb',
    "price": Decimal("1.50"),
    "day": date(2026, 1, 2),
    "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),  # noqa: UP017
    "time": time(1, 2),
    "took": timedelta(seconds=-1.5),
    "data": b"\x00\xff",
    "nan": float("inf"),
    "share": 0.5,
    "none": None,
    "list": [1, date(2026, 1, 1)],
}
MakeSink = Callable[..., FileRejectSink]


@pytest.fixture(params=["json_lines", "csv"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSink:
    def make(path: str | None = None, **scope: Any) -> FileRejectSink:
        of_step = replace(scope_in(tmp_path), **scope)
        if request.param == "csv":
            return CsvRejectSink(CsvRejectOptions(path=path), of_step)
        return JsonLinesRejectSink(JsonLinesRejectOptions(path=path), of_step)

    return make


def unread(line: int) -> Reject:
    return Reject(Phase.READ, ParseError("too short", origin=f"a.csv:{line}"), f"a.csv:{line}", raw=f'{line},"\nx')


def origins(sink: FileRejectSink) -> list[str | None]:
    return [record.origin for record in sink.records()]


def test_a_record_comes_back_as_it_was(sink: MakeSink, tmp_path: Path) -> None:
    cause = ValueError("no\nthing")
    error = ProcessError("ValueError: no\nthing", origin="a.csv:7")
    error.__cause__ = cause
    one = sink()
    one.open(None, 5, None)
    one.write([Reject(Phase.PROCESS, error, "a.csv:7", item=ITEM), unread(8)])
    assert one.state() is not None
    one.close()
    first, second = sink().records()
    assert (first.number, first.run, first.job, first.step, first.execution_id) == (1, 5, "job", "step", 1)
    assert (first.phase, first.origin, first.raw) == (Phase.PROCESS, "a.csv:7", None)
    assert (first.error, first.message) == ("ValueError", "no\nthing")
    assert first.item == {**ITEM, "list": [1, "2026-01-01"]}
    assert first.item is not None
    assert [type(value) for value in first.item.values()] == [type(value) for value in ITEM.values()]
    assert (second.number, second.raw, second.item, second.error) == (2, '8,"\nx', None, "ParseError")
    assert list((tmp_path / ".batchrun/rejects/01234567/1").iterdir())


def test_a_record_of_any_length_comes_back(sink: MakeSink) -> None:
    one = sink()
    one.open(None, 1, None)
    one.write([Reject(Phase.READ, ParseError("bad"), "a.csv:2", raw="x" * 200_000)])
    one.state()
    one.close()
    assert [len(each.raw or "") for each in sink().records()] == [200_000]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"{text[:-1]},1\n",
        lambda text: text.replace('"item": null', '"item": [1]').replace("x,,", 'x,"[1]",'),
    ],
)
def test_what_was_changed_into_no_reject_is_told(sink: MakeSink, change: Callable[[str], str]) -> None:
    one = sink()
    one.open(None, 1, None)
    one.write([Reject(Phase.READ, ParseError("bad"), "a.csv:2", raw="x")])
    one.state()
    one.close()
    one._path.write_text(change(one._path.read_text()))
    with pytest.raises(InputError, match="is no reject"):
        list(sink().records())


def test_without_rejects_there_is_no_file(sink: MakeSink, tmp_path: Path) -> None:
    one = sink()
    one.open(None, 1, None)
    assert one.state() is None
    one.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert origins(sink()) == []


def test_a_restart_cuts_back_what_was_not_committed(sink: MakeSink) -> None:
    dying = sink()
    dying.open(None, 1, None)
    dying.write([unread(2)])
    state = json.loads(json.dumps(dying.state()))
    dying.write([unread(3)])
    assert origins(sink()) == ["a.csv:2", "a.csv:3"], "it can be read while the step runs"

    restarted = sink(execution_id=2)
    restarted.open(state, 1, None)
    restarted.write([unread(3)])
    assert restarted.state() == {**state, "bytes": restarted._file.size, "count": 2}
    restarted.close()
    assert [(each.origin, each.execution_id) for each in sink().records()] == [("a.csv:2", 1), ("a.csv:3", 2)]


@pytest.mark.parametrize(("old", "new"), [("too short", "much too short"), ("too short", "short")])
def test_a_restart_cuts_no_file_that_was_edited(sink: MakeSink, old: str, new: str) -> None:
    dying = sink()
    dying.open(None, 1, None)
    dying.write([unread(2), unread(3)])
    state = dying.state()
    dying.write([unread(4)])
    dying.close()
    edited = dying._path.read_text().replace(old, new)
    dying._path.write_text(edited)
    with pytest.raises(OutputError, match="it has been changed since"):
        sink().open(state, 1, None)
    assert dying._path.read_text() == edited


def test_a_restart_looks_at_nothing_behind_the_last_commit(sink: MakeSink) -> None:
    dying = sink()
    dying.open(None, 1, None)
    dying.write([unread(2)])
    state = dying.state()
    dying.close()
    with dying._path.open("ab") as file:
        file.write(b"\0\xff\n" * 9)
    restarted = sink()
    restarted.open(state, 1, None)
    restarted.close()
    assert origins(sink()) == ["a.csv:2"]


def test_a_restart_before_the_first_commit_begins_anew(sink: MakeSink) -> None:
    dying = sink()
    dying.open(None, 1, None)
    dying.write([unread(2)])
    dying.close()
    restarted = sink()
    restarted.open(None, 1, None)
    assert restarted.state() is None
    restarted.close()
    assert origins(sink()) == []


def test_another_run_leaves_the_rejects_of_the_first(sink: MakeSink) -> None:
    for run in (1, 9):
        one = sink()
        one.open(None, run, None)
        one.write([unread(run)])
        one.cut_back(None)
        one.write([unread(run)])
        one.state()
        one.close()
    assert [(each.run, each.number) for each in sink().records()] == [(1, 1), (9, 1)]


def test_a_chunk_that_was_rolled_back_leaves_none(sink: MakeSink) -> None:
    one = sink()
    one.open(None, 1, None)
    one.write([unread(2)])
    state = one.state()
    one.write([unread(3), unread(4)])
    one.cut_back(state)
    one.write([unread(5)])
    one.state()
    one.close()
    assert [(each.origin, each.number) for each in sink().records()] == [("a.csv:2", 1), ("a.csv:5", 2)]


def test_an_owner_that_was_taken_over_writes_into_no_file_any_more(sink: MakeSink) -> None:
    asleep = sink()
    asleep.open(None, 1, None)
    asleep.write([unread(2)])
    state = asleep.state()
    successor = sink(execution_id=2)
    successor.open(state, 1, None)
    with pytest.raises(OutputError, match="another process has taken the file"):
        asleep.write([unread(3)])
    asleep.close()
    successor.write([unread(3)])
    successor.close()
    assert origins(sink()) == ["a.csv:2", "a.csv:3"]


def test_a_file_of_another_instance_is_left_alone(sink: MakeSink) -> None:
    first = sink("bad/all.txt")
    first.open(None, 1, None)
    first.write([unread(2)])
    first.close()
    with pytest.raises(OutputError, match="holds rejects of step 'step' of job instance 1"):
        sink("bad/all.txt", instance_id=2).open(None, 2, None)
    assert origins(sink("bad/all.txt")) == ["a.csv:2"]


def test_a_file_that_has_been_cut_cannot_go_on(sink: MakeSink, tmp_path: Path) -> None:
    one = sink("bad.txt")
    one.open(None, 1, None)
    one.write([unread(2)])
    state = one.state()
    one.close()
    (tmp_path / "bad.txt").write_bytes(b"")
    with pytest.raises(OutputError, match=r"bad\.txt: it has 0 bytes, but the step had written"):
        sink("bad.txt").open(state, 1, None)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.txt"]


def test_what_is_no_reject_is_told_with_its_place(sink: MakeSink, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text('"a"\n{}\n')
    with pytest.raises(InputError, match=r"bad\.txt: what follows byte 0 is no reject"):
        list(sink("bad.txt").records())


def test_a_message_that_is_no_text_is_kept_all_the_same(sink: MakeSink) -> None:
    made = sink()
    made.open(None, 1, None)
    made.write([Reject(Phase.READ, ParseError("a \0 and \udcff"), "a.csv:2", raw="a\0b")])
    made.state()
    made.close()
    (found,) = sink().records()
    assert (found.message, found.raw) == ("a \\x00 and \\udcff", "a\0b")
