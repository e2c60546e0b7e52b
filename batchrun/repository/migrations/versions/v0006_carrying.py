"""Job instances that are carried between repositories: where they began, and what checkpoints call their steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_INSTANCE = "job_instance"
_ORIGIN = ("origin_repository_id", "origin_instance_id")


def upgrade() -> None:
    """Adds the columns.

    With an index and no constraint: SQLite would need the table made anew for that, and dropping the old one would
    delete all executions with it.
    """
    op.add_column(_INSTANCE, sa.Column("origin_repository_id", sa.Text))
    op.add_column(_INSTANCE, sa.Column("origin_instance_id", sa.BigInteger))
    op.add_column(_INSTANCE, sa.Column("exported_at", sa.DateTime(timezone=True)))
    op.create_index("uq_job_instance_origin", _INSTANCE, list(_ORIGIN), unique=True)
    op.add_column("step_execution", sa.Column("number", sa.BigInteger))
