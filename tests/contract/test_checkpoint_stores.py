"""The CheckpointStore contract on each kind of target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batchrun.components.databases import Session, SessionCheckpointStore, connect
from batchrun.components.databases.alchemy import connect_alchemy
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import Database
from batchrun.testing.checkpoints import KEY, RUN, CheckpointStoreContract
from tests.support.postgres import new_schema


class SessionTarget:
    """A database with a table of items."""

    def __init__(self, open_session: Callable[[], Session]) -> None:
        self._open_session = open_session
        self._sessions: list[Session] = []
        self.session().execute("CREATE TABLE item (id integer)")

    def session(self) -> Session:
        self._sessions.append(self._open_session())
        return self._sessions[-1]

    def connect(self) -> CheckpointStore:
        return SessionCheckpointStore(self.session())

    def write(self, store: CheckpointStore, item: int) -> None:
        assert isinstance(store, SessionCheckpointStore)
        store.session.execute("INSERT INTO item VALUES (:item)", {"item": item})

    def items(self) -> list[int]:
        return [item for (item,) in self._sessions[0].fetch("SELECT id FROM item ORDER BY id")]

    def close(self) -> None:
        for session in self._sessions:
            session.rollback()
            session.close()


class SessionStoreContract(CheckpointStoreContract):
    def test_two_that_take_over_at_once_both_find_the_table(self, target: SessionTarget) -> None:
        sessions = [target.session() for _ in range(4)]

        def take(place: int) -> object:
            key = KEY.__class__(KEY.repository_id, place, KEY.step_name)
            return SessionCheckpointStore(sessions[place]).take_over(key, 1, RUN).run

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(take, range(4))) == [RUN] * 4

    def test_rollback_to_a_savepoint_keeps_what_was_before_it(self, target: SessionTarget) -> None:
        store = target.connect()
        assert isinstance(store, SessionCheckpointStore)
        first = store.take_over(KEY, 1, RUN)
        store.begin()
        target.write(store, 1)
        store.savepoint()
        store.savepoint()
        target.write(store, 2)
        store.rollback_to_savepoint()
        target.write(store, 3)
        store.release()
        store.commit(first.after(1, None, {}, first.counts))
        assert target.items() == [1, 3]


class TestSqliteByAdbc(SessionStoreContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Iterator[SessionTarget]:
        database = Database("target", f"sqlite:///{tmp_path}/target.db")
        yield from closed(SessionTarget(lambda: connect(database, create=True)))


class TestSqliteByPython(SessionStoreContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Iterator[SessionTarget]:
        database = Database("target", f"sqlite:///{tmp_path}/target.db", holds_repository=True)
        yield from closed(SessionTarget(lambda: connect(database, create=True)))


class TestPostgres(SessionStoreContract):
    @pytest.fixture
    def target(self, postgres_url: str) -> Iterator[SessionTarget]:
        with new_schema(postgres_url) as url:
            yield from closed(SessionTarget(lambda: connect(Database("target", url))))


class TestBySqlAlchemy(SessionStoreContract):
    @pytest.fixture
    def target(self, postgres_url: str) -> Iterator[SessionTarget]:
        with new_schema(postgres_url) as url:
            database = Database("target", url.replace("postgresql:", "postgresql+psycopg:"))
            yield from closed(SessionTarget(lambda: connect_alchemy(database)))


def closed(target: SessionTarget) -> Iterator[SessionTarget]:
    try:
        yield target
    finally:
        target.close()
