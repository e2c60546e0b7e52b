"""SQLite → PostgreSQL, a table's rows by their key."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from benchmarks.contest import Contest
from benchmarks.peers import batchrun, shell
from benchmarks.place import COLUMNS, KEY, Place, check_postgres, lineitem_table

JOB = f"""\
parameters: {{source: {{type: string}}, target: {{type: string}}}}
databases: {{source: "${{params.source}}", target: "${{params.target}}"}}
steps:
  - name: copy
    chunk: 10000
    reader:
      type: query
      database: source
      query: SELECT * FROM lineitem
      key: [{", ".join(KEY)}]
      columns: {{l_shipdate: date, l_commitdate: date, l_receiptdate: date}}
    writer: {{type: table, database: target, table: lineitem}}
"""


def _source(place: Place, path: Path) -> None:
    lines = ", ".join(f"{name} {kind}" for name, (_, _, kind) in COLUMNS.items())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE lineitem ({lines}, PRIMARY KEY ({', '.join(KEY)}))")
    command = f'.import --csv --skip 1 "{place.lineitem}" lineitem'
    subprocess.run(["sqlite3", path, command], check=True)


def _prepare(place: Place) -> None:
    place.made("source.db", lambda path: _source(place, path))
    lineitem_table(place)


CONTEST = Contest(
    title="SQLite → PostgreSQL",
    contenders=[
        shell(
            "sqlite3 -csv | COPY … FROM STDIN",
            'sqlite3 -csv "{data}/source.db" "SELECT * FROM lineitem" | '
            'psql -qX "{url}" -c "COPY lineitem FROM STDIN CSV"',
            "sqlite3",
            "psql",
        ),
        batchrun("copy", JOB, {"source": "sqlite:///{data}/source.db", "target": "{url}"}),
    ],
    prepare=_prepare,
    check=check_postgres,
)
