"""CSV → PostgreSQL, no processor."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, pgloader, psql, python_loaders, sling, spring
from benchmarks.place import check_postgres, csv_load, lineitem_table

JOB = csv_load()

CONTEST = Contest(
    title="CSV → PostgreSQL, no processor",
    contenders=[
        psql("psql \\copy", "\\copy lineitem FROM '{lineitem}' CSV HEADER"),
        batchrun("load", JOB, {"input": "{lineitem}", "target": "{url}"}),
        pgloader(),
        sling(),
        spring(chunk=1_000),
        spring(chunk=10_000),
        *python_loaders(largest=0.1),
    ],
    prepare=lineitem_table,
    check=check_postgres,
    aims=[Aim("psql \\copy", 1.15, smallest=1), Aim("Spring Batch 6, chunk 10,000", 0.1, of_own_seconds=True)],
)
