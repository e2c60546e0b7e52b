"""A repository with a long past, made by a few statements: for what must not become slower with it.

As a program: `python -m tests.support.history URL [EXECUTIONS]`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import closing

from sqlalchemy import Connection, text

from batchrun import __version__
from batchrun.domain.position import FlowPosition
from batchrun.repository import open_repository
from batchrun.repository.database import Database

MANY = 100_000
JOBS = 20
JOB_TEXT = "name: load\n" + "# what a job file says in some forty lines\n" * 40

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :executions) "
_INSTANCES = """
INSERT INTO job_instance (id, job_name, identity, token)
{numbers} SELECT i, 'job-' || (i % :jobs), 'identity ' || i, 1 FROM n
"""
_EXECUTIONS = """
INSERT INTO job_execution (
    id, instance_id, job_name, token, status, exit_code, exit_description, created_at, started_at, ended_at,
    owner_host, owner_pid, owner_boot_id, owner_started_ticks, lease_until_epoch,
    job_file, job_text, job_hash, batchrun_version, flow_position)
{numbers}, e AS (
    SELECT i, CASE WHEN i % 50 = 0 THEN 'FAILED' WHEN i % 51 = 0 THEN 'STOPPED' ELSE 'COMPLETED' END AS status,
        {created} AS created_at FROM n)
SELECT i, i, 'job-' || (i % :jobs), 1, status, status, '', created_at, created_at, created_at,
    'nightbox', 4711, 'boot', 1, 0, '/jobs.d/load.yaml', :job_text, :job_hash, :version, :flow FROM e
"""
_PARAMETERS = """
INSERT INTO job_parameter (job_execution_id, position, name, type, value, identifying)
{numbers} SELECT i, place, 'name' || place, 'string', 'value ' || (i / (1 + 999 * place)), place = 0 FROM n,
    (SELECT 0 AS place UNION ALL SELECT 1) AS places
"""
_STEPS = """
INSERT INTO step_execution (
    job_execution_id, instance_id, step_name, visit, status, exit_code, exit_description, read_count, write_count,
    filter_count, read_skip_count, process_skip_count, write_skip_count, commit_count, rollback_count, checkpoint)
{numbers} SELECT i, i, 'step' || place, 1, 'COMPLETED', 'COMPLETED', '', i, i, 0, 0, 0, 0, 1, 0, :checkpoint FROM n,
    (SELECT 0 AS place UNION ALL SELECT 1) AS places
"""
_CHECKPOINT = '{"run":1,"attempt":1,"sequence":1,"position":{"offset":4711},"contexts":{},"counts":{},"finished":true}'
# One execution for every five minutes, the last of them now.
_CREATED = {
    "sqlite": "strftime('%Y-%m-%d %H\\:%M\\:%S.000000', 'now', '-' || ((:executions - i) * 5) || ' minutes')",
    "postgresql": "now() - ((:executions - i) * 5) * interval '1 minute'",
}


def fill(url: str, executions: int = MANY) -> None:
    """Gives an empty repository so many ended executions, each of an instance of its own, with two steps."""
    open_repository(url).close()
    with closing(Database(url)) as database:
        with database.writing() as connection:
            for statement in (_INSTANCES, _EXECUTIONS, _PARAMETERS, _STEPS):
                _insert(connection, statement, executions)
            if not database.is_sqlite:
                _go_on_counting(connection, executions)
        if not database.is_sqlite:
            _analyze(database)


def _insert(connection: Connection, statement: str, executions: int) -> None:
    sql = statement.format(numbers=_NUMBERS, created=_CREATED[connection.dialect.name])
    values = {
        "executions": executions,
        "jobs": JOBS,
        "job_text": JOB_TEXT,
        "job_hash": hashlib.sha256(JOB_TEXT.encode()).hexdigest(),
        "version": __version__,
        "flow": json.dumps(FlowPosition().as_dict()),
        "checkpoint": _CHECKPOINT,
    }
    bound = text(sql)
    connection.execute(bound, {name: value for name, value in values.items() if name in bound.compile().params})


def _go_on_counting(connection: Connection, executions: int) -> None:
    for table in ("job_instance", "job_execution"):
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        connection.execute(text(f"SELECT setval({sequence}, :executions)"), {"executions": executions})


def _analyze(database: Database) -> None:
    """Does what the server would soon do by itself."""
    with database.writing() as connection:
        connection.execute(text("ANALYZE"))


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else MANY)
