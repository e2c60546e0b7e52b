"""Every JobRepository keeps the same contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from batchrun.repository import open_repository as open_sql_repository
from batchrun.spi.repository import JobRepository
from batchrun.testing.memory_repository import MemoryJobRepository
from batchrun.testing.repository import JobRepositoryContract


class TestMemoryJobRepository(JobRepositoryContract):
    @pytest.fixture
    def open_repository(self) -> Callable[[], JobRepository]:
        repository = MemoryJobRepository()
        return lambda: repository


class SqlContract(JobRepositoryContract):
    @pytest.fixture
    def statement_count(self) -> Iterator[Callable[[], int]]:
        statements: list[str] = []

        def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(Engine, "before_cursor_execute", count)
        yield lambda: len(statements)
        event.remove(Engine, "before_cursor_execute", count)


class TestSqlite(SqlContract):
    @pytest.fixture
    def open_repository(self, tmp_path: Path) -> Callable[[], JobRepository]:
        return lambda: open_sql_repository(f"sqlite:///{tmp_path}/.batchrun/repository.db")


class TestPostgresql(SqlContract):
    @pytest.fixture
    def open_repository(self, fresh_postgres_schema: str) -> Callable[[], JobRepository]:
        return lambda: open_sql_repository(fresh_postgres_schema)
