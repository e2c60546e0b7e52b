"""The highest `run.id` of each job, which `launch --next` counts up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# Numbers of up to 18 digits fit into the column, whatever somebody has given by hand.
_GIVEN_BY_HAND = """
INSERT INTO job_counter (job_name, run_id)
SELECT job_execution.job_name, max(CAST(job_parameter.value AS BIGINT))
FROM job_parameter JOIN job_execution ON job_execution.id = job_parameter.job_execution_id
WHERE job_parameter.name = 'run.id' AND job_parameter.type = 'integer' AND job_parameter.identifying
AND length(job_parameter.value) <= 18
GROUP BY job_execution.job_name
"""


def upgrade() -> None:
    """Makes the table, and counts the numbers that were given so far."""
    op.create_table(
        "job_counter",
        sa.Column("job_name", sa.Text, nullable=False),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("job_name", name="pk_job_counter"),
    )
    op.execute(_GIVEN_BY_HAND)
