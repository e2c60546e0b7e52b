"""The reader `csv`: the items of a file, its bad records with their lines, and restarts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from batchrun.components.readers.csv import CsvItemReader
from batchrun.errors import BatchrunError, InputError, ParseError
from batchrun.spi.item import RawItem
from batchrun.testing.items import ItemReaderContract, NewReader, Reading, read_all
from batchrun.testing.scope import scope_in

Read = Callable[..., Reading]

NUMBERS = {"id": "integer", "name": "string", "price": "decimal(6,2)"}
TEXT = '''\
id,name,price
1,plain,1.50
2,"quoted, with ""quotes""",2
3,"two
lines",
4,,-0.25

5,"",1e2
'''
ITEMS = [
    {"id": 1, "name": "plain", "price": Decimal("1.50")},
    {"id": 2, "name": 'quoted, with "quotes"', "price": Decimal("2.00")},
    {"id": 3, "name": "two\nlines", "price": None},
    {"id": 4, "name": None, "price": Decimal("-0.25")},
    {"id": 5, "name": "", "price": Decimal("100.00")},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.csv"


def make(path: Path, **options: Any) -> CsvItemReader:
    parsed = CsvItemReader.spec.parse({"path": path.name, **options})
    assert parsed.check() == []
    return CsvItemReader(parsed, scope_in(path.parent))


@pytest.fixture
def read(path: Path) -> Read:
    """Reads a text with options, in one block and in blocks of one record; both must give the same."""

    def reading(content: str | bytes, *, limit: int = 100, **options: Any) -> Reading:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        whole = read_all(make(path, **options), limit)
        small = read_all(make(path, block_bytes=1, **options), limit)
        assert (whole.items, whole.errors) == (small.items, small.errors)
        return whole

    return reading


def test_items_have_the_declared_types(read: Read) -> None:
    assert read(TEXT, columns=NUMBERS).items == ITEMS


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_line_ends", [True, False])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_do_not_matter(read: Read, end: str, last_line_ends: bool, mark: bytes) -> None:
    text = f"id,price{end}1,2{end}3,4" + (end if last_line_ends else "")
    found = read(mark + text.encode(), columns={"id": "integer", "price": "integer"})
    assert found.items == [{"id": 1, "price": 2}, {"id": 3, "price": 4}]


@pytest.mark.parametrize("value", ["\ufeffx", '"\ufeffx"', "\ufeff\ufeffx"])
def test_a_byte_order_mark_in_the_midst_of_a_file_is_part_of_a_value(read: Read, value: str) -> None:
    found = read(f"\ufeffa,b\n{value},1\n{value},2\n", columns={"a": "string", "b": "integer"})
    assert [item["a"] for item in found.items] == [value.replace('"', "")] * 2


def test_without_columns_all_are_strings_named_by_the_header(read: Read) -> None:
    assert read("a,b\n1,\n").items == [{"a": "1", "b": None}]


def test_columns_without_header_stand_in_their_order(read: Read) -> None:
    assert read("1,x\n", header=False, columns={"n": "integer", "s": "string"}).items == [{"n": 1, "s": "x"}]


def test_items_have_the_declared_order_whatever_the_header_says(read: Read) -> None:
    assert list(read("b,a\n1,2\n", columns={"a": "integer", "b": "integer"}).items[0].items()) == [("a", 2), ("b", 1)]


def test_undeclared_columns_are_refused_kept_or_dropped(read: Read) -> None:
    with pytest.raises(InputError, match=r"in.csv:1: the header has 'b', which is not declared"):
        read("a,b\n1,x\n", columns={"a": "integer"})
    assert read("a,b\n1,x\n", columns={"a": "integer"}, undeclared="string").items == [{"a": 1, "b": "x"}]
    assert read("a,b\n1,x\n", columns={"a": "integer"}, undeclared="drop").items == [{"a": 1}]


def test_a_missing_column_is_an_error_with_the_nearest_name(read: Read) -> None:
    with pytest.raises(InputError, match=r"in.csv:1: the header has no column 'price'") as caught:
        read("prise\n1\n", columns={"price": "integer"})
    assert caught.value.hint == "did you mean 'prise'?"


def test_a_repeated_name_in_the_header_is_an_error(read: Read) -> None:
    with pytest.raises(InputError, match=r"in.csv:1: the header names 'a' more than once"):
        read("a,a\n1,2\n")


@pytest.mark.parametrize("content", ["", "\n", "# nothing\n", "id,name,price\n", "id,name,price"])
def test_a_file_without_records_has_no_items(read: Read, content: str) -> None:
    assert read(content, columns=NUMBERS, comment="#").items == []


def test_lines_before_the_header_and_comments_are_not_read(read: Read) -> None:
    found = read("title, odd\n# c\na,b\n#x,y\n1,2\n# it's \" odd\n3,x\n", skip_lines=1, comment="#", columns=AB)
    assert found.items == [{"a": 1, "b": 2}]
    assert found.errors == ["in.csv:7: column 'b': 'x' is not an integer"]


AB = {"a": "integer", "b": "integer"}


def test_bad_records_are_told_with_line_column_value_and_type(read: Read) -> None:
    text = 'id,name,price\n1,a,1.5\nx,"b\nc",1\n2,d\n3,e,1,2\n4,f,1.234\n\n5,g,99999\n6,h,7\n'
    found = read(text, columns=NUMBERS)
    assert [item["id"] for item in found.items] == [1, 6]
    assert found.errors == [
        "in.csv:3: column 'id': 'x' is not an integer",
        "in.csv:5: 2 fields where 3 are expected",
        "in.csv:6: 4 fields where 3 are expected",
        "in.csv:7: column 'price': '1.234' is not a decimal(6,2)",
        "in.csv:9: column 'price': '99999' is not a decimal(6,2)",
    ]


def test_a_bad_record_keeps_its_raw_text_and_takes_no_place(path: Path) -> None:
    path.write_text("a,b\n1,2\nx,3\n4,5\n6,7\n")
    reader = make(path, columns=AB)
    reader.open(None)
    first = reader.read(2)
    assert first is not None
    assert [item["a"] for item in first.rows] == [1, 4]
    assert [(error.raw, error.origin) for error in first.errors] == [("x,3", "in.csv:3")]
    assert (first.origin(0), first.origin(1), first.span) == ("in.csv:2", "in.csv:4", "in.csv:2-4")
    reader.close()


def test_a_chunk_of_errors_only_ends_a_file_of_bad_records(path: Path) -> None:
    path.write_text("a,b\n" + "x,1\n" * 7)
    reader = make(path, columns=AB, block_bytes=8)
    reader.open(None)
    sizes = []
    while (chunk := reader.read(3)) is not None:
        sizes.append((len(chunk), len(chunk.errors)))
    reader.close()
    assert sum(errors for _, errors in sizes) == 7
    assert all(items == 0 and errors <= 4 for items, errors in sizes)


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("integer", {"-7": -7, "+7": 7, '"7"': 7, "": None, '""': None, " ": None}, ["1.0", "7 ", "x", str(2**63)]),
        ("float", {"1.5": 1.5, "1e3": 1000.0, "": None}, ["1,5", "x"]),
        ("decimal(4,1)", {"1": Decimal("1.0"), "1.50": Decimal("1.5"), ".5": Decimal("0.5")}, ["1.55", "1000", "x"]),
        ("decimal(38,9)", {"1.5": Decimal("1.5"), "2.0000000000": Decimal(2)}, ["0.0000000001", "x"]),
        ("boolean", {"true": True, "F": False, "Yes": True, "0": False, "": None}, ["2", "on", "x"]),
        ("date", {"2024-02-29": date(2024, 2, 29), "": None}, ["2023-02-29", "01/02/2024", "2024-01-01T00:00:00"]),
        ("date(%d.%m.%Y)", {"29.02.2024": date(2024, 2, 29)}, ["2024-02-29", "30.02.2024"]),
        (
            "datetime",
            {
                "2024-01-02T03:04:05": datetime(2024, 1, 2, 3, 4, 5),
                "2024-01-02 03:04:05.000006": datetime(2024, 1, 2, 3, 4, 5, 6),
                "2024-01-02 03:04:05.000006000": datetime(2024, 1, 2, 3, 4, 5, 6),
                "2024-01-02 03:04": datetime(2024, 1, 2, 3, 4),
                "2024-01-02": datetime(2024, 1, 2),
            },
            ["2024-01-02T03:04:05Z", "2024-01-02 25:00", "2024-01-02T03:04:05.0000001", "x"],
        ),
        (
            "timestamp",
            {
                "2024-01-02T03:04:05Z": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
                "2024-01-02 03:04:05+09:00": datetime(2024, 1, 1, 18, 4, 5, tzinfo=UTC),
                "2024-01-02T03:04:05": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
            },
            ["2024-01-02T03:04:05.123456789Z", "x"],
        ),
        ("datetime(%d.%m.%Y%H%M%S)", {"02.01.2024030405": datetime(2024, 1, 2, 3, 4, 5)}, ["2024-01-02T03:04:05"]),
        ("time", {"03:04:05": time(3, 4, 5), "03:04": time(3, 4)}, ["25:00", "03:04:05.1234567", "x"]),
        ("binary", {"00ff": b"\0\xff", "\\x00ff": b"\0\xff", '""': b""}, ["0", "xy"]),
    ],
)
def test_values_are_of_their_type_or_refused(read: Read, type: str, good: dict[str, Any], bad: list[str]) -> None:
    columns = {"v": type, "end": "string"}
    found = read("".join(f"{text},.\n" for text in good), header=False, columns=columns)
    assert ([item["v"] for item in found.items], found.errors) == (list(good.values()), [])
    quoted = [f'"{text}"' for text in bad]
    found = read("".join(f"{text},.\n" for text in quoted), header=False, columns=columns)
    assert found.items == []
    article = "an" if type == "integer" else "a"
    assert found.errors == [
        f"in.csv:{n}: column 'v': {text!r} is not {article} {type}" for n, text in enumerate(bad, 1)
    ]


def test_null_values_are_null_and_the_quoted_empty_text_is_not(read: Read) -> None:
    found = read('a,b\nNA,NA\n,""\n', columns={"a": "integer", "b": "string"}, null_values=["", "NA"])
    assert found.items == [{"a": None, "b": None}, {"a": None, "b": ""}]
    found = read('a,b\n,\n1,""\n', columns={"a": "integer", "b": "string"}, null_values=[])
    assert found.items == [{"a": None, "b": ""}, {"a": 1, "b": ""}]


def test_a_blank_line_is_a_null_where_there_is_one_column(read: Read) -> None:
    assert read("a\n1\n\n2\n", columns={"a": "integer"}).items == [{"a": 1}, {"a": None}, {"a": 2}]


def test_stray_quotes_are_characters(read: Read) -> None:
    columns = {"a": "string", "b": "string"}
    text = 'a,b\n5" disk,x\n"q, r",6"\n7",y\n"e\nf",z\n'
    assert [item["a"] for item in read(text, columns=columns).items] == ['5" disk', "q, r", '7"', "e\nf"]
    assert read('a,b\n"x,y"\n', columns=columns, quote=None).items == [{"a": '"x', "b": 'y"'}]


def test_text_after_a_closing_quote_is_an_error_of_its_record(read: Read) -> None:
    found = read('a,b\n1,"b"c\n2,d\n', columns={"a": "integer", "b": "string"})
    assert found.items == [{"a": 2, "b": "d"}]
    assert found.errors == ["in.csv:2: column 'b': text follows the closing quote: '\"b\"c'"]


@pytest.mark.parametrize("type", ["integer", "string", "date"])
@pytest.mark.parametrize("rest", ['"', '"\n', '"7', '"x\n3,4\n'])
def test_a_quote_that_is_not_closed_is_an_error_where_it_begins(read: Read, type: str, rest: str) -> None:
    found = read(f"a,b\n1,\n2,{rest}", columns={"a": "integer", "b": type})
    assert [item["a"] for item in found.items] == [1]
    assert found.errors == ["in.csv:3: a quoted field is not closed: it reaches from here to the end of the file"]


def test_a_stray_quote_does_not_hide_that_a_quoted_field_goes_on(read: Read) -> None:
    columns = {"a": "string", "b": "string"}
    found = read('1","a\n2"\n3,4\n', header=False, columns=columns, null_values=["", "a"])
    assert found.items == [{"a": '1"', "b": "a\n2"}, {"a": "3", "b": "4"}]
    found = read('1","2\n"\n3,4\n', header=False, columns={"a": "string", "b": "integer"})
    assert found.items == [{"a": "3", "b": 4}]
    assert found.errors == ["in.csv:1: column 'b': '2\\n' is not an integer"]


def test_bytes_that_are_no_text_are_errors_of_their_records(read: Read) -> None:
    found = read(b"a,b\n1,\xff\n2,\0\n3,x\n", columns={"a": "integer", "b": "string"})
    assert [item["a"] for item in found.items] == [3]
    assert found.errors == [
        "in.csv:2: the record holds bytes that are not utf-8",
        "in.csv:3: the record holds a NUL byte, so it is hardly utf-8 text",
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp949"])
def test_encodings_are_decoded(read: Read, encoding: str) -> None:
    word = "한글" if encoding == "cp949" else "Ölé"
    found = read(
        f"näm\n{word}\nx\n".encode(encoding) if encoding != "cp949" else f"a\n{word}\nx\n".encode(encoding),
        encoding=encoding,
    )
    assert [list(item.values()) for item in found.items] == [[word], ["x"]]


def test_bytes_that_are_not_of_the_encoding_are_errors_of_their_records(read: Read) -> None:
    found = read(b"a,b\n\x81,1\nx,2\n", encoding="cp1252")
    assert found.items == [{"a": "x", "b": "2"}]
    assert found.errors == ["in.csv:2: the record holds bytes that are not cp1252"]


def test_a_header_of_another_encoding_is_an_error_of_the_file(read: Read) -> None:
    with pytest.raises(InputError, match=r"in.csv:1: the header .*utf-8"):
        read("a,b\n1,2\n".encode("utf-16"))


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_compressed_files_are_read_and_damaged_ones_refused(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"in.csv{suffix}"
    path.write_bytes(compress(TEXT.encode()))
    assert read_all(make(path, columns=NUMBERS), 2).items == ITEMS
    path.write_bytes(compress(TEXT[:20].encode()) + compress(TEXT[20:].encode()))
    assert read_all(make(path, columns=NUMBERS), 2).items == ITEMS
    path.write_bytes(compress(TEXT.encode() * 1000)[:-20])
    with pytest.raises(InputError, match=r"in\.csv"):
        read_all(make(path, undeclared="drop", columns={"name": "string"}), 2)


def test_what_cannot_be_opened_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^in.csv: no such file or directory$"):
        make(tmp_path / "in.csv").open(None)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"^folder: is a directory$"):
        make(tmp_path / "folder").open(None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [("a,b\n1,2\n", "it ends at byte"), ("a,b\n1,2\n3,4\n5,655555\n7,8\n", "no record ends at byte")],
)
def test_a_restart_refuses_a_file_that_has_changed(path: Path, changed: str, reason: str) -> None:
    path.write_text("a,b\n1,2\n3,4\n5,6\n7,8\n")
    position = read_all(make(path, block_bytes=4), 3).stops[0][0]
    assert position == {"offset": 16, "line": 5, "record": 0}
    path.write_text(changed)
    reader = make(path, block_bytes=4)
    with pytest.raises(InputError, match=f"in.csv has changed: {reason}"):
        reader.open(position)
    reader.close()


def test_a_restart_seeks_to_its_block(path: Path) -> None:
    path.write_text("a,b\n" + "1,2\n" * 1000)
    position = read_all(make(path, block_bytes=40), 500).stops[0][0]
    reader = make(path, block_bytes=40)
    reader.open(position)
    assert reader._source is not None
    assert reader._source.offset == position["offset"] > 1900
    reader.close()


def test_a_field_longer_than_a_block_is_one_field(read: Read) -> None:
    field = "line\n" * 500
    assert read(f'a,b\n1,"{field}"\n2,x\n', columns={"a": "integer", "b": "string"}).items[0]["b"] == field


def test_a_record_without_end_is_refused_before_memory_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchrun.components.files.blocks.MAX_RECORD_BYTES", 1000)
    path.write_text('a,b\n1,"' + "x\n" * 4000)
    with pytest.raises(InputError, match=r"in.csv:2: a record that begins here does not end within"):
        read_all(make(path, block_bytes=10), 10)


def test_the_columns_are_foretold_where_they_are_declared() -> None:
    spec = CsvItemReader.spec
    declared = {"path": "x", "columns": {"a": "integer", "b": "date(%Y)"}}
    assert spec.schema is not None
    assert spec.schema(spec.parse(declared), None) == pl.Schema({"a": pl.Int64, "b": pl.Date})
    assert spec.schema(spec.parse({**declared, "undeclared": "string"}), None) is None
    assert spec.schema(spec.parse({"path": "x"}), None) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "||"}, "delimiter must be one ASCII character, got '||'"),
        ({"quote": "”"}, "quote must be one ASCII character, got '”'"),
        ({"delimiter": '"'}, "delimiter and quote are the same character"),
        ({"header": False}, "without a header the columns must be declared"),
        ({"columns": {}}, "columns is empty"),
        ({"comment": ""}, "comment is empty"),
    ],
)
def test_options_that_do_not_fit_are_problems(options: dict[str, Any], message: str) -> None:
    assert [each.message for each in CsvItemReader.spec.parse({"path": "x", **options}).check()] == [message]


def test_closing_without_opening_is_harmless(path: Path) -> None:
    reader = make(path)
    with pytest.raises(BatchrunError):
        reader.open(None)
    reader.close()


MIXED = TEXT + 'x,bad,1\n6,"six",6\n7,short\n# comment\n8,"a ""b""\n\nc",8\n9,nine,9.999\n10,ten,10'


class _CsvReader(ItemReaderContract):
    content = MIXED.encode()
    name = "in.csv"
    options: dict[str, Any] = {}

    @pytest.fixture
    def new_reader(self, tmp_path: Path) -> NewReader:
        path = tmp_path / self.name
        path.write_bytes(self.content)
        return lambda: make(path, columns=NUMBERS, comment="#", **self.options)


class TestOneBlock(_CsvReader):
    pass


class TestSmallBlocks(_CsvReader):
    options: dict[str, Any] = {"block_bytes": 17}


class TestGzip(_CsvReader):
    content = gzip.compress(MIXED.encode())
    name = "in.csv.gz"
    options: dict[str, Any] = {"block_bytes": 17}


class TestStreamDecoded(_CsvReader):
    content = MIXED.encode("utf-16")
    options: dict[str, Any] = {"block_bytes": 17, "encoding": "utf-16"}


class TestDecodedBlocks(_CsvReader):
    content = MIXED.replace("plain", "plän").encode("cp1252")
    options: dict[str, Any] = {"block_bytes": 17, "encoding": "cp1252"}


def positions(reader: CsvItemReader, limit: int = 1) -> list[dict[str, Any]]:
    """Returns the position behind each chunk."""
    reader.open(None)
    found = []
    while (chunk := reader.read(limit)) is not None:
        found.append(chunk.position)
    reader.close()
    return found


def test_a_position_is_told_by_the_line_of_the_next_record(path: Path) -> None:
    path.write_text(TEXT)
    for block_bytes in (1, 4096):
        reader = make(path, columns=NUMBERS, block_bytes=block_bytes)
        told = [reader.describe_position(each) for each in positions(reader)]
        assert told[:3] == ["in.csv:3", "in.csv:4", "in.csv:6"]
        assert told[4] == "the end of in.csv"


def test_a_position_in_a_compressed_file_is_told_from_a_line_before(path: Path) -> None:
    zipped = path.with_suffix(".csv.gz")
    zipped.write_bytes(gzip.compress(b"id\n1\n2\n3\n"))
    reader = make(zipped, columns={"id": "integer"})
    assert [reader.describe_position(each) for each in positions(reader)][:2] == [
        "1 record behind in.csv.gz:2",
        "2 records behind in.csv.gz:2",
    ]


def test_a_position_that_the_file_has_no_more_is_an_error(path: Path) -> None:
    path.write_text("id\n1\n2\n3\n")
    reader = make(path, columns={"id": "integer"}, block_bytes=1)
    position = positions(reader)[1]
    path.write_text("id\n1\n")
    with pytest.raises(InputError, match=r"in\.csv has changed"):
        reader.describe_position(position)


def test_a_text_that_has_lost_bytes_is_no_item_again(path: Path) -> None:
    path.write_bytes(b"id,name\n1,a\n2,b\xff\n3,c\n")
    reader = make(path, columns={"id": "integer", "name": "string"})
    reader.open(None)
    chunk = reader.read(9)
    assert chunk is not None
    raw = chunk.errors[0].raw or ""
    told = reader.read_raw([RawItem(text, "in.csv:3") for text in ("4,d", raw, "5,e")])
    reader.close()
    assert [each for each in told if isinstance(each, dict)] == [{"id": 4, "name": "d"}, {"id": 5, "name": "e"}]
    assert isinstance(told[1], ParseError)
    assert told[1].reason == "the text holds \ufffd, where there were bytes that are no text"
