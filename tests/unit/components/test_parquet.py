"""Reader and writer `parquet`: each item exactly once, in a file that others read too."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrun.components.files.thrift import parsed, written
from batchrun.components.readers.parquet import ParquetItemReader
from batchrun.components.writers.parquet import ParquetItemWriter
from batchrun.domain.execution import JsonObject
from batchrun.errors import InputError, OutputError, WriteError
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import ItemReader, ItemWriter
from batchrun.testing.items import ItemReaderContract, ItemWriterContract, chunk_of, read_all, write_chunks
from batchrun.testing.scope import scope_in
from tests.unit.components.test_file_writers import ITEM, NULLS


@dataclass
class ParquetTarget:
    """A writer's file in a folder."""

    path: Path
    options: dict[str, Any] = field(default_factory=dict)

    def writer(self) -> ItemWriter:
        parsed = ParquetItemWriter.spec.parse({"path": self.path.name, **self.options})  # type: ignore[attr-defined]
        assert parsed.check() == []
        return ParquetItemWriter(parsed, scope_in(self.path.parent))

    def reader(self, **options: Any) -> ItemReader:
        parsed = ParquetItemReader.spec.parse({"path": self.path.name, **options})  # type: ignore[attr-defined]
        assert parsed.check() == []
        return ParquetItemReader(parsed, scope_in(self.path.parent))

    def content(self) -> list[dict[str, Any]] | None:
        assert len(list(self.path.parent.iterdir())) <= 1, "nothing else is left beside the file"
        return pl.read_parquet(self.path).to_dicts() if self.path.exists() else None

    def clear(self) -> None:
        self.path.unlink()

    def write(self, *frames: pl.DataFrame) -> None:
        writer = self.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            for frame in frames:
                writer.write(writer.prepare(framed(frame)))
                writer.state()
            writer.finish()


class Lines:
    def of(self, index: int) -> str:
        return f"in:{index + 1}"

    def span(self) -> str:
        return "in:1-9"


def framed(frame: pl.DataFrame) -> Chunk:
    return Chunk(frame=frame, position={}, origins=Lines())


@pytest.fixture
def target(tmp_path: Path) -> ParquetTarget:
    return ParquetTarget(tmp_path / "out.parquet")


