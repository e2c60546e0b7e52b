"""How long short commands take as whole processes, and what they cannot be faster than."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.contest import Aim, Command, Contender, Contest
from benchmarks.peers import batchrun
from benchmarks.place import BATCHRUN, Place

JOB = """\
databases: {target: "sqlite:///one.db"}
steps:
  - name: load
    reader: {type: csv, path: one.csv, columns: {id: integer, name: string}}
    writer: {type: table, database: target, table: rows, create: true}
"""


def _python(code: str) -> Contender:
    python = str(BATCHRUN.with_name("python"))
    return Contender(f"python -c {code!r}", lambda _place: Command([python, "-c", code]))


def _batchrun(*arguments: str) -> Contender:
    command: Callable[[Place], Command] = lambda place: Command(place.batchrun(*arguments))  # noqa: E731
    return Contender(f"batchrun {' '.join(arguments)}", command)


def _prepare(place: Place) -> None:
    place.remove(place.folder / "one.db")
    (place.folder / "one.csv").write_text("id,name\n1,one\n")
    place.job("one", JOB)


CONTEST = Contest(
    title="Short commands, from start to end",
    contenders=[
        _python("pass"),
        _python("import typer"),
        _batchrun("--help"),
        _python("import sqlalchemy"),
        _batchrun("history"),
        _python("import yaml, jsonschema"),
        _batchrun("validate", "one"),
        _python("import typer, yaml, jsonschema, sqlalchemy, polars"),
        batchrun("one", JOB, {}, label="batchrun launch, one row"),
    ],
    prepare=_prepare,
    aims=[Aim(None, 0.15, "batchrun --help"), Aim(None, 0.7, "batchrun launch, one row")],
    rows=None,
    scales=(0.1,),
)
