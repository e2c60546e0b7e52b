"""The writer `parquet`: items as a Parquet file, a row group for each chunk, published when the step is done."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from batchrun.components.files.columns import columns_problems
from batchrun.components.files.parquet_footer import MAGIC
from batchrun.components.files.parquet_part import end_file, record_of, records, schema_file
from batchrun.components.files.part_file import PartFile, part_tag
from batchrun.domain.execution import JsonObject
from batchrun.errors import OutputError, WriteError, first_line
from batchrun.spi import (
    Capabilities,
    CheckpointStore,
    Chunk,
    ComponentScope,
    ComponentSpec,
    Options,
    OptionsProblem,
    component,
    option,
)

if TYPE_CHECKING:
    import polars as pl

_LEVELS = {"zstd": (1, 22), "gzip": (0, 9)}


class ParquetWriterOptions(Options):
    """Options of the writer `parquet`."""

    path: Annotated[
        str, option("The file to write; it appears when the step is done.", examples=["out/trades.parquet"])
    ]
    columns: Annotated[
        list[str] | None, option("The columns to write, in this order; left out: all, as they come.")
    ] = None
    compression: Annotated[
        Literal["zstd", "snappy", "lz4", "gzip", "none"], option("How the pages are compressed.")
    ] = "zstd"
    level: Annotated[
        int | None, option("How hard: 1 to 22 for zstd, 0 to 9 for gzip; left out: the usual.", advanced=True)
    ] = None

    def check(self) -> list[OptionsProblem]:
        """Returns what no single option's type can say."""
        problems = columns_problems(self.columns, "leave it out to write all")
        if self.level is not None:
            first, last = _LEVELS.get(self.compression, (0, -1))
            if not first <= self.level <= last:
                told = f"goes from {first} to {last}" if self.compression in _LEVELS else "has no levels"
                problems.append(OptionsProblem(f"{self.compression} {told}, got {self.level}", ("level",)))
        return problems


SPEC = ComponentSpec(
    role="writer",
    name="parquet",
    summary="Writes items as a Parquet file.",
    options=ParquetWriterOptions,
    capabilities=Capabilities(restartable=True, truncating=True),
    example="type: parquet\npath: out/trades.parquet\n",
    description="""\
Each chunk is a row group: with `chunk: 100000` or so the file is small and quick to read, with 1,000 it is neither.
The file grows hidden beside its path, as `.NAME.REPOSITORY-INSTANCE-STEP.part`, and takes its name when the step is
done; a restart cuts it back to the last commit, so every item is in it exactly once.

The first chunk settles the columns and their types. A later one may have numbers of the same kind that fit into
them exactly, and nulls; an item with anything else is a WriteError. A first chunk with a column of nothing but nulls,
whose type nobody knows, fails the step. The processor `cast` gives a column its type. Categories become texts. A step
without items writes a file without columns.
""",
)


@dataclass(frozen=True, slots=True)
class EncodedRecord:
    """A chunk as a record of the part file."""

    record: bytes
    count: int


