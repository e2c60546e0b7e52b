"""TPC-H lineitem through the command line: SQLite and PostgreSQL get equal counts and column sums."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

SCALE = os.environ.get("BATCHRUN_TPCH_SCALE", "0.01")

JOB = """\
name: lineitem
parameters:
  input: {type: path, required: true}
  target: {type: string, required: true}
databases:
  target: ${params.target}
steps:
  - name: load
    chunk: 10000
    reader:
      type: csv
      path: ${params.input}
      columns:
        l_orderkey: integer
        l_partkey: integer
        l_suppkey: integer
        l_linenumber: integer
        l_quantity: "decimal(15,2)"
        l_extendedprice: "decimal(15,2)"
        l_discount: "decimal(15,2)"
        l_tax: "decimal(15,2)"
        l_returnflag: string
        l_linestatus: string
        l_shipdate: date
        l_commitdate: date
        l_receiptdate: date
        l_shipinstruct: string
        l_shipmode: string
        l_comment: string
    writer: {type: table, database: target, table: lineitem, create: true}
"""

SUMS = """\
SELECT count(*), sum(l_orderkey), sum(l_partkey), sum(l_suppkey), sum(l_linenumber), sum(l_quantity),
       sum(l_extendedprice), sum(l_discount), sum(l_tax), sum(length(l_comment)), min(l_shipdate), max(l_receiptdate)
FROM lineitem"""


@pytest.fixture(scope="module")
def lineitem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tpch")
    tool = Path(sys.executable).parent / "tpchgen-cli"
    command = [str(tool), "csv", "-s", SCALE, "--tables=lineitem", f"--output-dir={folder}"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "lineitem.csv"


def launch(folder: Path, lineitem: Path, target: str) -> int:
    (folder / "batchrun.toml").touch()
    (folder / "lineitem.yaml").write_text(JOB)
    arguments = ["launch", "lineitem.yaml", f"input={lineitem}", f"target={target}", "--output", "json"]
    done = subprocess.run([sys.executable, "-m", "batchrun", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written: int = json.loads(done.stdout)["steps"][0]["write_count"]
    return written


def test_both_databases_get_the_same_rows(lineitem: Path, tmp_path: Path, fresh_postgres_database: str) -> None:
    with lineitem.open("rb") as lines:
        count = sum(1 for _ in lines) - 1
    assert launch(tmp_path, lineitem, "sqlite:///tpch.db") == count
    assert launch(tmp_path, lineitem, fresh_postgres_database) == count
    with closing(sqlite3.connect(tmp_path / "tpch.db")) as connection:
        in_sqlite = connection.execute(SUMS).fetchone()
    with psycopg.connect(fresh_postgres_database.replace("+psycopg", "")) as postgres:
        in_postgres = postgres.execute(SUMS).fetchone()
    assert in_postgres is not None
    assert in_sqlite[0] == in_postgres[0] == count
    whole, sums, days = slice(1, 5), slice(5, 9), slice(10, 12)
    assert list(in_sqlite[whole]) == [int(value) for value in in_postgres[whole]]
    assert [Decimal(str(round(value, 2))) for value in in_sqlite[sums]] == [
        value.normalize() + 0 for value in in_postgres[sums]
    ]
    assert in_sqlite[9] == in_postgres[9]
    assert list(in_sqlite[days]) == [day.isoformat() for day in in_postgres[days]]
