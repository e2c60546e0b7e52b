"""The request to stop, which anybody may write and the owner reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("job_execution", sa.Column("stop_requested_at", sa.DateTime(timezone=True)))
