"""pyarrow: the CSV file batch by batch into Parquet."""

import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from lineitem import DATES, DECIMALS

path, written = sys.argv[1:3]
types = {**dict.fromkeys(DECIMALS, pa.decimal128(15, 2)), **dict.fromkeys(DATES, pa.date32())}
options = pyarrow.csv.ConvertOptions(column_types=types)
with (
    pyarrow.csv.open_csv(path, convert_options=options) as batches,
    pyarrow.parquet.ParquetWriter(written, batches.schema, compression="zstd") as writer,
):
    for batch in batches:
        writer.write_batch(batch)
