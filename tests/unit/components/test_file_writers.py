"""The writers `csv` and `json_lines`: what stands in the file, and that it stands there exactly once."""

from __future__ import annotations

import errno
import json
import os
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batchrun.components.files.growing_file import GrowingFile
from batchrun.components.files.part_file import PartFile
from batchrun.components.readers.csv import CsvItemReader
from batchrun.components.writers.csv import CsvItemWriter
from batchrun.components.writers.json_lines import JsonLinesItemWriter
from batchrun.errors import OutputError, WriteError
from batchrun.spi.item import ItemWriter
from batchrun.testing.items import ItemWriterContract, chunk_of, read_all, write_chunks
from batchrun.testing.scope import scope_in

Writer = type[CsvItemWriter] | type[JsonLinesItemWriter]

TYPES = {
    "s": "string",
    "i": "integer",
    "f": "float",
    "d": "decimal(38,4)",
    "b": "boolean",
    "day": "date",
    "at": "datetime",
    "utc": "timestamp",
    "t": "time",
    "raw": "binary",
}
ITEM = {
    "s": 'a "b",\n;é',
    "i": -(2**63),
    "f": 0.1,
    "d": Decimal("1234567890123456789012345678901234.5678"),
    "b": False,
    "day": date(2024, 2, 29),
    "at": datetime(2024, 1, 2, 3, 4, 5, 6),
    "utc": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    "t": time(1, 2, 3, 4),
    "raw": b"\0\xff",
}
NULLS = dict.fromkeys(ITEM)


@dataclass
class FileTarget:
    """A writer's file in a folder."""

    path: Path
    type: Writer
    options: dict[str, Any]

    def writer(self) -> ItemWriter:
        parsed = self.type.spec.parse({"path": self.path.name, **self.options})  # type: ignore[union-attr]
        assert parsed.check() == []
        return self.type(parsed, scope_in(self.path.parent))

    def content(self) -> bytes | None:
        assert len(list(self.path.parent.iterdir())) <= 1, "nothing else is left beside the file"
        return self.path.read_bytes() if self.path.exists() else None

    def clear(self) -> None:
        self.path.unlink()

    def written(self, *chunks: list[dict[str, Any]]) -> str:
        writer = self.writer()
        with closing(writer):
            writer.connect()
            writer.open(None)
            write_chunks(writer, chunks)
            writer.finish()
        return self.path.read_text(encoding="utf-8")


