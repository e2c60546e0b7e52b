"""CSV → SQLite, no processor."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, printed_seconds, python, sqlite3_import
from benchmarks.place import check_sqlite, csv_load, sqlite_lineitem_table

JOB = csv_load()

CONTEST = Contest(
    title="CSV → SQLite, no processor",
    contenders=[
        sqlite3_import(),
        batchrun("load", JOB, {"input": "{lineitem}", "target": "sqlite:///{sqlite}"}),
        python(
            "the insertion alone (ADBC, a commit for 10,000 rows)",
            "sqlite_insertion.py",
            "{lineitem}",
            "{sqlite}",
            own_seconds=printed_seconds("seconds"),
        ),
    ],
    prepare=sqlite_lineitem_table,
    check=check_sqlite,
    aims=[Aim("sqlite3 .import", 0.55, smallest=1)],
)
