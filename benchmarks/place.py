"""Where contests take place: a folder, the data, a PostgreSQL server, and how its tables are made and looked at."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
BATCHRUN = Path(sys.executable).with_name("batchrun")


@dataclass(frozen=True)
class Place:
    """Where one contest takes place, at one scale.

    Attributes:
        folder: for the contest alone, empty at first.
        data: where generated data is kept between contests.
        scale: of TPC-H.
        url: of the PostgreSQL database.
        peers_python: of the environment that the peers are installed in.
    """

    folder: Path
    data: Path
    scale: float
    url: str
    peers_python: Path

    @cached_property
    def lineitem(self) -> Path:
        """The table lineitem of TPC-H as CSV, made once."""
        folder = self.data / f"scale-{self.scale:g}"
        if not (folder / "lineitem.csv").exists():
            folder.mkdir(parents=True, exist_ok=True)
            tool = Path(sys.executable).with_name("tpchgen-cli")
            command = [tool, "csv", "-s", f"{self.scale:g}", "--tables=lineitem", f"--output-dir={folder}"]
            subprocess.run(command, check=True, capture_output=True)
        return folder / "lineitem.csv"

    @cached_property
    def sums(self) -> tuple[object, ...]:
        """What SUMS are of all of lineitem, by polars."""
        return tuple(json.loads(self.made("sums.json", self._summed).read_text()))

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """Returns a file of this scale that is made once, and kept with the data."""
        path = self.lineitem.with_name(name)
        if not path.exists():
            part = path.with_name(f"part-{name}")
            make(part)
            part.rename(path)
        return path

    def _summed(self, path: Path) -> None:
        import polars as pl

        lines = pl.scan_csv(self.lineitem, schema_overrides=dict.fromkeys(DECIMALS, pl.Decimal(15, 2)))
        one = lines.select(
            pl.len(),
            pl.col("l_orderkey").sum(),
            (pl.col("l_quantity") * 100).sum().cast(pl.Int64),
            (pl.col("l_extendedprice") * 100).sum().cast(pl.Int64),
            pl.col("l_comment").str.len_chars().sum(),
        ).collect()
        path.write_text(json.dumps(one.row(0)))

    # --- tables ---

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        """Runs statements in PostgreSQL; returns the rows of the last one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    @property
    def sqlite(self) -> Path:
        """The SQLite database of the contest."""
        return self.folder / "target.db"

    def sqlite_rows(self, query: str) -> list[tuple[object, ...]]:
        """Returns the rows of a query in the SQLite database."""
        with closing(sqlite3.connect(self.sqlite)) as connection:
            return connection.execute(query).fetchall()

    def remove(self, *paths: Path) -> None:
        """Removes files, and the files beside a SQLite database."""
        for path in paths:
            for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-journal")):
                each.unlink(missing_ok=True)

    # --- batchrun ---

    def job(self, name: str, text: str) -> None:
        """Writes a job file."""
        (self.folder / "batchrun.toml").touch()
        path = self.folder / "jobs.d" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"name: {name}\n{text}")

    def forget_runs(self) -> None:
        """Removes the repository, with its logs."""
        shutil.rmtree(self.folder / ".batchrun", ignore_errors=True)

    def batchrun(self, *arguments: str) -> Sequence[str]:
        """Returns a command of batchrun; it is run in the contest's folder."""
        return [str(BATCHRUN), *arguments]

    def at(self, scale: float, name: str) -> Place:
        """Returns the place for a contest at a scale, with an empty folder."""
        folder = self.folder / f"{name}-{scale:g}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return replace(self, scale=scale, folder=folder)


COLUMNS = {
    "l_orderkey": ("integer", "bigint", "INTEGER"),
    "l_partkey": ("integer", "bigint", "INTEGER"),
    "l_suppkey": ("integer", "bigint", "INTEGER"),
    "l_linenumber": ("integer", "bigint", "INTEGER"),
    "l_quantity": ("decimal(15,2)", "numeric(15,2)", "NUMERIC"),
    "l_extendedprice": ("decimal(15,2)", "numeric(15,2)", "NUMERIC"),
    "l_discount": ("decimal(15,2)", "numeric(15,2)", "NUMERIC"),
    "l_tax": ("decimal(15,2)", "numeric(15,2)", "NUMERIC"),
    "l_returnflag": ("string", "text", "TEXT"),
    "l_linestatus": ("string", "text", "TEXT"),
    "l_shipdate": ("date", "date", "TEXT"),
    "l_commitdate": ("date", "date", "TEXT"),
    "l_receiptdate": ("date", "date", "TEXT"),
    "l_shipinstruct": ("string", "text", "TEXT"),
    "l_shipmode": ("string", "text", "TEXT"),
    "l_comment": ("string", "text", "TEXT"),
}
"""Of lineitem: their types in a job file, in PostgreSQL and in SQLite."""

