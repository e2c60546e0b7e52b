"""Alembic's entry: runs migrations in the transaction that `schema.migrate` has opened."""

from __future__ import annotations

from alembic import context

from batchrun.repository.tables import metadata, version

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=version.name,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
