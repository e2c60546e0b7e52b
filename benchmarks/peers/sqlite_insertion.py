"""ADBC: the insertion alone, a commit for every 10,000 rows; making the rows is left out of its seconds."""

import json
import sys
import time

import polars as pl
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_sqlite import connect
from lineitem import COLUMNS, DECIMALS

path, target = sys.argv[1:3]
INSERT = f"INSERT INTO lineitem VALUES ({', '.join('?' * len(COLUMNS))})"
seconds = 0.0
with connect(f"file:{target}") as database, AdbcConnection(database) as connection:

    def run(sql: str, rows: pl.DataFrame | None = None) -> None:
        with AdbcStatement(connection) as statement:
            statement.set_sql_query(sql)
            if rows is not None:
                statement.prepare()
                statement.bind_stream(rows)
            statement.execute_update()

    run("PRAGMA cache_size = -65536")
    batches = pl.scan_csv(path, schema_overrides=dict.fromkeys(DECIMALS, pl.Float64)).collect_batches(
        chunk_size=100_000
    )
    for batch in batches:
        for frame in batch.iter_slices(10_000):
            began = time.perf_counter()
            run("BEGIN IMMEDIATE")
            run(INSERT, frame)
            run("COMMIT")
            seconds += time.perf_counter() - began
print(json.dumps({"seconds": seconds}))
