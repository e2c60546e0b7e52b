"""dlt: a resource of frames from the file, loaded by its PostgreSQL destination."""

import os
import sys
import tempfile

import dlt
import polars as pl
from lineitem import DATES

path, url = sys.argv[1:3]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


@dlt.resource(name="lineitem_peer", write_disposition="replace")
def lines():
    types = dict.fromkeys(DATES, pl.Date)
    for frame in pl.scan_csv(path, schema_overrides=types).collect_batches(chunk_size=100_000):
        yield frame.to_arrow()


with tempfile.TemporaryDirectory() as folder:
    pipeline = dlt.pipeline(
        "lineitem",
        pipelines_dir=folder,
        destination=dlt.destinations.postgres(url.replace("@", ":trusted@")),
        dataset_name="public",
    )
    pipeline.run(lines(), loader_file_format="csv")
