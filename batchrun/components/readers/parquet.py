"""The reader `parquet`: the rows of a Parquet file, decoded in pieces of which a restart skips those it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from zlib import crc32

from batchrun.components.files.columns import columns_problems
from batchrun.components.files.parquet_footer import footer_of, group_rows
from batchrun.components.files.source import reason
from batchrun.domain.execution import JsonObject
from batchrun.errors import InputError, did_you_mean, first_line
from batchrun.spi import Chunk, ComponentScope, ComponentSpec, Extent, Options, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl

_PIECES_OF_GROUP = 16
"""A piece inside a row group costs going through all before it, so the cost of a group grows with their number."""

_LARGE_FOOTER = 1 << 18


class ParquetReaderOptions(Options):
    """Options of the reader `parquet`."""

    path: Annotated[str, option("The file.", examples=["data/trades.parquet"])]
    columns: Annotated[
        list[str] | None,
        option("The columns to read, in this order; left out: all. The others are not even decoded."),
    ] = None
    piece_rows: Annotated[
        int,
        option(
            "How many rows are decoded at a time, if a chunk has fewer; more where row groups are very large.",
            unit="rows",
            advanced=True,
            ge=1,
        ),
    ] = 1 << 17

    def check(self) -> list[OptionsProblem]:
        """Returns what no single option's type can say."""
        return columns_problems(self.columns, "leave it out to read all")


SPEC = ComponentSpec(
    role="reader",
    name="parquet",
    summary="Reads a Parquet file.",
    options=ParquetReaderOptions,
    example="type: parquet\npath: data/trades.parquet\ncolumns: [trade_id, price]\n",
    description="""\
Columns have the types of the file. A restart decodes nothing of the row groups that lie before its place. A restart on
another file than the one that the step had been reading fails: the file is known by its footer. Memory follows the
rows of a piece; a row group of many million rows is decoded in 16 pieces, as each has to go through those before it.
""",
)


@component(SPEC)
class ParquetItemReader:
    """Gives chunks cut out of the pieces that it decodes."""

    def __init__(self, options: ParquetReaderOptions, scope: ComponentScope) -> None:
        self._options = options
        self._path = scope.path(options.path)
        self._row = self._rows = 0
        self._mark = 0
        self._piece: pl.DataFrame | None = None
        self._piece_begin = 0
        self._piece_rows = options.piece_rows

    def open(self, position: JsonObject | None) -> Extent:
        """Looks at the footer, and goes to the position.

        Raises:
            InputError: there is no such file, it is no Parquet file, it lacks a column, or it is another one than
                before.
        """
        self._piece = None
        self._look()
        self._row = 0
        if position is not None:
            self._row = position["row"]
            self._refuse_changed(position)
        return Extent(self._rows, "items")

    def read(self, limit: int) -> Chunk | None:
        """Returns the next `limit` items."""
        begin, end = self._row, min(self._row + limit, self._rows)
        if begin == end:
            return None
        self._row = end
        return Chunk(
            frame=self._decoded(begin, end),
            position={"row": end, "rows": self._rows, "footer": self._mark},
            origins=ParquetOrigins(self._options.path, begin, end),
            progress=end,
        )

    def describe_position(self, position: JsonObject) -> str:
        """Returns the next row, counted from 1.

        Raises:
            InputError: the file is not there, or is another one.
        """
        self._look()
        self._refuse_changed(position)
        row = position["row"]
        return f"the end of {self._options.path}" if row == self._rows else f"{self._options.path}:row {row + 1}"

    def close(self) -> None:
        """Forgets what was decoded."""
        self._piece = None

    def _look(self) -> None:
        """Learns from the footer how many rows there are, and how large pieces should be; sees that columns exist."""
        import polars as pl

        name = self._options.path
        try:
            if not self._path.stat().st_size:
                raise InputError(f"{name}: it is empty, and no Parquet file")
            footer = footer_of(self._path)
        except OSError as error:
            raise InputError(f"{name}: {reason(error)}") from error
        try:
            scan = pl.scan_parquet(self._path, glob=False)
            columns = scan.collect_schema()
            self._rows = scan.select(pl.len()).collect().item()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{name}: it cannot be read as Parquet: {first_line(error)}") from error
        self._mark = crc32(footer)
        self._piece_rows = max(self._options.piece_rows, self._largest_group(footer) // _PIECES_OF_GROUP)
        for column in self._options.columns or ():
            if column not in columns:
                hint = did_you_mean(column, columns) or f"there are: {', '.join(columns)}"
                raise InputError(f"{name}: it has no column {column!r}", hint=hint)

    def _largest_group(self, footer: bytes) -> int:
        """Returns the rows of the largest row group, or 0 where there cannot be very large ones.

        Whoever has few rows has no large group, and whoever has a large footer has many groups, or columns for which
        no piece should grow: neither needs its footer parsed.
        """
        if self._rows <= _PIECES_OF_GROUP * self._options.piece_rows or len(footer) > _LARGE_FOOTER:
            return 0
        try:
            return max(group_rows(footer), default=0)
        except ValueError:  # polars takes it, so it is only a size that remains unknown
            return 0

    def _refuse_changed(self, position: JsonObject) -> None:
        name, hint = self._options.path, "give the file back as it was, or launch the job as a new instance"
        if position["rows"] != self._rows:
            raise InputError(
                f"{name} has changed: it has {self._rows} rows, and had {position['rows']} when the step "
                "was reading it",
                hint=hint,
            )
        if position["footer"] != self._mark:
            raise InputError(
                f"{name} has changed: it is another file than the step was reading, by its columns, statistics or "
                "places",
                hint=hint,
            )

    def _decoded(self, begin: int, end: int) -> pl.DataFrame:
        """Returns the rows between two places, decoding a piece that begins with the first one that is missing."""
        import polars as pl

        found: list[pl.DataFrame] = []
        while begin < end:
            if self._piece is None or not 0 <= begin - self._piece_begin < self._piece.height:
                self._piece = self._next_piece(begin, max(self._piece_rows, end - begin))
                self._piece_begin = begin
            place = begin - self._piece_begin
            found.append(self._piece.slice(place, end - begin))
            begin += found[-1].height
        return found[0] if len(found) == 1 else pl.concat(found, rechunk=False)

    def _next_piece(self, begin: int, rows: int) -> pl.DataFrame:
        import polars as pl

        scan = pl.scan_parquet(self._path, glob=False)
        if self._options.columns is not None:
            scan = scan.select(self._options.columns)
        try:
            piece = scan.slice(begin, rows).collect()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(
                f"{self._options.path}: rows {begin + 1} to {min(begin + rows, self._rows)} cannot be decoded: "
                f"{first_line(error)}"
            ) from error
        if not piece.height:
            raise InputError(f"{self._options.path} has changed: it ends at row {begin}", hint="give it back as it was")
        return piece


@dataclass(frozen=True, slots=True)
class ParquetOrigins:
    """Rows of a chunk's items, counted from 1.

    Attributes:
        name: the file as the user named it.
        begin: rows before the first item.
        end: rows up to the last one.
    """

    name: str
    begin: int
    end: int

    def of(self, index: int) -> str:
        """Returns `name:row N` of the item."""
        return f"{self.name}:row {self.begin + index + 1}"

    def span(self) -> str:
        """Returns `name:rows N-M`."""
        return f"{self.name}:rows {self.begin + 1}-{self.end}"
