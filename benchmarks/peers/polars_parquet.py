"""polars: the CSV file streamed into Parquet, with types declared as batchrun's are."""

import sys

import polars as pl
from lineitem import DATES, DECIMALS

path, written = sys.argv[1:3]
types = {**dict.fromkeys(DECIMALS, pl.Decimal(15, 2)), **dict.fromkeys(DATES, pl.Date)}
pl.scan_csv(path, schema_overrides=types).sink_parquet(written, compression="zstd")
