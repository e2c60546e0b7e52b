"""polars: the file in batches, each written by ADBC, decimals as floats: ADBC writes none into a column of numbers."""

import sys

import polars as pl
from adbc_driver_postgresql import dbapi
from lineitem import DATES, DECIMALS

path, url = sys.argv[1:3]
types = {**dict.fromkeys(DECIMALS, pl.Float64), **dict.fromkeys(DATES, pl.Date)}
batches = pl.scan_csv(path, schema_overrides=types).collect_batches(chunk_size=100_000)
with dbapi.connect(url) as connection:
    for number, frame in enumerate(batches):
        exists = "append" if number else "replace"
        frame.write_database("lineitem_peer", connection, if_table_exists=exists, engine="adbc")
    connection.commit()
