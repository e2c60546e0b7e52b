"""Loads executions by their ids, whole."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from batchrun.domain.execution import JobExecution
from batchrun.repository import rows, statements


def load(connection: Connection, ids: Sequence[int]) -> list[JobExecution]:
    """Returns the executions of these ids, a few hundred at most, with parameters and steps, newest first."""
    values = {"b_ids": ids}
    return rows.executions_of(
        connection.execute(statements.heads, values).all(),
        connection.execute(statements.parameters, values).all(),
        connection.execute(statements.steps, values).all(),
    )
