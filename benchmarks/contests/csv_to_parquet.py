"""CSV → Parquet, no processor."""

from __future__ import annotations

from benchmarks.contest import Contest
from benchmarks.peers import batchrun, python
from benchmarks.place import Place, check_parquet, csv_reader

JOB = f"""\
parameters: {{input: {{type: path}}}}
steps:
  - name: write
    chunk: 100000
    reader: {csv_reader()}
    writer: {{type: parquet, path: written.parquet}}
"""


def _prepare(place: Place) -> None:
    (place.folder / "written.parquet").unlink(missing_ok=True)


CONTEST = Contest(
    title="CSV → Parquet, no processor",
    contenders=[
        python("pyarrow", "pyarrow_parquet.py", "{lineitem}", "{folder}/written.parquet"),
        python("polars sink_parquet", "polars_parquet.py", "{lineitem}", "{folder}/written.parquet"),
        batchrun("write", JOB, {"input": "{lineitem}"}),
    ],
    prepare=_prepare,
    check=check_parquet,
)
