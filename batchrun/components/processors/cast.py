"""Processor `cast`: converts columns to other types, exactly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from batchrun.components.conversion import Column, convert, lost, unconverted
from batchrun.components.expressions import listed
from batchrun.errors import ProcessError, did_you_mean
from batchrun.spi.chunk import Chunk
from batchrun.spi.columns import ColumnType
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl


class CastOptions(Options):
    """Options of the processor `cast`."""

    columns: Annotated[
        dict[str, Annotated[str, option("A column type.", format="column-type")]],
        option("Types by column.", min_length=1, examples=[{"price": "decimal(12,2)", "day": "date(%d.%m.%Y)"}]),
    ]


def _schema(options: CastOptions, columns: pl.Schema | None) -> pl.Schema | None:
    if columns is None:
        return None
    import polars as pl

    problems = [
        OptionsProblem(
            f"there is no column {name!r}", ("columns", name), did_you_mean(name, columns) or listed(columns)
        )
        for name in options.columns
        if name not in columns
    ]
    types = {name: ColumnType.parse(text).dtype for name, text in options.columns.items()}
    out = pl.Schema({name: types.get(name, dtype) for name, dtype in columns.items()})
    if problems:
        raise OptionsError(problems, out)
    return out


SPEC = ComponentSpec(
    role="processor",
    name="cast",
    summary="Converts columns to other types.",
    options=CastOptions,
    example="""
type: cast
columns: {price: "decimal(12,2)", day: "date(%d.%m.%Y)"}
""",
    description=(
        "Text is read as the reader `csv` reads it; a value that is not exactly of the new type is an error of its "
        "item. A number becomes text as it is written, a date in ISO 8601."
    ),
    schema=_schema,
)


@component(SPEC)
class CastProcessor:
    """Casts columns of frames."""

    def __init__(self, options: CastOptions, scope: ComponentScope) -> None:
        del scope
        self._columns = [Column.parse(name, text) for name, text in options.columns.items()]

    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns the chunk with the columns converted.

        Raises:
            ProcessError: a value cannot be converted; names its item's origin.
        """
        frame = chunk.frame
        for column in self._columns:
            if column.name not in frame.columns:
                raise ProcessError(f"there is no column {column.name!r}", origin=chunk.span)
        converted = convert(frame, self._columns)
        for column in unconverted(converted, frame, self._columns):
            place = lost(converted[column.name], frame[column.name]).arg_max()
            assert place is not None
            raise ProcessError(column.refusal(frame[column.name][place]), origin=chunk.origin(place))
        return chunk.with_frame(converted)
