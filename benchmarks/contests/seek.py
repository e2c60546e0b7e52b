"""What a restart takes to find its place: the reader `csv` opened at the beginning, and behind 90 % of the file."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.contest import Aim, Command, Contender, Contest
from benchmarks.peers import printed_seconds
from benchmarks.place import Place

FIRST_CHUNK = """\
import json, sys, time
from pathlib import Path
from batchrun.components.readers.csv import CsvItemReader, CsvReaderOptions
from batchrun.testing.scope import scope_in

position = json.loads(sys.argv[2])
reader = CsvItemReader(CsvReaderOptions(path=sys.argv[1]), scope_in(Path(".")))
began = time.perf_counter()
reader.open(position)
chunk = reader.read(10_000)
seconds = time.perf_counter() - began
reader.close()
assert len(chunk) == 10_000
print(json.dumps({"seconds": seconds}))
"""
_BEGINNING, _BEHIND = "the first chunk from the beginning", "the first chunk behind 90 % of the file"


def _at(place: Place, position: str) -> Command:
    return Command([sys.executable, "-c", FIRST_CHUNK, str(place.lineitem), position])


def _behind(path: Path) -> str:
    """Returns the position of a line behind 90 % of a file, as its checkpoint would have it."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size * 9 // 10)
        file.readline()
        return f'{{"offset": {file.tell()}, "line": 2, "record": 0}}'


CONTEST = Contest(
    title="Seeking in a CSV file",
    contenders=[
        Contender(_BEGINNING, lambda place: _at(place, "null"), own_seconds=printed_seconds("seconds")),
        Contender(_BEHIND, lambda place: _at(place, _behind(place.lineitem)), own_seconds=printed_seconds("seconds")),
    ],
    aims=[Aim(_BEGINNING, 1.5, _BEHIND, of_own_seconds=True)],
    rows=None,
)