DECIMALS = [name for name, (kind, _, _) in COLUMNS.items() if kind.startswith("decimal")]
KEY = ["l_orderkey", "l_linenumber"]

SUMS = (
    "SELECT count(*), sum(l_orderkey), cast(round(sum(l_quantity) * 100) AS bigint), "
    "cast(round(cast(sum(l_extendedprice) AS numeric) * 100) AS bigint), sum(length(l_comment)) FROM lineitem"
)
"""What tells one load from another that lost, doubled or changed something."""


def csv_reader() -> str:
    """Returns the reader of lineitem.csv with the types of its columns."""
    columns = ", ".join(f'{name}: "{kind}"' for name, (kind, _, _) in COLUMNS.items())
    return f'{{type: csv, path: "${{params.input}}", columns: {{{columns}}}}}'


def csv_load(*lines: str, writer: str = "") -> str:
    """Returns the job that loads lineitem.csv into the table lineitem of a database.

    Args:
        lines: more keys of its step.
        writer: more options of its writer.
    """
    more = "".join(f"    {line}\n" for line in lines)
    return f"""\
parameters: {{input: {{type: path}}, target: {{type: string}}}}
databases: {{target: "${{params.target}}"}}
steps:
  - name: load
    chunk: 10000
    reader: {csv_reader()}
    writer: {{type: table, database: target, table: lineitem{writer}}}
{more}"""


def lineitem_table(place: Place, *more: str, key: bool = False, name: str = "lineitem") -> None:
    """Makes the table anew in PostgreSQL, empty."""
    lines = [f"{column} {kind}" for column, (_, kind, _) in COLUMNS.items()] + list(more)
    if key:
        lines.append(f"PRIMARY KEY ({', '.join(KEY)})")
    place.sql(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({', '.join(lines)})", "CHECKPOINT")


def copy_into(place: Place, table: str, path: Path) -> None:
    """Loads a CSV file with a header into a table of PostgreSQL."""
    command = f"\\copy {table} FROM '{path}' CSV HEADER"
    subprocess.run(["psql", "-qX", place.url, "-c", command], check=True, capture_output=True)


def sqlite_lineitem_table(place: Place) -> None:
    """Makes the table in a new SQLite database."""
    place.remove(place.sqlite)
    lines = [f"{column} {kind}" for column, (_, _, kind) in COLUMNS.items()]
    with closing(sqlite3.connect(place.sqlite)) as connection:
        connection.execute(f"CREATE TABLE lineitem ({', '.join(lines)})")


def check_postgres(place: Place, table: str = "lineitem", *, most_off: float = 0) -> None:
    """Makes sure that all of lineitem is in a table of PostgreSQL, once.

    Args:
        place: of the contest.
        table: its name.
        most_off: by how much of it a sum may be wrong, where decimals are floats.
    """
    found = [int(str(each or 0)) for each in place.sql(SUMS.replace("lineitem", table))[0]]
    differs = [abs(one - other) > most_off * other for one, other in zip(found, place.sums, strict=True)]  # type: ignore[operator]
    assert not any(differs), f"{found} is not {place.sums}"


def check_peer(place: Place) -> None:
    """Makes sure of it in the table that a peer has made by itself, and drops that, with what dlt notes beside it."""
    check_postgres(place, "lineitem_peer", most_off=1e-12)
    place.sql("DROP TABLE IF EXISTS lineitem_peer, _dlt_loads, _dlt_pipeline_state, _dlt_version")


def check_parquet(place: Place) -> None:
    """Makes sure that all of lineitem is in the file `written.parquet`, once; a peer's decimals may be texts."""
    import polars as pl

    hundredths = [
        pl.col(name).cast(pl.String).cast(pl.Decimal(15, 2)).sum().cast(pl.Decimal(38, 2)) * 100
        for name in ("l_quantity", "l_extendedprice")
    ]
    found = (
        pl.scan_parquet(place.folder / "written.parquet")
        .select(
            pl.len(),
            pl.col("l_orderkey").sum(),
            *(each.cast(pl.Int64) for each in hundredths),
            pl.col("l_comment").str.len_chars().sum(),
        )
        .collect(engine="streaming")
        .row(0)
    )
    assert found == place.sums, f"{found} is not {place.sums}"


def check_sqlite(place: Place) -> None:
    """Makes sure that all of lineitem is in the SQLite database, once."""
    found = place.sqlite_rows(SUMS)[0]
    assert found == place.sums, f"{found} is not {place.sums}"
