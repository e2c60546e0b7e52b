"""PostgreSQL → PostgreSQL, a table's rows by their key."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, python, shell
from benchmarks.place import KEY, Place, check_postgres, copy_into, lineitem_table

JOB = f"""\
parameters: {{target: {{type: string}}}}
databases: {{target: "${{params.target}}"}}
steps:
  - name: copy
    chunk: 10000
    reader: {{type: query, database: target, query: "SELECT * FROM source", key: [{", ".join(KEY)}]}}
    writer: {{type: table, database: target, table: lineitem}}
"""


def prepare(place: Place) -> None:
    """Fills the source, unless it is there."""
    [(there,)] = place.sql("SELECT to_regclass('source')")
    if there is None or place.sql("SELECT count(*) FROM source") != [(place.sums[0],)]:
        lineitem_table(place, key=True, name="source")
        copy_into(place, "source", place.lineitem)
        place.sql("VACUUM ANALYZE source")
    lineitem_table(place)


CONTEST = Contest(
    title="PostgreSQL → PostgreSQL",
    contenders=[
        shell(
            "COPY … TO STDOUT | COPY … FROM STDIN",
            'psql -qX "{url}" -c "COPY source TO STDOUT" | psql -qX "{url}" -c "COPY lineitem FROM STDIN"',
            "psql",
        ),
        batchrun("copy", JOB, {"target": "{url}"}),
        python("the rows alone, in their key's order (psycopg, one commit)", "psycopg_rows.py", "{url}", *KEY),
    ],
    prepare=prepare,
    check=check_postgres,
    aims=[Aim("COPY … TO STDOUT | COPY … FROM STDIN", 1.3, smallest=1)],
)
