"""CSV → PostgreSQL with 1 % of bad rows, of either kind, against the clean file."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contest import Aim, Command, Contender, Contest
from benchmarks.peers import batchrun
from benchmarks.place import Place, csv_load, lineitem_table

JOB = csv_load("skip: {errors: [ParseError, IntegrityError], limit: 2%}")
_EVERY = 100


def _spoiled(place: Place, path: Path, of: str, to: str) -> None:
    """Writes lineitem with a value of every hundredth row replaced."""
    import polars as pl

    lines = pl.scan_csv(place.lineitem, infer_schema=False).with_row_index()
    spoil = pl.when(pl.col("index") % _EVERY == 50).then(pl.lit(to)).otherwise(pl.col(of)).alias(of)
    lines.with_columns(spoil).drop("index").sink_csv(path)


def _load(label: str, name: str, of: str, to: str) -> Contender:
    clean = batchrun("load", JOB, {"input": f"{{data}}/{name}", "target": "{url}"}, label=label)

    def command(place: Place) -> Command:
        if of:
            place.made(name, lambda path: _spoiled(place, path, of, to))
        return clean.command(place)

    def check(place: Place) -> None:
        expected = place.sums[0] - len(range(50, place.sums[0], _EVERY)) if of else place.sums[0]  # type: ignore[operator, call-overload]
        assert place.sql("SELECT count(*) FROM lineitem") == [(expected,)]

    return Contender(label, command, own_seconds=clean.own_seconds, check=check)


CLEAN = "batchrun, no bad row"

CONTEST = Contest(
    title="CSV → PostgreSQL, 1 % of the rows bad",
    contenders=[
        _load(CLEAN, "lineitem.csv", "", ""),
        _load("batchrun, 1 % that do not parse", "unparsable.csv", "l_quantity", "many"),
        _load("batchrun, 1 % that break a constraint", "refused.csv", "l_quantity", "-1"),
    ],
    prepare=lambda place: lineitem_table(place, "CHECK (l_quantity > 0)"),
    aims=[
        Aim(CLEAN, 3, "batchrun, 1 % that do not parse"),
        Aim(CLEAN, 3, "batchrun, 1 % that break a constraint"),
    ],
)
