"""CSV → PostgreSQL, upsert on a key of two columns; half of the rows are there before."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, psql, spring
from benchmarks.place import COLUMNS, KEY, Place, check_postgres, copy_into, csv_load, lineitem_table

JOB = csv_load(writer=f", mode: upsert, key: [{', '.join(KEY)}]")
_SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in KEY)


def _prepare(place: Place) -> None:
    lineitem_table(place, key=True)
    half = place.made("half.csv", lambda path: _half(place, path))
    copy_into(place, "lineitem", half)
    place.sql(
        "UPDATE lineitem SET l_comment = 'old' WHERE l_linenumber = 1", "VACUUM FULL ANALYZE lineitem", "CHECKPOINT"
    )


def _half(place: Place, path: object) -> None:
    import polars as pl

    lines = pl.scan_csv(place.lineitem, infer_schema=False)
    lines.filter(pl.col("l_orderkey").cast(pl.Int64) % 2 == 0).sink_csv(path)  # type: ignore[call-overload]


CONTEST = Contest(
    title="CSV → PostgreSQL, upsert on a key, half of it there before",
    contenders=[
        psql(
            "psql \\copy, then INSERT … ON CONFLICT",
            "CREATE UNLOGGED TABLE staging (LIKE lineitem)",
            "\\copy staging FROM '{lineitem}' CSV HEADER",
            f"INSERT INTO lineitem SELECT * FROM staging ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {_SET}",
            "DROP TABLE staging",
        ),
        batchrun("load", JOB, {"input": "{lineitem}", "target": "{url}"}),
        spring(chunk=1_000, mode="upsert", key=",".join(KEY)),
        spring(chunk=10_000, mode="upsert", key=",".join(KEY)),
    ],
    prepare=_prepare,
    check=check_postgres,
    aims=[
        Aim("psql \\copy, then INSERT … ON CONFLICT", 1.3, smallest=1),
        Aim("Spring Batch 6, chunk 10,000", 0.1, of_own_seconds=True),
    ],
)
