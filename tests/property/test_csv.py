"""The reader `csv` on any file: bad records in their lines, the same items in any blocks, a restart after any chunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrun.components.readers.csv import CsvItemReader
from batchrun.components.writers.csv import CsvItemWriter
from batchrun.testing.items import Reading, chunk_of, read_all
from batchrun.testing.scope import scope_in

COLUMNS = {"i": "integer", "s": "string", "d": "decimal(6,2)", "day": "date"}

words = st.text(alphabet='ab,"\n\r;#é ', max_size=6)
items = st.fixed_dictionaries(
    {
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "s": st.none() | words,
        "d": st.none() | st.decimals("-9999.99", "9999.99", places=2),
        "day": st.none() | st.dates(date(1, 1, 1)),
    }
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def read(folder: Path, limit: int, position: dict[str, Any] | None = None, **options: Any) -> Reading:
    parsed = CsvItemReader.spec.parse({"path": "in.csv", **options})  # type: ignore[attr-defined]
    return read_all(CsvItemReader(parsed, scope_in(folder)), limit, position)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(items, min_size=1, max_size=12), block=st.integers(1, 200), limit=st.integers(1, 13))
def test_what_the_writer_writes_the_reader_reads(folder: Path, rows: list[Any], block: int, limit: int) -> None:
    writer = CsvItemWriter(CsvItemWriter.spec.parse({"path": "in.csv"}), scope_in(folder))  # type: ignore[attr-defined]
    with closing(writer):
        writer.open(None)
        writer.write(writer.prepare(chunk_of([{**row, "i": row["i"]} for row in rows])))
        writer.finish()
    found = read(folder, limit, columns=COLUMNS, block_bytes=block)
    assert (found.items, found.errors) == (rows, [])


@dataclass(frozen=True)
class Line:
    """A piece of a file, with what the reader makes of it: an item, an error (its text), or nothing."""

    text: str
    item: dict[str, Any] | None = None
    error: str | None = None


def good(number: int, word: str, price: Decimal) -> Line:
    quoted = '"' + word.replace('"', '""') + '"'
    return Line(f"{number},{quoted},{price},2024-02-29", {"i": number, "s": word, "d": price, "day": date(2024, 2, 29)})


lines = st.one_of(
    st.builds(good, st.integers(0, 99), words, st.decimals(0, 99, places=2)),
    st.just(Line("1,,,", {"i": 1, "s": None, "d": None, "day": None})),
    st.just(Line('2,5" disk,,', {"i": 2, "s": '5" disk', "d": None, "day": None})),
    st.sampled_from([Line(""), Line("# it's a \" comment"), Line("#")]),
    st.just(Line('"x\n",a,,', error="column 'i': 'x\\n' is not an integer")),
    st.just(Line("1,a,1.999,", error="column 'd': '1.999' is not a decimal(6,2)")),
    st.just(Line("1,a,,2024-02-30", error="column 'day': '2024-02-30' is not a date")),
    st.just(Line("1,a", error="2 fields where 4 are expected")),
    st.just(Line('1,"a,\n",,,', error="5 fields where 4 are expected")),
    st.just(Line("x,\0,,", error="the record holds a NUL byte, so it is hardly utf-8 text")),
)


@settings(deadline=None, max_examples=150)
@given(
    pieces=st.lists(lines, max_size=15),
    end=st.sampled_from(["\n", "\r\n"]),
    last_ends=st.booleans(),
    block=st.integers(1, 120) | st.just(1 << 20),
    limit=st.integers(1, 16),
)
def test_every_record_is_an_item_or_an_error_in_its_line(
    folder: Path, pieces: list[Line], end: str, last_ends: bool, block: int, limit: int
) -> None:
    text = "".join(piece.text + end for piece in pieces)
    content = "title\ni,s,d,day" + end + (text if last_ends else text.removesuffix(end))
    (folder / "in.csv").write_bytes(content.encode())
    options: dict[str, Any] = {"columns": COLUMNS, "comment": "#", "skip_lines": 1, "block_bytes": block}
    found = read(folder, limit, **options)
    assert found.items == [piece.item for piece in pieces if piece.item is not None]
    assert found.errors == _errors(pieces)
    for position, count, errors in found.stops:
        rest = read(folder, 3, position, **{**options, "block_bytes": 33})
        assert (rest.items, rest.errors) == (found.items[count:], found.errors[errors:])


def _errors(pieces: list[Line]) -> list[str]:
    line, errors = 3, []
    for piece in pieces:
        if piece.error:
            errors.append(f"in.csv:{line}: {piece.error}")
        line += piece.text.count("\n") + 1
    return errors
