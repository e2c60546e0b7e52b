"""Where the time of a step went, by phase."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("step_execution", sa.Column("times", sa.Text))