class TestWriter(ItemWriterContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> ParquetTarget:
        return ParquetTarget(tmp_path / "out.parquet")


class TestWriterOfSomeColumns(ItemWriterContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> ParquetTarget:
        return ParquetTarget(tmp_path / "out.parquet", {"columns": ["name", "id"], "compression": "none"})


@pytest.mark.parametrize("piece_rows", [1, 3, 1000])
class TestReader(ItemReaderContract):
    @pytest.fixture
    def new_reader(self, tmp_path: Path, piece_rows: int) -> Callable[[], ItemReader]:
        items = pl.DataFrame({"id": range(9), "name": list("abcdefghi")})
        items.write_parquet(tmp_path / "out.parquet", row_group_size=4)
        return lambda: ParquetTarget(tmp_path / "out.parquet").reader(piece_rows=piece_rows)


def test_what_is_written_is_read(target: ParquetTarget) -> None:
    items = [{**ITEM, "list": [1, 2], "struct": {"a": "x", "b": None}}, {**NULLS, "list": [], "struct": None}]
    target.write(pl.DataFrame(items[:1]), pl.DataFrame(items[1:], schema=pl.DataFrame(items[:1]).schema))
    read = read_all(target.reader(), 1).items
    assert read == [items[0], {**items[1], "struct": None}]


@pytest.mark.parametrize("compression", ["zstd", "snappy", "lz4", "gzip", "none"])
def test_others_read_it_with_its_statistics(target: ParquetTarget, compression: str) -> None:
    target.options = {"compression": compression}
    frames = [
        pl.DataFrame({"id": range(begin, begin + 1000), "text": [f"text {n % 7}" for n in range(1000)]})
        for begin in range(0, 40_000, 1000)
    ]
    target.write(*frames)
    file = pq.ParquetFile(target.path)
    assert file.metadata.num_rows == 40_000
    assert file.metadata.num_row_groups == 40
    group = file.metadata.row_group(39)
    assert (group.column(0).statistics.min, group.column(0).statistics.max) == (39_000, 39_999)
    assert file.read_row_group(39).column("id").to_pylist() == list(range(39_000, 40_000))
    assert pq.read_table(target.path, filters=[("id", ">=", 38_500)]).num_rows == 1500
    assert pl.scan_parquet(target.path).filter(pl.col("id") == 12_345).collect()["text"].to_list() == ["text 2"]
    assert pl.read_parquet(target.path).equals(pl.concat(frames))


def test_a_finish_that_was_interrupted_is_done_again(target: ParquetTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [pl.DataFrame({"id": [1, 2]}), pl.DataFrame({"id": [3]})]
    monkeypatch.setattr("batchrun.components.files.part_file.PartFile.publish", lambda _part: None)
    target.write(*frames)  # all of the footer is there, but the file has no name yet
    monkeypatch.undo()
    part = next(target.path.parent.iterdir())
    part.write_bytes(part.read_bytes()[:-6])  # and now not even all of the footer
    writer = target.writer()
    with closing(writer):
        writer.connect()
        writer.finish()
    assert target.content() == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_later_chunks_fit_into_the_first_ones_types(target: ParquetTarget) -> None:
    target.write(
        pl.DataFrame({"n": [1], "d": [Decimal("1.25")], "s": ["a"]}),
        pl.DataFrame({"n": pl.Series([2], dtype=pl.Int8), "d": [Decimal("2.5")], "s": [None]}),
        pl.DataFrame({"n": [3], "d": [None], "s": pl.Series(["b"], dtype=pl.Categorical)}),
    )
    assert target.content() == [
        {"n": 1, "d": Decimal("1.25"), "s": "a"},
        {"n": 2, "d": Decimal("2.50"), "s": None},
        {"n": 3, "d": None, "s": "b"},
    ]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (pl.Series([[1]]), pl.Series([[]])),
        (pl.Series([{"x": 1, "y": ["a"]}]), pl.Series([{"x": None, "y": []}])),
        (pl.Series([[1]]), pl.Series([[2]], dtype=pl.List(pl.Int8))),
        (pl.Series([1.0]), pl.Series([1.5], dtype=pl.Float32)),
        (pl.Series([Decimal("1.25")]), pl.Series([Decimal(7)], dtype=pl.Decimal(38, 0))),
    ],
    ids=["list", "struct", "narrow list", "float", "decimal"],
)
def test_what_fits_exactly_is_taken(target: ParquetTarget, first: pl.Series, later: pl.Series) -> None:
    target.write(pl.DataFrame({"x": first}), pl.DataFrame({"x": later}))
    read = pl.read_parquet(target.path)
    assert read.schema["x"] == first.dtype
    assert read["x"].to_list() == [*first.to_list(), *later.to_list()]


def test_a_nested_value_that_is_too_large_fails_in_one_line(target: ParquetTarget) -> None:
    first = pl.DataFrame({"x": pl.Series([[1]], dtype=pl.List(pl.Int8))})
    with pytest.raises(WriteError, match="does not fit into the type that its column had before") as raised:
        target.write(first, pl.DataFrame({"x": [[1000]]}))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ({"n": [1.5]}, r"in:1-9: column 'n' is Float64, but was Int16 before: the processor cast "),
        ({"n": [100_000]}, r"does not fit into the type that its column had before"),
        ({"m": [1]}, r"have the columns m, but those before had n"),
        ({"n": [[1]]}, r"column 'n' is List\(Int64\), but was Int16 before"),
    ],
)
def test_what_does_not_fit_is_the_items_fault(target: ParquetTarget, later: dict[str, Any], message: str) -> None:
    with pytest.raises(WriteError, match=message):
        target.write(pl.DataFrame({"n": pl.Series([1], dtype=pl.Int16)}), pl.DataFrame(later))


