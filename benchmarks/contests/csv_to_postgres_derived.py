"""CSV → PostgreSQL, with a filter and a derived column."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun, psql, spring
from benchmarks.place import COLUMNS, Place, check_postgres, copy_into, csv_load, lineitem_table

JOB = csv_load(
    "processors:",
    '  - {type: filter, where: "l_quantity >= 10"}',
    '  - {type: derive, set: {l_revenue: "l_extendedprice * (1 - l_discount)"}}',
)
_NAMES = ", ".join(COLUMNS)
_STAGED = (
    f"INSERT INTO lineitem SELECT {_NAMES}, l_extendedprice * (1 - l_discount) FROM staging WHERE l_quantity >= 10"
)


def _check(place: Place) -> None:
    found = place.sql("SELECT count(*), round(sum(l_revenue), 2), min(l_quantity) FROM lineitem")
    expected = place.made("derived.json", lambda path: _expect(place, path))
    assert [*map(str, found[0])] == json.loads(expected.read_text()), f"{found} is not {expected.read_text()}"


def _expect(place: Place, path: Path) -> None:
    """Notes the same of the file, as PostgreSQL itself has it."""
    place.sql("DROP TABLE IF EXISTS expected", "CREATE UNLOGGED TABLE expected (LIKE lineitem)")
    copy_into(place, f"expected ({_NAMES})", place.lineitem)
    [row] = place.sql(
        "SELECT count(*), round(sum(l_extendedprice * (1 - l_discount)), 2), min(l_quantity) "
        "FROM expected WHERE l_quantity >= 10"
    )
    place.sql("DROP TABLE expected")
    path.write_text(json.dumps([*map(str, row)]))


CONTEST = Contest(
    title="CSV → PostgreSQL, filter and derived column",
    contenders=[
        psql(
            "psql \\copy (without either)",
            f"\\copy lineitem ({_NAMES}) FROM '{{lineitem}}' CSV HEADER",
            check=check_postgres,
        ),
        psql(
            "psql \\copy, then INSERT … SELECT",
            "CREATE UNLOGGED TABLE staging (LIKE lineitem)",
            f"\\copy staging ({_NAMES}) FROM '{{lineitem}}' CSV HEADER",
            _STAGED,
            "DROP TABLE staging",
        ),
        batchrun("load", JOB, {"input": "{lineitem}", "target": "{url}"}),
        spring(chunk=1_000, processor="filter"),
        spring(chunk=10_000, processor="filter"),
    ],
    prepare=lambda place: lineitem_table(place, "l_revenue numeric(15,4)"),
    check=_check,
    aims=[
        Aim("psql \\copy (without either)", 1.15, smallest=1),
        Aim("Spring Batch 6, chunk 10,000", 0.1, of_own_seconds=True),
    ],
)
