"""The reject sink `table` on each kind of database: in the chunk's own transaction, or beside it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest

from batchrun.components.databases import SessionCheckpointStore
from batchrun.components.rejects.table import TableRejectOptions, TableRejectSink
from batchrun.domain.execution import Checkpoint
from batchrun.domain.tolerance import Phase
from batchrun.errors import DatabaseError, ParseError
from batchrun.spi.rejects import Reject
from batchrun.testing.scope import scope_in
from tests.integration.databases.conftest import KEY, World


def sink_of(world: World, execution_id: int = 1) -> TableRejectSink:
    scope = replace(scope_in(world.folder, databases={world.database.name: world.database}), execution_id=execution_id)
    return TableRejectSink(TableRejectOptions(database=world.database.name, table="bad"), scope)


def unread(line: int) -> Reject:
    return Reject(Phase.READ, ParseError("too short", origin=f"a.csv:{line}"), f"a.csv:{line}", raw=f"{line}\n")


def test_rejects_are_committed_with_their_chunk_or_not_at_all(world: World) -> None:
    item = {"id": 1, "day": date(2026, 1, 2)}
    with world.session() as session, closing(sink_of(world)) as sink:
        store = SessionCheckpointStore(session)
        store.take_over(KEY, 1, 1)
        sink.open(None, 1, store)
        for line, is_kept in ((2, True), (3, False), (4, True)):
            store.begin()
            sink.write([Reject(Phase.WRITE, ParseError("bad"), f"a.csv:{line}", item=item)])
            state = sink.state()
            if is_kept:
                store.commit(Checkpoint(1, 1, line, {}, {"rejects": state or {}}))
            else:
                store.rollback()
                sink.cut_back({"count": 1})
        assert sink.state() == {"count": 2}
    found = list(sink_of(world).records())
    assert [(each.number, each.origin, each.item, each.phase) for each in found] == [
        (1, "a.csv:2", item, Phase.WRITE),
        (2, "a.csv:4", item, Phase.WRITE),
    ]


def test_beside_another_target_they_are_cut_back_by_the_restart(world: World) -> None:
    with closing(sink_of(world)) as dying:
        dying.open(None, 1, None)
        dying.write([unread(2)])
        state = dying.state()
        dying.write([unread(3)])
        dying.state()
    with closing(sink_of(world, 2)) as restarted:
        restarted.open(state, 1, None)
        assert [each.origin for each in sink_of(world).records()] == ["a.csv:2"]
        restarted.write([unread(3)])
        restarted.cut_back(restarted.state())
    with closing(sink_of(world, 3)) as another_run:
        another_run.open(None, 7, None)
        another_run.write([unread(4)])
        another_run.cut_back(None)
        assert another_run.state() is None
    assert [(each.run, each.number, each.execution_id, each.raw) for each in sink_of(world).records()] == [
        (1, 1, 1, "2\n"),
        (1, 2, 2, "3\n"),
    ]


def test_a_table_that_is_not_there_has_none(world: World) -> None:
    world.sql("CREATE TABLE other (a int)")
    assert list(sink_of(world).records()) == []


def test_texts_that_a_database_does_not_take_are_kept_all_the_same(world: World) -> None:
    unreadable = Reject(Phase.READ, ParseError("a \0 and \udcff"), "a.csv:2", raw="a\0b")
    with closing(sink_of(world)) as sink:
        sink.open(None, 1, None)
        sink.write([unreadable])
        sink.state()
    (found,) = sink_of(world).records()
    assert (found.message, found.raw) == ("a \\x00 and \\udcff", "a\0b")


@pytest.mark.parametrize("spoiled", ["item = 'no JSON'", "item = '[1]'", "phase = 'lunch'"])
def test_a_row_that_was_changed_into_no_reject_is_named(world: World, spoiled: str) -> None:
    with closing(sink_of(world)) as sink:
        sink.open(None, 1, None)
        sink.write([unread(2)])
        sink.state()
    world.sql(f"UPDATE bad SET {spoiled}")
    with pytest.raises(DatabaseError, match="table bad of the rejects: number 1 of run 1 of step 'step' is no reject"):
        list(sink_of(world).records())
