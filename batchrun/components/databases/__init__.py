"""Sessions on the databases of a job, one shape for all; nothing here knows readers, writers or the engine."""

from batchrun.components.databases.checkpoint import SessionCheckpointStore
from batchrun.components.databases.connection import connect
from batchrun.components.databases.session import RefusedError, Session, TableName, TableShape
from batchrun.components.databases.statement import Statement

__all__ = ["RefusedError", "Session", "SessionCheckpointStore", "Statement", "TableName", "TableShape", "connect"]
