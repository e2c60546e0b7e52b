"""CSV → SQLite, no processor."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, sqlite3_import
from benchmarks.place import check_sqlite, csv_reader, sqlite_lineitem_table

JOB = f"""\
parameters: {{input: {{type: path}}, target: {{type: string}}}}
databases: {{target: "${{params.target}}"}}
steps:
  - name: load
    chunk: 10000
    reader: {csv_reader()}
    writer: {{type: table, database: target, table: lineitem}}
"""

CONTEST = Contest(
    title="CSV → SQLite, no processor",
    contenders=[
        sqlite3_import(),
        batchrun("load", JOB, {"input": "{lineitem}", "target": "sqlite:///{sqlite}"}),
    ],
    prepare=sqlite_lineitem_table,
    check=check_sqlite,
    aims=[Aim("sqlite3 .import", 0.55)],
)
