"""The command `tune`, on a job each of whose chunks costs so much that larger ones are faster in any run.

A step that reads too little is told with how much it has read, after one run: enough to see where it has read it.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.tune.conftest import (
    FEW,
    JOB,
    TABLE,
    assert_no_schema_is_left,
    csv,
    files,
    tried,
    tuned,
    write_job,
)
from tests.support.places import mounted
from tests.support.project import Project


def test_the_chunk_size_that_gains_is_told_as_the_line_to_change(project: Project, target: sqlite3.Connection) -> None:
    del target
    write_job(project)
    before = files(project.folder)
    told = tuned(project, "--output", "json").document
    [step] = told["steps"]
    assert step["items"] == 1_000
    assert step["present"] == {"chunk": 10, "read_ahead": 2}
    assert [each["chunk"] for each in step["chunk"]] == [10, 100, 200, 500]
    assert all(each["items_per_second"] > 0 and each["times"]["process"] > 0 for each in step["chunk"])
    size = step["recommended"]["chunk"]
    assert size in (100, 200, 500)
    assert next(each for each in told["changes"] if "chunk" in each["new"]) == {
        "file": str(project.folder / "jobs.d" / "load.yaml"),
        "line": 8,
        "old": "chunk: 10",
        "new": f"chunk: {size}",
        "by_hand": False,
    }
    assert told["written"] is False
    assert files(project.folder) == before


def test_tables_of_postgresql_have_their_constraints_and_what_is_written_to_the_file_validates(
    project: Project, fresh_postgres_database: str
) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE names (name text PRIMARY KEY)")
        connection.execute("INSERT INTO names SELECT 'name ' || n FROM generate_series(0, 5000) n")
        connection.execute("CREATE TABLE rows (id int PRIMARY KEY, name text REFERENCES names)")
        connection.execute("INSERT INTO rows VALUES (1, 'name 1')")
        path = write_job(project, database=fresh_postgres_database)
        before = path.read_text()
        ended = tuned(project, "--write")
        assert connection.execute("SELECT * FROM rows").fetchall() == [(1, "name 1")]
        assert_no_schema_is_left(connection)
    assert "load: 1,000 items a run; chunk 10, 100, 200, 500; then read_ahead" in ended.err
    assert "tables copied with all their rows: names" in ended.out
    [size] = re.findall(r"jobs\.d/load\.yaml:8: chunk: 10 → chunk: (\d+)", ended.out)
    lines = [line for line in path.read_text().splitlines() if "read_ahead" not in line]
    assert lines == before.replace("chunk: 10", f"chunk: {size}").splitlines()
    project.batchrun("validate", "load")
    assert not list(project.folder.rglob("*.db"))


def test_what_was_measured_is_told_where_the_change_cannot_be_written(
    project: Project, target: sqlite3.Connection
) -> None:
    text = (JOB % {"database": "sqlite:///target.db", "before": "", "writer": TABLE}).replace(
        "chunk: 10", "chunk: &c 10"
    )
    text += (
        "  - name: again\n    chunk: *c\n    reader: {type: csv, path: in.csv}\n    writer: {type: csv, path: o.csv}\n"
    )
    job = project.write("jobs.d/load.yaml", text)
    ended = tuned(project, "--write", "--step", "load", expect=2)
    assert ": chunk: &c 10 → chunk: &c " in ended.out
    assert "(by hand: it stands for other steps too)" in ended.out
    assert "this can only be changed by hand: chunk: &c " in ended.err
    assert job.read_text() == text


def test_the_repository_of_a_measurement_is_of_the_kind_of_the_real_one(
    project: Project, target: sqlite3.Connection, fresh_postgres_database: str
) -> None:
    import psycopg

    del target
    write_job(project)
    assert f"load: it reads {FEW} items" in tried(project, "--repository", fresh_postgres_database)
    with psycopg.connect(fresh_postgres_database) as connection:
        assert_no_schema_is_left(connection)


def test_nothing_is_left_beside_a_target_with_a_write_ahead_log(project: Project) -> None:
    with closing(sqlite3.connect(project.folder / "target.db")) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT)")
    write_job(project)
    project.write("in.csv", csv(FEW))
    before = files(project.folder)
    tuned(project, expect=2)
    assert files(project.folder) == before


def test_a_write_ahead_log_with_rows_is_left_as_it_is(project: Project) -> None:
    with closing(sqlite3.connect(project.folder / "target.db")) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT)")
        connection.commit()
        write_job(project)
        project.write("in.csv", csv(FEW))
        found = [(project.folder / name).read_bytes() for name in ("target.db", "target.db-wal")]
        assert f"load: it reads {FEW} items" in tuned(project, expect=2).err
        assert [(project.folder / name).read_bytes() for name in ("target.db", "target.db-wal")] == found


def test_a_query_that_changes_something_of_postgresql_is_not_run(project: Project, fresh_postgres_schema: str) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_schema, autocommit=True) as connection:
        connection.execute("CREATE TABLE log (text text)")
        connection.execute("CREATE TABLE given (id int PRIMARY KEY)")
        connection.execute("INSERT INTO given SELECT generate_series(1, 500)")
        connection.execute(
            "CREATE FUNCTION logged() RETURNS text LANGUAGE sql AS 'INSERT INTO log VALUES (1) RETURNING text'"
        )
        reader = '{type: query, database: target, query: "SELECT id, logged() AS name FROM given", key: [id]}'
        path = write_job(project, database=fresh_postgres_schema, writer="{type: csv, path: out.csv}")
        text = re.sub(r"reader: .*", lambda _: f"reader: {reader}", path.read_text())
        path.write_text(text)
        assert "read-only transaction" in tuned(project, expect=2).err
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (0,)


PREPARING = """\
  - name: prepare
    tasklet: {type: sql, database: target, statement: "CREATE TABLE staging (id INTEGER, name TEXT)"}
  - name: stage
    reader: {type: csv, path: "${params.input}", columns: {id: integer, name: string}}
    writer: {type: table, database: target, table: staging}
