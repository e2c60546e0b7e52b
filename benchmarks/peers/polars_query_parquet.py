"""polars: a query by ADBC, all of it in memory, into Parquet; decimals as floats: ADBC reads them as texts."""

import sys

import polars as pl
from lineitem import COLUMNS, DECIMALS

url, written = sys.argv[1:3]
selected = ", ".join(f"CAST({name} AS double precision) AS {name}" if name in DECIMALS else name for name in COLUMNS)
pl.read_database_uri(f"SELECT {selected} FROM source", url, engine="adbc").write_parquet(written, compression="zstd")
