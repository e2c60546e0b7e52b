"""How much a repository holds, by counting; nothing here reads a whole row."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from batchrun.repository import RepositoryContents
from batchrun.repository.database import Database
from batchrun.repository.tables import is_running, job_execution, job_instance, metadata

_COUNTS = select(
    select(func.count()).select_from(job_instance).scalar_subquery(),
    select(func.count()).select_from(job_execution).scalar_subquery(),
    select(func.count()).select_from(job_execution).where(is_running).scalar_subquery(),
    select(func.min(job_execution.c.created_at)).scalar_subquery(),
)


def measure(database: Database) -> RepositoryContents:
    """Counts instances and executions, and adds up what they take on the disk."""
    with database.reading() as connection:
        counts = connection.execute(_COUNTS).one()
        size = sum(file.stat().st_size for file in database.files()) if database.is_sqlite else _size(connection)
    return RepositoryContents(size, *counts)


def _size(connection: Connection) -> int:
    """Returns the size of the tables in PostgreSQL, where the database may hold others too."""
    sizes = (connection.execute(text(f"SELECT pg_total_relation_size('{name}')")) for name in metadata.tables)
    return sum(size.scalar_one() for size in sizes)