class TestCsv(ItemWriterContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> FileTarget:
        return FileTarget(tmp_path / "out.csv", CsvItemWriter, {})


class TestCsvWithColumns(ItemWriterContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> FileTarget:
        return FileTarget(tmp_path / "out.csv", CsvItemWriter, {"columns": ["name", "id"], "encoding": "cp1252"})


class TestCsvWithoutHeader(ItemWriterContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> FileTarget:
        return FileTarget(tmp_path / "out.csv", CsvItemWriter, {"header": False})


class TestJsonLines(ItemWriterContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> FileTarget:
        return FileTarget(tmp_path / "out.jsonl", JsonLinesItemWriter, {})


@pytest.fixture
def csv(tmp_path: Path) -> FileTarget:
    return FileTarget(tmp_path / "out.csv", CsvItemWriter, {})


@pytest.fixture
def lines(tmp_path: Path) -> FileTarget:
    return FileTarget(tmp_path / "out.jsonl", JsonLinesItemWriter, {})


def test_what_csv_writes_csv_reads(csv: FileTarget) -> None:
    items = [ITEM, NULLS, {**ITEM, "s": ""}]
    csv.written(items)
    reader = CsvItemReader(CsvItemReader.spec.parse({"path": "out.csv", "columns": TYPES}), scope_in(csv.path.parent))
    assert read_all(reader, 10).items == items


def test_csv_quotes_what_it_must(csv: FileTarget) -> None:
    rows = [{"a b": "x", 'q"': None}, {"a b": "", 'q"': ","}]
    assert csv.written(rows) == 'a b,"q"""\nx,\n"",","\n'


def test_csv_takes_delimiter_null_text_columns_and_encoding(csv: FileTarget) -> None:
    csv.options = {"delimiter": ";", "null_text": "NULL", "columns": ["b", "a"], "encoding": "latin-1"}
    writer = csv.writer()
    with closing(writer):
        writer.open(None)
        write_chunks(writer, [[{"a": "é;", "b": None, "c": 1}]])
        writer.finish()
    assert csv.path.read_bytes() == 'b;a\nNULL;"é;"\n'.encode("latin-1")


def test_csv_without_items_has_the_header_of_its_columns(csv: FileTarget) -> None:
    assert csv.written() == ""
    csv.options = {"columns": ["a", "b"]}
    assert csv.written() == "a,b\n"


def test_csv_refuses_items_of_other_columns(csv: FileTarget) -> None:
    with pytest.raises(WriteError, match="the items have the columns a, b, but those before had a"):
        csv.written([{"a": 1}], [{"a": 1, "b": 2}])
    csv.options = {"columns": ["z"]}
    with pytest.raises(WriteError, match="items: the items have no column 'z'"):
        csv.written([{"a": 1}])


def test_csv_refuses_columns_of_others_after_a_restart(csv: FileTarget) -> None:
    writer = csv.writer()
    with closing(writer):
        writer.open(None)
        (state,) = write_chunks(writer, [[{"a": 1}]])
    with closing(again := csv.writer()):
        again.open(state)
        with pytest.raises(WriteError, match="those before had a"):
            write_chunks(again, [[{"b": 1}]])


def test_csv_refuses_what_it_has_no_form_for(csv: FileTarget) -> None:
    with pytest.raises(WriteError, match=r"items: column 'a' holds List\(Int64\), which CSV has no form for"):
        csv.written([{"a": [1, 2]}])
    csv.options = {"encoding": "ascii"}
    with pytest.raises(WriteError, match="items: 'é' is not in ascii"):
        csv.written([{"a": "é"}])


def test_options_of_csv_that_do_not_fit_are_problems() -> None:
    spec = CsvItemWriter.spec  # type: ignore[attr-defined]
    problems = spec.parse({"path": "x", "delimiter": '"', "columns": [], "encoding": "utf-16"}).check()
    assert [problem.at for problem in problems] == [("delimiter",), ("columns",), ("encoding",)]
    problems = spec.parse({"path": "x", "delimiter": ";", "columns": ["a", "b", "a"], "null_text": "n;a"}).check()
    assert [problem.at for problem in problems] == [("columns", 2), ("null_text",)]
    assert spec.parse({"path": "x", "null_text": "n;a", "columns": ["a", "b"]}).check() == []


def test_json_keeps_all_digits_and_types(lines: FileTarget) -> None:
    text = lines.written([{**ITEM, "d": Decimal("1234567890123456789.50"), "span": timedelta(hours=25)}])
    assert text == (
        '{"s":"a \\"b\\",\\n;é","i":-9223372036854775808,"f":0.1,"d":1234567890123456789.50,"b":false,'
        '"day":"2024-02-29","at":"2024-01-02T03:04:05.000006","utc":"2024-01-02T03:04:05Z","t":"01:02:03.000004",'
        '"raw":"00ff","span":"P1DT1H"}\n'
    )


def test_json_has_null_for_null_and_for_numbers_it_has_no_word_for(lines: FileTarget) -> None:
    rows = [{"a": None, "f": float("nan")}, {"a": Decimal("0.10"), "f": float("-inf")}]
    assert [json.loads(line) for line in lines.written(rows).splitlines()] == [
        {"a": None, "f": None},
        {"a": 0.1, "f": None},
    ]


def test_json_keeps_lists_and_records(lines: FileTarget) -> None:
    assert lines.written([{"a": [1, 2], "b": {"c": "x"}}]) == '{"a":[1,2],"b":{"c":"x"}}\n'


def test_a_file_that_is_there_stays_until_the_new_one_is_done(csv: FileTarget) -> None:
    csv.path.write_text("old")
    writer = csv.writer()
    with closing(writer):
        writer.open(None)
        write_chunks(writer, [[{"a": 1}]])
        assert csv.path.read_text() == "old"
        writer.finish()
    assert csv.path.read_text() == "a\n1\n"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path, is_there: bool) -> None:
    aim, link = tmp_path / "elsewhere" / "aim.csv", tmp_path / "out.csv"
    aim.parent.mkdir()
    if is_there:
        aim.write_text("old")
    link.symlink_to(aim)
    assert FileTarget(link, CsvItemWriter, {}).written([{"a": 1}]) == "a\n1\n"
    assert link.is_symlink()
    assert (aim.read_text(), [*aim.parent.iterdir()]) == ("a\n1\n", [aim])


def test_a_second_writer_of_the_same_file_is_refused(csv: FileTarget) -> None:
    first, second = csv.writer(), csv.writer()
    with closing(first), closing(second):
        first.open(None)
        with pytest.raises(OutputError, match=r"^out.csv: another process is writing it"):
            second.open(None)
        with pytest.raises(OutputError, match="another process is writing it"):
            second.finish()


@pytest.mark.parametrize("cut", [True, False])
def test_a_restart_refuses_a_part_file_that_is_shorter_or_gone(csv: FileTarget, cut: bool) -> None:
    writer = csv.writer()
    with closing(writer):
        writer.open(None)
        (state,) = write_chunks(writer, [[{"a": 1}]])
    (part,) = csv.path.parent.glob(".out.csv.01234567-1-step.part")
    if cut:
        os.truncate(part, 2)
    else:
        part.unlink()
    again = csv.writer()
    reason = "has 2 bytes, but the step had written 4" if cut else "is gone"
    with closing(again), pytest.raises(OutputError, match=f"out.csv: the unfinished output .*{reason}"):
        again.open(state)


def test_finishing_what_is_gone_is_an_error(csv: FileTarget) -> None:
    with closing(csv.writer()) as writer, pytest.raises(OutputError, match=r"the finished output .* is gone"):
        writer.finish()


def test_a_folder_that_is_missing_or_a_target_that_is_one_is_an_error(tmp_path: Path) -> None:
    missing = FileTarget(tmp_path / "no" / "out.csv", CsvItemWriter, {})
    with closing(missing.writer()) as writer, pytest.raises(OutputError, match=r"^out.csv: there is no folder .*/no$"):
        writer.open(None)
    folder = FileTarget(tmp_path, CsvItemWriter, {})
    with closing(folder.writer()) as writer, pytest.raises(OutputError, match="it is a folder"):
        writer.open(None)


def test_a_device_or_pipe_is_refused_and_keeps_its_name(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    for refused in (pipe, Path("/dev/batchrun-test")):
        with closing(PartFile(refused, refused.name, "1-step")) as part, pytest.raises(OutputError, match="a device"):
            part.begin()
        with pytest.raises(OutputError, match="a device"):
            GrowingFile(refused, refused.name).open(0)
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_full_disk_is_an_error_with_file_and_reason(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "out.csv", "out.csv", "1-step")
    (tmp_path / ".out.csv.1-step.part").symlink_to("/dev/full")
    part._descriptor = os.open("/dev/full", os.O_WRONLY)
    with closing(part), pytest.raises(OutputError, match=r"^out.csv: no space left on device$") as caught:
        part.write(b"x")
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_step_name_that_is_no_file_name_is_written_as_one(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "out.csv", "out.csv", "1-load/a b")
    with closing(part):
        part.begin()
        assert [each.name for each in tmp_path.iterdir()] == [".out.csv.1-load_a_b.part"]


def test_frames_are_written_without_rows(csv: FileTarget) -> None:
    chunk = chunk_of([{"a": 1}]).with_frame(pl.DataFrame({"a": [1]}))
    with closing(csv.writer()) as writer:
        writer.prepare(chunk)
    assert not chunk.has_rows


def test_a_writer_that_only_connects_leaves_everything_as_it_was(csv: FileTarget) -> None:
    with closing(csv.writer()) as first:
        first.connect()
        first.open(None)
        (state,) = write_chunks(first, [[{"a": 1}]])
    with closing(csv.writer()) as fenced:
        fenced.connect()
    with closing(csv.writer()) as again:
        again.connect()
        again.open(state)
        again.finish()
    assert csv.path.read_text() == "a\n1\n"


def test_a_writer_that_only_connects_leaves_no_file_of_its_own(csv: FileTarget) -> None:
    with closing(csv.writer()) as fenced:
        fenced.connect()
    assert list(csv.path.parent.iterdir()) == []


def test_finishing_again_keeps_what_was_published(csv: FileTarget) -> None:
    with closing(csv.writer()) as first:
        first.connect()
        first.open(None)
        write_chunks(first, [[{"a": 1}]])
        first.finish()
    with closing(csv.writer()) as again:
        again.connect()
        again.finish()
    assert [each.name for each in csv.path.parent.iterdir()] == ["out.csv"]
    assert csv.path.read_text() == "a\n1\n"
