"""pandas: a query in pieces of 100,000 rows, into Parquet by pyarrow."""

import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import sqlalchemy as sa

url, written = sys.argv[1:3]
engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
writer = None
with engine.connect().execution_options(stream_results=True) as connection:
    for frame in pd.read_sql(sa.text("SELECT * FROM source"), connection, chunksize=100_000):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pyarrow.parquet.ParquetWriter(written, table.schema, compression="zstd")
        writer.write_table(table)
if writer is not None:
    writer.close()