def test_a_column_of_nulls_in_the_first_chunk_needs_a_type(target: ParquetTarget) -> None:
    with pytest.raises(OutputError, match="column 'x' is null in all of in:1-9, so its type is not known") as raised:
        target.write(pl.DataFrame({"x": [None]}))
    assert "cast" in str(raised.value.hint)


def test_a_column_that_is_missing_is_the_items_fault(target: ParquetTarget) -> None:
    target.options = {"columns": ["a", "b"]}
    with pytest.raises(WriteError, match="no column 'b'"):
        target.write(pl.DataFrame({"a": [1]}))


def test_types_hold_over_a_restart(target: ParquetTarget) -> None:
    writer = target.writer()
    with closing(writer):
        writer.connect()
        writer.open(None)
        state = write_chunks(writer, [[{"n": 1, "x": "a"}]])[-1]
    again = target.writer()
    with closing(again):
        again.connect()
        again.open(state)
        again.write(again.prepare(chunk_of([{"n": 2, "x": None}])))
        with pytest.raises(WriteError, match="column 'n' is String"):
            again.prepare(chunk_of([{"n": "2", "x": "b"}]))
        again.finish()
    assert target.content() == [{"n": 1, "x": "a"}, {"n": 2, "x": None}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": []}, "columns is empty"),
        ({"columns": ["a", "a"]}, "columns names 'a' twice"),
        ({"level": 23}, "zstd goes from 1 to 22, got 23"),
        ({"compression": "lz4", "level": 1}, "lz4 has no levels, got 1"),
    ],
)
def test_options_that_say_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    parsed = ParquetItemWriter.spec.parse({"path": "x", **options})  # type: ignore[attr-defined]
    assert [problem.message for problem in parsed.check()] == [message]


# --- the reader ---


def test_columns_are_selected_in_their_order(target: ParquetTarget) -> None:
    pl.DataFrame({"a": [1], "b": [2], "c": [3]}).write_parquet(target.path)
    assert list(read_all(target.reader(columns=["c", "a"]), 5).items[0].items()) == [("c", 3), ("a", 1)]


def test_origins_are_rows(target: ParquetTarget) -> None:
    pl.DataFrame({"a": range(5)}).write_parquet(target.path)
    reader = target.reader()
    with closing(reader):
        reader.open(None)
        first = reader.read(2)
        assert first is not None
        reader.open(first.position)
        chunk = reader.read(2)
    assert chunk is not None
    assert (chunk.origin(1), chunk.span) == ("out.parquet:row 4", "out.parquet:rows 3-4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"out\.parquet: no such file or directory"),
        (b"", r"out\.parquet: it is empty, and no Parquet file"),
        (b"id,name\n1,a\n", r"out\.parquet: it cannot be read as Parquet: "),
        (b"PAR1" + b"\0" * 50 + b"PAR1", r"out\.parquet: it cannot be read as Parquet: "),
    ],
)
def test_what_is_no_parquet_file_is_refused(target: ParquetTarget, content: bytes | None, message: str) -> None:
    if content is not None:
        target.path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        target.reader().open(None)


def test_a_page_that_is_damaged_names_the_rows(target: ParquetTarget) -> None:
    pl.DataFrame({"a": [f"text {n}" for n in range(10_000)]}).write_parquet(target.path, row_group_size=10_000)
    data = bytearray(target.path.read_bytes())
    data[20:400] = b"\xff" * 380
    target.path.write_bytes(data)
    reader = target.reader(piece_rows=1000)
    with closing(reader):
        reader.open(None)
        with pytest.raises(InputError, match=r"out\.parquet: rows 1 to 1000 cannot be decoded: "):
            reader.read(10)


def test_an_unknown_column_names_the_near_one(target: ParquetTarget) -> None:
    pl.DataFrame({"price": [1]}).write_parquet(target.path)
    with pytest.raises(InputError, match="it has no column 'prize'") as raised:
        target.reader(columns=["prize"]).open(None)
    assert raised.value.hint == "did you mean 'price'?"


