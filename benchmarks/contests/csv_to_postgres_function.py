"""CSV → PostgreSQL, with a Python function an item."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, python, spring
from benchmarks.place import Place, check_postgres, csv_load, lineitem_table

FUNCTION = """\
def revenue(item):
    value = item["l_extendedprice"] * (1 - item["l_discount"]) * (1 + item["l_tax"])
    item["l_revenue"] = round(value, 2)
    return item
"""
JOB = csv_load('processors: [{type: python, call: "prices:revenue"}]')


def _prepare(place: Place) -> None:
    folder = place.folder / "jobs.d"
    folder.mkdir(exist_ok=True)
    (folder / "prices.py").write_text(FUNCTION)
    lineitem_table(place, "l_revenue numeric(15,4)")


def _check(place: Place) -> None:
    check_postgres(place)
    wrong = "l_revenue IS DISTINCT FROM round(l_extendedprice * (1 - l_discount) * (1 + l_tax), 2)"
    # Python rounds halves to even, PostgreSQL away from 0.
    [(count,)] = place.sql(
        f"SELECT count(*) FROM lineitem WHERE {wrong} AND abs(l_revenue - "
        "l_extendedprice * (1 - l_discount) * (1 + l_tax)) > 0.005"
    )
    assert not count, f"{count} rows have a wrong l_revenue"


CONTEST = Contest(
    title="CSV → PostgreSQL, a Python function an item",
    contenders=[
        python("csv.DictReader + SQLAlchemy", "script_load.py", "{lineitem}", "{url}", "function"),
        batchrun("load", JOB, {"input": "{lineitem}", "target": "{url}"}),
        spring(chunk=1_000, processor="function"),
        spring(chunk=10_000, processor="function"),
    ],
    prepare=_prepare,
    check=_check,
    aims=[
        Aim("csv.DictReader + SQLAlchemy", 0.4),
        Aim("Spring Batch 6, chunk 10,000", 1.0, of_own_seconds=True),
    ],
    scales=(0.1,),
)
