"""The first version: instances, executions, parameters and steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_IS_RUNNING = sa.text("status IN ('STARTING', 'STARTED', 'STOPPING')")


def upgrade() -> None:
    """Makes the tables."""
    _make_repository()
    _make_job_instance()
    _make_job_execution()
    _make_job_parameter()
    _make_step_execution()


def _make_repository() -> None:
    op.create_table(
        "repository",
        sa.Column("id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repository"),
    )


def _make_job_instance() -> None:
    op.create_table(
        "job_instance",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_name", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_instance"),
        sa.UniqueConstraint("job_name", "identity", name="uq_job_instance_job_name_identity"),
        sqlite_autoincrement=True,
    )


def _make_job_execution() -> None:
    table = "job_execution"
    op.create_table(
        table,
        sa.Column("id", _ID, nullable=False),
        sa.Column("instance_id", _ID, nullable=False),
        sa.Column("job_name", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("exit_code", sa.Text, nullable=False),
        sa.Column("exit_description", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("owner_host", sa.Text, nullable=False),
        sa.Column("owner_pid", sa.BigInteger, nullable=False),
        sa.Column("owner_boot_id", sa.Text, nullable=False),
        sa.Column("owner_started_ticks", sa.BigInteger, nullable=False),
        sa.Column("lease_until_epoch", sa.Double, nullable=False),
        sa.Column("restart_of", _ID),
        sa.Column("job_file", sa.Text, nullable=False),
        sa.Column("job_text", sa.Text, nullable=False),
        sa.Column("job_hash", sa.Text, nullable=False),
        sa.Column("batchrun_version", sa.Text, nullable=False),
        sa.Column("flow_path", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_execution"),
        _reference(table, "instance_id", "job_instance", "CASCADE"),
        _reference(table, "restart_of", "job_execution", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_execution_restart_of", table, ["restart_of"])
    op.create_index("ix_job_execution_instance_id_id", table, ["instance_id", "id"])
    op.create_index("ix_job_execution_job_name_id", table, ["job_name", "id"])
    op.create_index("ix_job_execution_status_id", table, ["status", "id"])
    op.create_index(
        "uq_job_execution_running",
        table,
        ["instance_id"],
        unique=True,
        sqlite_where=_IS_RUNNING,
        postgresql_where=_IS_RUNNING,
    )


def _make_job_parameter() -> None:
    table = "job_parameter"
    op.create_table(
        table,
        sa.Column("job_execution_id", _ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("identifying", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("job_execution_id", "position", name="pk_job_parameter"),
        _reference(table, "job_execution_id", "job_execution", "CASCADE"),
    )


def _make_step_execution() -> None:
    table = "step_execution"
    op.create_table(
        table,
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_execution_id", _ID, nullable=False),
        sa.Column("instance_id", _ID, nullable=False),
        sa.Column("parent_id", _ID),
        sa.Column("step_name", sa.Text, nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("exit_code", sa.Text, nullable=False),
        sa.Column("exit_description", sa.Text, nullable=False),
        sa.Column("read_count", sa.BigInteger, nullable=False),
        sa.Column("write_count", sa.BigInteger, nullable=False),
        sa.Column("filter_count", sa.BigInteger, nullable=False),
        sa.Column("read_skip_count", sa.BigInteger, nullable=False),
        sa.Column("process_skip_count", sa.BigInteger, nullable=False),
        sa.Column("write_skip_count", sa.BigInteger, nullable=False),
        sa.Column("commit_count", sa.BigInteger, nullable=False),
        sa.Column("rollback_count", sa.BigInteger, nullable=False),
        sa.Column("checkpoint", sa.Text, nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_step_execution"),
        _reference(table, "job_execution_id", "job_execution", "CASCADE"),
        _reference(table, "instance_id", "job_instance", "CASCADE"),
        _reference(table, "parent_id", "step_execution", "CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_step_execution_job_execution_id", table, ["job_execution_id"])
    op.create_index("ix_step_execution_parent_id", table, ["parent_id"])
    op.create_index("ix_step_execution_instance_id_step_name_id", table, ["instance_id", "step_name", "id"])


def _reference(table: str, column: str, target: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete=on_delete)