"""


def test_a_step_reads_what_earlier_ones_have_prepared_in_the_same_run(
    project: Project, target: sqlite3.Connection
) -> None:
    job = JOB.replace(
        'reader: {type: csv, path: "${params.input}", columns: {id: integer, name: string}}\n    processors',
        'reader: {type: query, database: target, query: "SELECT * FROM staging", key: [id]}\n    processors',
    )
    project.write("jobs.d/load.yaml", job % {"database": "sqlite:///target.db", "before": PREPARING, "writer": TABLE})
    assert f"load: it reads {FEW} items" in tried(project, "--step", "load")
    assert target.execute("SELECT count(*) FROM rows").fetchone() == (1,)
    assert not target.execute("SELECT * FROM sqlite_master WHERE name = 'staging'").fetchall()
    assert f"stage: it reads {FEW} items, too few to be measured; load: it reads {FEW} items" in tried(project)


def test_rows_that_are_updated_are_there(project: Project, target: sqlite3.Connection) -> None:
    target.execute("CREATE TRIGGER seen AFTER UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'it was there'); END")
    write_job(project, writer="{type: table, database: target, table: rows, mode: upsert, key: [id]}")
    assert "it was there" in tried(project)


def test_a_source_in_the_target_database_is_read_where_it_is(project: Project, target: sqlite3.Connection) -> None:
    target.executescript(
        "CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT);"
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FEW})"
        "INSERT INTO source SELECT i, 'x' FROM n"
    )
    job = JOB.replace(
        'reader: {type: csv, path: "${params.input}", columns: {id: integer, name: string}}',
        'reader: {type: query, database: target, query: "SELECT * FROM source", key: [id]}',
    )
    project.write("jobs.d/load.yaml", job % {"database": "sqlite:///target.db", "before": "", "writer": TABLE})
    assert f"load: it reads {FEW} items" in tried(project)


READING = """\
import sqlite3

