"""The repository's tables as this batchrun knows them; `migrations` makes them out of older ones.

Change a table here and in a new migration, and raise `schema.EXPECTED_VERSION`; a test holds the two equal.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    literal_column,
    text,
)

from batchrun.domain.status import BatchStatus
from batchrun.repository.columns import Id, Json, Prose, StatusName, UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_RUNNING = ", ".join(f"'{status.name}'" for status in BatchStatus if status.is_running)
is_running = text(f"status IN ({_RUNNING})")
"""Whether a job or step execution is running; a literal, since the partial index needs one, and it saves binding."""

INDEXED_CHARACTERS = 100
value_start: ColumnClause[str] = literal_column(f"substr(value, 1, {INDEXED_CHARACTERS})", Text)
"""The start of a parameter's value, which is as much of it as an index of PostgreSQL takes for sure."""

repository = Table(
    "repository",
    metadata,
    Column("id", Text, primary_key=True),
)

job_instance = Table(
    "job_instance",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_name", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("origin_repository_id", Text),  # of an instance that has been carried here: where it began
    Column("origin_instance_id", BigInteger),
    Column("exported_at", UtcDateTime),
    UniqueConstraint("job_name", "identity"),
    Index("uq_job_instance_origin", "origin_repository_id", "origin_instance_id", unique=True),
)

running_index = Index("uq_job_execution_running", "instance_id", unique=True)
job_counter = Table(
    "job_counter",
    metadata,
    Column("job_name", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),  # the highest that the job has had, also after a purge
)

job_execution = Table(
    "job_execution",
    metadata,
    Column("id", Id, primary_key=True),
    Column("instance_id", Id, ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False),
    Column("job_name", Text, nullable=False),  # the instance's, so that the history of a job is one walk of an index
    Column("token", BigInteger, nullable=False),
    Column("status", StatusName, nullable=False),
    Column("exit_code", Prose, nullable=False),
    Column("exit_description", Prose, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("owner_host", Text, nullable=False),
    Column("owner_pid", BigInteger, nullable=False),
    Column("owner_boot_id", Text, nullable=False),
    Column("owner_started_ticks", BigInteger, nullable=False),
    Column("lease_until_epoch", Double, nullable=False),
    Column("restart_of", Id, ForeignKey("job_execution.id", ondelete="SET NULL"), index=True),
    Column("job_file", Prose, nullable=False),
    Column("job_text", Prose, nullable=False),
    Column("job_hash", Text, nullable=False),
    Column("batchrun_version", Text, nullable=False),
    Column("flow_position", Json, nullable=False),
    Column("stop_requested_at", UtcDateTime),
    Column("context", Json),
    # Of no foreign key: with that of step_execution to here it would be a circle.
    Column("parent_step_id", Id, index=True),
    Index("ix_job_execution_instance_id_id", "instance_id", "id"),
    Index("ix_job_execution_job_name_id", "job_name", "id"),
    Index("ix_job_execution_job_name_status_id", "job_name", "status", "id"),
    Index("ix_job_execution_status_id", "status", "id"),
    Index("ix_job_execution_created_at_id", "created_at", "id"),
    running_index,
)

job_parameter = Table(
    "job_parameter",
    metadata,
    Column("job_execution_id", Id, ForeignKey("job_execution.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("value", Text),
    Column("identifying", Boolean, nullable=False),
    Index("ix_job_parameter_name_value", "name", value_start, "job_execution_id"),
)

step_execution = Table(
    "step_execution",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_execution_id", Id, ForeignKey("job_execution.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("instance_id", Id, ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False),
    Column("parent_id", Id, ForeignKey("step_execution.id", ondelete="CASCADE"), index=True),
    Column("step_name", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("status", StatusName, nullable=False),
    Column("exit_code", Prose, nullable=False),
    Column("exit_description", Prose, nullable=False),
    Column("read_count", BigInteger, nullable=False),
    Column("write_count", BigInteger, nullable=False),
    Column("filter_count", BigInteger, nullable=False),
    Column("read_skip_count", BigInteger, nullable=False),
    Column("process_skip_count", BigInteger, nullable=False),
    Column("write_skip_count", BigInteger, nullable=False),
    Column("commit_count", BigInteger, nullable=False),
    Column("rollback_count", BigInteger, nullable=False),
    Column("checkpoint", Json, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("number", BigInteger),  # what checkpoints call it; null where that is its id
    Column("times", Json),
    Index("ix_step_execution_instance_id_step_name_id", "instance_id", "step_name", "id"),
)


@event.listens_for(metadata, "before_create")
def _say_what_a_dialect_needs(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    """Makes the index of running executions a partial one, and has SQLite never give an id twice, after a purge either.

    Said any earlier, either would import dialects that no connection needs.
    """
    running_index.dialect_kwargs[f"{connection.dialect.name}_where"] = is_running
    if connection.dialect.name == "sqlite":
        for table in (job_instance, job_execution, step_execution):
            table.dialect_kwargs["sqlite_autoincrement"] = True


# Of its own MetaData: Alembic keeps the version table itself and would else propose to make it.
version = Table("batchrun_version", MetaData(), Column("version_num", Text, primary_key=True))
