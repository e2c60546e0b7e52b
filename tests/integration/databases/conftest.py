"""A database of each kind, and the components on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batchrun.components.databases import Session, connect
from batchrun.components.readers.query import QueryItemReader
from batchrun.components.tasklets.sql import SqlTasklet
from batchrun.components.writers.table import TableItemWriter
from batchrun.domain.execution import Checkpoint, StepCounts
from batchrun.spi.checkpoint import CheckpointKey
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import Database
from batchrun.testing.scope import scope_in
from tests.support.postgres import new_schema

KINDS = ("adbc", "sqlite3", "postgres")
KEY = CheckpointKey("repository", 1, "load")


class LineOrigins:
    def of(self, index: int) -> str:
        return f"in.csv:{index + 2}"

    def span(self) -> str:
        return "in.csv:2-99"


def chunk_of(frame: pl.DataFrame, position: int = 1) -> Chunk:
    return Chunk(frame=frame, position={"at": position}, origins=LineOrigins())


@dataclass
class World:
    """A database of one kind, with components on it."""

    kind: str
    database: Database
    folder: Path

    def sql(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        session = connect(self.database, create=True)
        try:
            if sql.lstrip().startswith(("SELECT", "PRAGMA")):
                return session.fetch(sql, parameters)
            session.execute(sql, parameters)
            return []
        finally:
            session.close()

    @contextmanager
    def session(self) -> Iterator[Session]:
        session = connect(self.database, create=True)
        try:
            yield session
        finally:
            session.rollback()
            session.close()

    def _component(self, made: Any, options: dict[str, Any], should_stop: Callable[[], bool] = lambda: False) -> Any:
        parsed = made.spec.parse({"database": "db", **options})
        assert parsed.check() == []
        return made(parsed, scope_in(self.folder, databases={"db": self.database}, should_stop=should_stop))

    def reader(self, **options: Any) -> QueryItemReader:
        reader: QueryItemReader = self._component(QueryItemReader, options)
        return reader

    def tasklet(self, should_stop: Callable[[], bool] = lambda: False, **options: Any) -> SqlTasklet:
        tasklet: SqlTasklet = self._component(SqlTasklet, options, should_stop)
        return tasklet

    @contextmanager
    def writing(self, token: int = 1, **options: Any) -> Iterator[Writing]:
        """A writer as a step has it: connected, taken over, opened with what the last commit kept."""
        writer: TableItemWriter = self._component(TableItemWriter, options)
        try:
            store = writer.connect()
            assert store is not None
            writing = Writing(writer, store, store.take_over(KEY, token, 1))
            checkpoint = writing.checkpoint
            writer.open(checkpoint.contexts.get("writer") if checkpoint.sequence else None)
            yield writing
        finally:
            writer.close()

    def write(self, *frames: pl.DataFrame, **options: Any) -> int:
        """Writes chunks in a run of their own, as one step does."""
        with self.writing(**options) as writing:
            written = sum(writing.commit(frame) for frame in frames)
            writing.writer.finish()
            writing.store.forget()
            return written


@dataclass
class Writing:
    writer: TableItemWriter
    store: Any
    checkpoint: Checkpoint

    def write(self, frame: pl.DataFrame) -> int:
        prepared = self.writer.prepare(chunk_of(frame))
        self.store.begin()
        try:
            return self.writer.write(prepared)
        except BaseException:
            self.store.rollback()
            raise

    def commit(self, frame: pl.DataFrame) -> int:
        written = self.write(frame) if frame.height else 0
        if not frame.height:
            self.store.begin()
        state = self.writer.state()
        contexts = {} if state is None else {"writer": state}
        self.checkpoint = self.checkpoint.after(1, {"at": 1}, contexts, StepCounts())
        self.store.commit(self.checkpoint)
        return written


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A database of each kind."""
    if request.param != "postgres":
        database = Database("db", f"sqlite:///{tmp_path}/data.db", holds_repository=request.param == "sqlite3")
        yield World(request.param, database, tmp_path)
        return
    with new_schema(request.getfixturevalue("postgres_url")) as url:
        yield World(request.param, Database("db", url), tmp_path)


@pytest.fixture
def postgres(tmp_path: Path, postgres_url: str) -> Iterator[World]:
    with new_schema(postgres_url) as url:
        yield World("postgres", Database("db", url), tmp_path)


@pytest.fixture(params=KINDS[:2])
def sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    database = Database("db", f"sqlite:///{tmp_path}/data.db", holds_repository=request.param == "sqlite3")
    return World(request.param, database, tmp_path)