from batchrun.components.readers.query import QueryItemReader, SPEC


class Marking(QueryItemReader):
    spec = SPEC

    def open(self, position):
        with sqlite3.connect(self._database.url.removeprefix("sqlite:///")) as connection:
            connection.execute("INSERT INTO log VALUES ('read')")
        connection.close()
        return super().open(position)
"""


def test_a_reader_of_ones_own_that_writes_does_so_to_a_copy(project: Project, target: sqlite3.Connection) -> None:
    target.executescript(
        "CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT);"
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FEW})"
        "INSERT INTO source SELECT i, 'x' FROM n"
    )
    project.write("jobs.d/reading.py", READING)
    job = JOB.replace(
        'reader: {type: csv, path: "${params.input}", columns: {id: integer, name: string}}',
        'reader: {type: "reading:Marking", database: target, query: "SELECT * FROM source", key: [id]}',
    )
    project.write("jobs.d/load.yaml", job % {"database": "sqlite:///target.db", "before": "", "writer": TABLE})
    assert f"load: it reads {FEW} items" in tried(project)
    assert target.execute("SELECT count(*) FROM log").fetchone() == (0,)


def test_files_are_written_to_copies(project: Project) -> None:
    project.write("out/rows.csv", "kept")
    write_job(project, writer="{type: csv, path: out/rows.csv}")
    assert f"load: it reads {FEW} items" in tried(project)
    assert (project.folder / "out" / "rows.csv").read_text() == "kept"
    assert [each.name for each in (project.folder / "out").iterdir()] == ["rows.csv"]


def test_copies_lie_on_the_file_system_of_the_project(
    project: Project, target: sqlite3.Connection, tmp_path: Path
) -> None:
    del target
    project.write("in.csv", csv(FEW))
    write_job(project)
    with mounted(tmp_path / "disk", 64 << 10) as disk:  # too small for them
        ended = project.batchrun("tune", "load", "input=in.csv", expect=2, TMPDIR=str(disk.path))
        assert f"load: it reads {FEW} items" in ended.err
    assert not (project.folder / ".batchrun").exists()


def test_a_policy_of_its_own_sizes_the_chunks_and_the_read_ahead_alone_is_measured(
    project: Project, target: sqlite3.Connection
) -> None:
    del target
    project.write(
        "jobs.d/policies.py",
        "class ByHundreds:\n    def more(self, count, last, elapsed):\n        return 100 - count\n",
    )
    path = write_job(project)
    path.write_text(path.read_text().replace("chunk: 10", 'chunk: {policy: "policies:ByHundreds"} '))
    [step] = tuned(project, "--output", "json").document["steps"]
    assert (step["present"], step["chunk"]) == ({"chunk": None, "read_ahead": 2}, [])
    assert [each["read_ahead"] for each in step["read_ahead"]] == [0, 1, 2, 4]


def test_a_missing_parameter_ends_it_as_a_launch(project: Project) -> None:
    write_job(project)
    ended = project.batchrun("tune", "load", expect=5)
    assert ended.err == project.batchrun("launch", "load", expect=5).err


def test_a_wrong_option_that_a_parameter_brings_is_told_with_its_line(project: Project) -> None:
    path = write_job(project)
    path.write_text(path.read_text().replace("type: csv, path", 'type: csv, delimiter: "${params.input}", path'))
    ended = project.batchrun("tune", "load", "input=in.csv", expect=5)
    assert ended.err.startswith("jobs.d/load.yaml:9:")


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        ("lod", "the job has no step 'lod'", "did you mean 'load'?"),
        ("clear", "step 'clear' is of kind tasklet, and only chunk steps are measured", "its chunk steps: load"),
    ],
)
def test_a_step_that_is_none_to_measure_is_refused(project: Project, step: str, message: str, hint: str) -> None:
    before = '  - name: clear\n    tasklet: {type: sql, database: target, statement: "DELETE FROM rows"}\n'
    write_job(project, before=before)
    ended = project.batchrun("tune", "load", "input=in.csv", "--step", step, expect=2)
    assert ended.err.splitlines() == [f"error: {message}", f"hint: {hint}"]


def test_what_cannot_be_held_to_copies_is_refused_with_its_reason(project: Project) -> None:
    write_job(project, before="  - name: fetch\n    tasklet: {type: http, url: 'http://127.0.0.1:1/'}\n")
    ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
    assert "load: step 'fetch' before it acts outside of copies (http)" in ended.err
    assert "--with-effects runs such steps all the same" in ended.err


def test_a_writer_of_ones_own_is_refused_unless_effects_are_wanted(project: Project) -> None:
    project.write(
        "jobs.d/own.py",
        "from batchrun.components.writers.csv import CsvItemWriter, SPEC\nclass Own(CsvItemWriter):\n    spec = SPEC\n",
    )
    write_job(project, writer='{type: "own:Own", path: out.csv}')
    ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
    assert "load: writes by own:Own, which may write anywhere" in ended.err
    assert f"load: it reads {FEW} items" in tried(project, "--with-effects")
    assert not (project.folder / "out.csv").exists()


def test_a_target_that_cannot_be_copied_is_refused(project: Project) -> None:
    write_job(project, database="mysql://host/target")
    ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
    assert "load: writes to a database that cannot be copied (mysql)" in ended.err


def test_an_output_outside_of_the_project_is_refused_and_stays(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "kept.csv"
    outside.write_text("kept")
    write_job(project, writer=f"{{type: csv, path: {outside}}}")
    ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
    assert "would work on" in ended.err
    assert outside.read_text() == "kept"


def test_a_table_named_with_the_schema_of_the_original_is_refused(project: Project, fresh_postgres_schema: str) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_schema, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (id int, name text)")
        [schema] = connection.execute("SELECT current_schema()").fetchone() or [""]
        writer = f"{{type: table, database: target, table: {schema}.rows}}"
        write_job(project, database=fresh_postgres_schema, writer=writer)
        ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
        assert f"names schema '{schema}' of the original" in ended.err
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (0,)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SET search_path TO {schema}", "sets the schema, in which the originals may be"),
        ("SELECT set_config('search_path', '{schema}', true)", "sets the schema"),
        ("COPY rows TO '/tmp/kept.csv'", "writes to a file of the server"),
        ("COPY (SELECT 1) TO PROGRAM 'cat'", "writes to a file of the server"),
    ],
)
def test_sql_that_leads_past_the_copies_is_refused(
    project: Project, fresh_postgres_schema: str, statement: str, told: str
) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_schema, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (id int, name text)")
        connection.execute("INSERT INTO rows VALUES (1, 'kept')")
        [schema] = connection.execute("SELECT current_schema()").fetchone() or [""]
        sql = f"[{statement.format(schema=schema)!r}, DELETE FROM rows]".replace("\\'", "''")
        before = f"  - name: sql\n    tasklet: {{type: sql, database: target, statement: {sql}}}\n"
        write_job(project, database=fresh_postgres_schema, before=before)
        ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
        assert told in ended.err
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (1,)


def test_a_source_with_too_little_to_measure_is_told(project: Project, target: sqlite3.Connection) -> None:
    del target
    project.write("in.csv", "id,name\n2,x\n")
    write_job(project)
    ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
    assert "nothing of 'load' can be measured: load: it reads 1 items, too few to be measured" in ended.err


def test_a_job_that_fails_is_told_with_its_reason(project: Project, target: sqlite3.Connection) -> None:
    del target
    project.write("in.csv", "id,name\nx,y\n")
    write_job(project)
    ended = project.batchrun("tune", "load", "input=in.csv", expect=2)
    assert "the job fails on copies with a sample of its source" in ended.err
    assert "in.csv:2" in ended.err