@component(SPEC)
class ParquetItemWriter:
    """Appends chunks to a part file, and gives it its footer in the end."""

    def __init__(self, options: ParquetWriterOptions, scope: ComponentScope) -> None:
        self._options = options
        self._part = PartFile(scope.path(options.path), options.path, part_tag(scope))
        self._schema: pl.Schema | None = None

    def connect(self) -> CheckpointStore | None:
        """Locks the part file, and cuts nothing yet; it has no transactions."""
        self._part.reserve()
        return None

    def open(self, state: JsonObject | None) -> None:
        """Begins the part file, or cuts it back to the last commit and learns the columns from what it holds."""
        self._schema = None
        if state is None:
            self._part.begin()
            self._part.write(MAGIC)
            return
        self._part.resume(state["bytes"])
        first = next(records(self._part), None)
        if first is not None:
            import polars as pl

            self._schema = pl.Schema(pl.read_parquet_schema(io.BytesIO(schema_file(first))))

    def prepare(self, chunk: Chunk) -> EncodedRecord:
        """Returns the chunk as a Parquet file of its own.

        Raises:
            WriteError: the items lack a column, or do not fit into the columns of the chunks before.
            OutputError: the type of a column is not known, or no file can hold it.
        """
        import polars as pl

        frame = self._selected(chunk)
        if self._schema is None:
            self._schema = self._settled(frame, chunk)
        frame = self._fitted(frame, self._schema, chunk)
        file = io.BytesIO()
        options = self._options
        compression = "uncompressed" if options.compression == "none" else options.compression
        try:
            frame.write_parquet(
                file, compression=compression, compression_level=options.level, row_group_size=frame.height
            )
        except pl.exceptions.PolarsError as error:
            raise OutputError(f"{options.path}: {chunk.span}: {first_line(error)}") from error
        return EncodedRecord(record_of(file.getvalue()), frame.height)

    def _selected(self, chunk: Chunk) -> pl.DataFrame:
        """Returns the columns to write, categories as texts."""
        import polars as pl

        frame = chunk.frame
        columns = self._options.columns or frame.columns
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise WriteError(f"the items have no column {missing[0]!r}", origin=chunk.span)
        texts = [name for name in columns if frame.schema[name] in (pl.Categorical, pl.Enum)]
        return frame.select(columns).with_columns(pl.col(texts).cast(pl.String) if texts else [])

    def _settled(self, frame: pl.DataFrame, chunk: Chunk) -> pl.Schema:
        import polars as pl

        unknown = [name for name, dtype in frame.schema.items() if dtype == pl.Null]
        if unknown:
            raise OutputError(
                f"{self._options.path}: column {unknown[0]!r} is null in all of {chunk.span}, so its type is not known",
                hint="the processor cast gives a column its type",
            )
        return frame.schema

    def _fitted(self, frame: pl.DataFrame, schema: pl.Schema, chunk: Chunk) -> pl.DataFrame:
        """Returns the frame in the types of the file."""
        import polars as pl

        if frame.schema == schema:
            return frame
        if frame.columns != schema.names():
            raise WriteError(
                f"the items have the columns {', '.join(frame.columns)}, but those before had "
                f"{', '.join(schema.names())}: the processor select gives all items the same",
                origin=chunk.span,
            )
        for column, dtype in frame.schema.items():
            if dtype != schema[column] and not _may_fit(dtype, schema[column]):
                before = schema[column]
                raise WriteError(
                    f"column {column!r} is {dtype}, but was {before} before: the processor cast gives it a type",
                    origin=chunk.span,
                )
        try:
            return frame.cast(schema, strict=True)
        except pl.exceptions.PolarsError as error:
            raise WriteError(
                f"a value does not fit into the type that its column had before: {first_line(error)}",
                origin=chunk.span,
            ) from error

    def write(self, prepared: EncodedRecord) -> int:
        """Appends the record."""
        self._part.write(prepared.record)
        return prepared.count

    def state(self) -> JsonObject | None:
        """Makes the part file durable and returns its length."""
        return {"bytes": self._part.sync()}

    def finish(self) -> None:
        """Writes the footer, and publishes the file."""
        if self._part.is_begun:
            end_file(self._part, _nothing())
        self._part.publish()

    def close(self) -> None:
        """Closes the file, and leaves it for a restart where it is not published."""
        self._part.close()


def _may_fit(dtype: pl.DataType, wanted: pl.DataType) -> bool:
    """Tells whether a cast that raises on overflow changes no value."""
    import polars as pl

    if isinstance(dtype, pl.List) and isinstance(wanted, pl.List):
        return _may_fit(dtype.inner, wanted.inner)  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct) and isinstance(wanted, pl.Struct):
        pairs = zip(dtype.fields, wanted.fields, strict=False)
        return len(dtype.fields) == len(wanted.fields) and all(
            each.name == other.name and _may_fit(each.dtype, other.dtype)  # type: ignore[arg-type]
            for each, other in pairs
        )
    if isinstance(dtype, pl.Decimal) and isinstance(wanted, pl.Decimal):
        return dtype.scale <= wanted.scale
    if dtype.is_float() and wanted == pl.Float64:
        return True
    return dtype in (pl.Null, wanted) or (dtype.is_integer() and wanted.is_integer())


def _nothing() -> bytes:
    import polars as pl

    file = io.BytesIO()
    pl.DataFrame().write_parquet(file)
    return file.getvalue()
