"""PostgreSQL → Parquet."""

from __future__ import annotations

from benchmarks.contest import Contest
from benchmarks.contests.postgres_to_postgres import prepare
from benchmarks.peers import batchrun, python
from benchmarks.place import KEY, Place, check_parquet

JOB = f"""\
parameters: {{source: {{type: string}}}}
databases: {{source: "${{params.source}}"}}
steps:
  - name: write
    chunk: 100000
    reader: {{type: query, database: source, query: "SELECT * FROM source", key: [{", ".join(KEY)}]}}
    writer: {{type: parquet, path: written.parquet}}
"""


def _prepare(place: Place) -> None:
    prepare(place)
    (place.folder / "written.parquet").unlink(missing_ok=True)


CONTEST = Contest(
    title="PostgreSQL → Parquet",
    contenders=[
        python("polars read_database_uri (ADBC)", "polars_query_parquet.py", "{url}", "{folder}/written.parquet"),
        python("ADBC + pyarrow", "adbc_parquet.py", "{url}", "{folder}/written.parquet"),
        python("pandas + pyarrow", "pandas_parquet.py", "{url}", "{folder}/written.parquet", largest=1),
        batchrun("write", JOB, {"source": "{url}"}),
    ],
    prepare=_prepare,
    check=check_parquet,
)