def position_behind(reader: ItemReader, rows: int) -> JsonObject:
    with closing(reader):
        reader.open(None)
        chunk = reader.read(rows)
    assert chunk is not None
    return chunk.position


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (pl.DataFrame({"a": range(6)}), "has changed: it has 6 rows, and had 5"),
        (pl.DataFrame({"a": [str(n) for n in range(5)]}), "has changed: it is another file"),
        (pl.DataFrame({"b": range(5)}), "has changed: it is another file"),
        (pl.DataFrame({"a": range(1, 6)}), "has changed: it is another file"),
    ],
    ids=["more rows", "another type", "another name", "other values"],
)
def test_another_file_is_not_gone_on_with(target: ParquetTarget, other: pl.DataFrame, message: str) -> None:
    pl.DataFrame({"a": range(5)}).write_parquet(target.path)
    reader = target.reader()
    position, end = position_behind(reader, 2), position_behind(reader, 5)
    assert reader.describe_position(position) == "out.parquet:row 3"  # type: ignore[attr-defined]
    assert reader.describe_position(end) == "the end of out.parquet"  # type: ignore[attr-defined]
    other.write_parquet(target.path)
    for asked in (reader.open, reader.describe_position):  # type: ignore[attr-defined]
        with pytest.raises(InputError, match=message):
            asked(position)


@pytest.mark.parametrize("name", ["x[1].parquet", "*.parquet", "day=1.parquet"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    pl.DataFrame({"other": [2]}).write_parquet(tmp_path / "x1.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / name)
    assert read_all(ParquetTarget(tmp_path / name).reader(columns=["a"]), 5).items == [{"a": 1}]


def test_a_very_large_row_group_is_decoded_in_sixteen_pieces(
    target: ParquetTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"a": range(3200)})
    frame.write_parquet(target.path, row_group_size=3200)
    pieces: list[int] = []
    decode = ParquetItemReader._next_piece

    def counted(self: ParquetItemReader, begin: int, rows: int) -> pl.DataFrame:
        pieces.append(rows)
        return decode(self, begin, rows)

    monkeypatch.setattr(ParquetItemReader, "_next_piece", counted)
    assert read_all(target.reader(piece_rows=10), 7).items == frame.to_dicts()
    assert len(pieces) == 16
    frame.write_parquet(target.path, row_group_size=100)
    pieces.clear()
    assert read_all(target.reader(piece_rows=10), 7).items == frame.to_dicts()
    assert set(pieces) == {10}


# --- the footer's protocol ---

VALUES = {
    "i": st.integers(-(2**63), 2**63 - 1),
    "f": st.floats(allow_nan=False),
    "s": st.text(max_size=9),
    "b": st.booleans(),
    "day": st.dates(date(1, 1, 1)),
    "t": st.times(),
    "utc": st.datetimes(datetime(1900, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),
}


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(st.fixed_dictionaries({name: st.none() | each for name, each in VALUES.items()}), min_size=1))
def test_a_footer_comes_out_as_it_went_in(rows: list[dict[str, Any]]) -> None:
    schema = {
        "i": pl.Int64,
        "f": pl.Float64,
        "s": pl.String,
        "b": pl.Boolean,
        "day": pl.Date,
        "t": pl.Time,
        "utc": pl.Datetime("us", "UTC"),
    }
    file = io.BytesIO()
    pl.DataFrame(rows, schema=schema).write_parquet(file, row_group_size=2)
    data = file.getvalue()
    length = int.from_bytes(data[-8:-4], "little")
    footer = data[-8 - length : -8]
    assert written(parsed(footer)) == footer


@pytest.mark.parametrize("data", [b"", b"\x15", b"\x19\xfc\xff\xff\xff\xff\x0f", b"\x1b\x01", b"\x1f"])
def test_what_is_no_footer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(data)
