"""Flows inside flows, the job's context, and which step launched a job as its child."""

from __future__ import annotations

import json
from itertools import pairwise

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TABLE = "job_execution"


def upgrade() -> None:
    """Turns the path of a flow into a tree of positions, and adds the columns."""
    op.execute(f"ALTER TABLE {_TABLE} RENAME COLUMN flow_path TO flow_position")
    op.add_column(_TABLE, sa.Column("context", sa.Text))
    op.add_column(_TABLE, sa.Column("parent_step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
    op.create_index("ix_job_execution_parent_step_id", _TABLE, ["parent_step_id"])
    _convert_positions()


def _convert_positions() -> None:
    connection = op.get_bind()
    table = sa.table(_TABLE, sa.column("id"), sa.column("flow_position"))
    paths = connection.execute(sa.select(table.c.flow_position).distinct()).scalars().all()
    for path in paths:
        position = json.dumps(_position(json.loads(path)), separators=(",", ":"))
        connection.execute(table.update().where(table.c.flow_position == path).values(flow_position=position))


def _position(path: list[str]) -> dict[str, object]:
    """Returns the position after entering these states in this order."""
    last_entered = {state: place for place, state in enumerate(path)}
    return {
        "path": sorted(last_entered, key=last_entered.__getitem__),
        "visits": {state: path.count(state) for state in last_entered},
        "edges": dict(pairwise(path)),
        "nested": {},
    }
