"""PostgreSQL → CSV."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.contests.postgres_to_postgres import prepare
from benchmarks.peers import batchrun, psql
from benchmarks.place import KEY, Place

JOB = f"""\
parameters: {{source: {{type: string}}}}
databases: {{source: "${{params.source}}"}}
steps:
  - name: write
    chunk: 10000
    reader: {{type: query, database: source, query: "SELECT * FROM source", key: [{", ".join(KEY)}]}}
    writer: {{type: csv, path: written.csv}}
"""


def _prepare(place: Place) -> None:
    prepare(place)
    (place.folder / "written.csv").unlink(missing_ok=True)


def _check(place: Place) -> None:
    import polars as pl

    def sums(path: object) -> tuple[object, ...]:
        lines = pl.scan_csv(path, infer_schema_length=100)  # type: ignore[arg-type]
        columns = [pl.len(), pl.col("l_orderkey").sum(), pl.col("l_comment").str.len_chars().sum()]
        return lines.select(*columns, pl.col("l_shipdate").max()).collect().row(0)

    assert sums(place.folder / "written.csv") == sums(place.lineitem)


CONTEST = Contest(
    title="PostgreSQL → CSV",
    contenders=[
        psql("psql \\copy … TO", "\\copy source TO '{folder}/written.csv' CSV HEADER"),
        batchrun("write", JOB, {"source": "{url}"}),
    ],
    prepare=_prepare,
    check=_check,
    aims=[Aim("psql \\copy … TO", 1.3, smallest=1)],
)
