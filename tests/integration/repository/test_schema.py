"""The tables: made once by whoever comes first, equal by migrations, refused where they are of another version."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from batchrun.domain.parameters import RUN_ID
from batchrun.domain.position import FlowPosition
from batchrun.errors import RepositoryVersionError
from batchrun.repository import look, open_repository, schema, upgrade
from batchrun.repository.schema import EXPECTED_VERSION
from batchrun.repository.tables import metadata, version
from batchrun.testing.repository.parts import number, request, typed_request


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def opened_id(url: str) -> str:
    with closing(open_repository(url)) as repository:
        return repository.id


def _parts(sql: str) -> set[str]:
    """Returns the definitions of a table; SQLite adds a column's at the end of the last line, before the bracket."""
    lines = (line.strip(" \t,)") for line in sql.split("\n"))
    return {part.strip(" )") for line in lines for part in re.split(r", (?=\w+ [A-Z]+(?:,|$))", line)} - {""}


def structure(connection: Connection) -> dict[str, object]:
    """Describes all tables as the database sees them, with the conditions of indexes."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {name: _parts(sql) for name, sql in rows}
    found = inspect(connection)
    described: dict[str, object] = {
        name: (
            [str(column) for column in found.get_columns(name)],
            found.get_pk_constraint(name),
            sorted(map(str, found.get_foreign_keys(name))),
            found.get_unique_constraints(name),
        )
        for name in found.get_table_names()
        if name != version.name
    }
    indexes = connection.execute(
        text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> :version"),
        {"version": version.name},
    )
    return described | {row.indexname: row.indexdef for row in indexes}


@pytest.mark.filterwarnings("ignore:.*expression-based index")  # the next test compares these too
def test_migrations_make_what_the_tables_declare(repository_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    upgrade(repository_url)
    with connected(repository_url) as connection:
        options = {"version_table": version.name, "compare_type": True, "compare_server_default": True}
        migration = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(migration, metadata) == []


def test_the_first_use_makes_what_migrations_make(repository_url: str) -> None:
    opened_id(repository_url)
    with connected(repository_url) as connection:
        made = structure(connection)
        for name in (version.name, *(table.name for table in reversed(metadata.sorted_tables))):
            connection.execute(text(f"DROP TABLE {name}"))
    upgrade(repository_url)
    with connected(repository_url) as connection:
        migrated = structure(connection)
    for tables in (made, migrated):
        tables.pop(version.name, None)
    assert made == migrated


def test_the_newest_migration_is_the_expected_version() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "batchrun.repository:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [EXPECTED_VERSION]


def test_an_upgrade_keeps_the_id_and_can_be_repeated(repository_url: str) -> None:
    made = opened_id(repository_url)
    upgrade(repository_url)
    upgrade(repository_url)
    assert opened_id(repository_url) == made


def test_an_upgrade_from_each_version_keeps_what_there_is(repository_url: str) -> None:
    """Only the columns that came later are gone from the tables of the first version."""
    made = opened_id(repository_url)
    with closing(open_repository(repository_url)) as repository:
        execution = repository.begin(request(day="1"))
        for run_id in (7, 2**90):
            repository.begin(typed_request(number(RUN_ID, run_id)))
    with connected(repository_url) as connection:
        connection.execute(text("DROP TABLE job_counter"))
        for index in (
            "ix_job_execution_parent_step_id",
            "ix_job_execution_job_name_status_id",
            "ix_job_execution_created_at_id",
            "ix_job_parameter_name_value",
            "uq_job_instance_origin",
        ):
            connection.execute(text(f"DROP INDEX {index}"))
        for table, columns in {
            "job_execution": ("stop_requested_at", "context", "parent_step_id"),
            "job_instance": ("origin_repository_id", "origin_instance_id", "exported_at"),
            "step_execution": ("number", "times"),
        }.items():
            for column in columns:
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE job_execution RENAME COLUMN flow_position TO flow_path"))
        connection.execute(text("""UPDATE job_execution SET flow_path = '["a","b","a","c"]'"""))
        connection.execute(version.update().values(version_num="0001"))
    assert look(repository_url).found == "0001"
    upgrade(repository_url)
    assert look(repository_url).found == EXPECTED_VERSION
    assert opened_id(repository_url) == made
    with closing(open_repository(repository_url)) as repository:
        found = repository.find_execution(execution.id)
        assert (found.id, found.token, found.created_at) == (execution.id, execution.token, execution.created_at)
        assert found.flow == FlowPosition().enter("a").enter("b").enter("a").enter("c")
        assert not repository.is_stop_requested(execution)
        assert repository.begin(replace(request(), next_run=True)).parameters.run_id == 8


def test_looking_makes_nothing(repository_url: str) -> None:
    assert look(repository_url).found is None
    assert look(repository_url).found is None
    opened_id(repository_url)
    assert look(repository_url).found == look(repository_url).expected == EXPECTED_VERSION


def test_an_upgrade_makes_a_repository_that_is_ready(repository_url: str) -> None:
    upgrade(repository_url)
    assert opened_id(repository_url) == opened_id(repository_url)


def test_a_repository_that_another_process_is_making_is_used(
    repository_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opened_id(repository_url)
    monkeypatch.setattr(schema, "_read", lambda database: (EXPECTED_VERSION, None))  # made between two questions
    assert opened_id(repository_url) == made


def _set_version(url: str, number: str) -> None:
    opened_id(url)
    with connected(url) as connection:
        connection.execute(version.update().values(version_num=number))


@pytest.mark.parametrize("use", [open_repository, upgrade])
def test_newer_tables_are_refused(repository_url: str, use: object) -> None:
    _set_version(repository_url, "0999")
    with pytest.raises(
        RepositoryVersionError, match=f"has schema version 0999, this batchrun needs {EXPECTED_VERSION}"
    ) as refused:
        use(repository_url)  # type: ignore[operator]
    assert refused.value.hint == "upgrade batchrun: pip install --upgrade batchrun-cli"


def test_older_tables_in_postgresql_wait_for_an_upgrade(fresh_postgres_database: str) -> None:
    _set_version(fresh_postgres_database, "0000")
    with pytest.raises(RepositoryVersionError, match="has schema version 0000") as refused:
        open_repository(fresh_postgres_database)
    assert refused.value.hint == "batchrun db upgrade"


def test_tables_of_somebody_else_are_left_alone(repository_url: str) -> None:
    if repository_url.startswith("sqlite"):
        opened_id(repository_url.replace("repository.db", "other.db"))  # makes the folder
    with connected(repository_url) as connection:
        connection.execute(text("CREATE TABLE job_instance (name text)"))
    with pytest.raises(RepositoryVersionError, match=r"'job_instance' is there, but not made by batchrun") as refused:
        open_repository(repository_url)
    assert refused.value.hint == "give the repository a database, or a PostgreSQL schema, of its own"
    with connected(repository_url) as connection:
        assert inspect(connection).get_table_names() == ["job_instance"]


def test_other_tables_may_stand_beside_the_repository(repository_url: str) -> None:
    if repository_url.startswith("sqlite"):
        opened_id(repository_url.replace("repository.db", "other.db"))
    with connected(repository_url) as connection:
        connection.execute(text("CREATE TABLE trades (id integer)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
    assert opened_id(repository_url)


_OPEN = """
import sys
from batchrun.repository import open_repository
before = {"sqlalchemy", "psycopg"} & set(sys.modules)
open_repository(sys.argv[1]).close()
print(sorted(before), "alembic" in sys.modules, "psycopg" in sys.modules)
"""


def test_a_repository_is_opened_without_alembic(sqlite_url: str) -> None:
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", _OPEN, sqlite_url], capture_output=True, text=True, check=True)
        assert done.stdout == "[] False False\n"


def test_the_file_of_sqlite_is_in_wal_mode(sqlite_url: str) -> None:
    opened_id(sqlite_url)
    with connected(sqlite_url) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
