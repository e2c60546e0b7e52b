"""ADBC and pyarrow: a query's record batches into Parquet, decimals as floats: ADBC reads them as texts."""

import sys

import pyarrow.parquet
from adbc_driver_postgresql import dbapi
from lineitem import COLUMNS, DECIMALS

url, written = sys.argv[1:3]
selected = ", ".join(f"CAST({name} AS double precision) AS {name}" if name in DECIMALS else name for name in COLUMNS)
with dbapi.connect(url) as connection, connection.cursor() as cursor:
    cursor.execute(f"SELECT {selected} FROM source")
    batches = cursor.fetch_record_batch()
    with pyarrow.parquet.ParquetWriter(written, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
