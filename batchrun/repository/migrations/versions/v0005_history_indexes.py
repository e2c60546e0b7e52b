"""The indexes that a history's filters walk: by job and status at once, by time, and by parameter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the indexes."""
    op.create_index("ix_job_execution_job_name_status_id", "job_execution", ["job_name", "status", "id"])
    op.create_index("ix_job_execution_created_at_id", "job_execution", ["created_at", "id"])
    value = sa.text("substr(value, 1, 100)")
    op.create_index("ix_job_parameter_name_value", "job_parameter", ["name", value, "job_execution_id"])
