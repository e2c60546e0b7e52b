"""Processor `select`: keeps some columns, or drops some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from batchrun.components.expressions import absent
from batchrun.errors import ProcessError
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl


class SelectOptions(Options):
    """Options of the processor `select`."""

    columns: Annotated[list[str], option("The columns to keep, in this order.", examples=[["id", "price"]])] = []
    drop: Annotated[list[str], option("The columns to drop; the others stay.", examples=[["note"]])] = []

    def check(self) -> list[OptionsProblem]:
        """Checks that one of the two is given, and no column twice."""
        if bool(self.columns) == bool(self.drop):
            return [OptionsProblem("give either 'columns' to keep or columns to 'drop'")]
        return [
            OptionsProblem(f"column {name!r} stands twice", ("columns", place))
            for place, name in enumerate(self.columns)
            if name in self.columns[:place]
        ]

    def kept(self, columns: list[str]) -> list[str]:
        """Returns the names of the columns that stay."""
        return self.columns or [name for name in columns if name not in self.drop]


def _schema(options: SelectOptions, columns: pl.Schema | None) -> pl.Schema | None:
    if columns is None:
        return None
    import polars as pl

    problems = absent(options.columns, columns, ("columns",)) + absent(options.drop, columns, ("drop",))
    out = pl.Schema({name: columns[name] for name in options.kept(list(columns)) if name in columns})
    if problems:
        raise OptionsError(problems, out)
    return out


SPEC = ComponentSpec(
    role="processor",
    name="select",
    summary="Keeps some columns in the order given, or drops some.",
    options=SelectOptions,
    example="""
type: select
columns: [trade_id, isin, amount]
""",
    schema=_schema,
)


@component(SPEC)
class SelectProcessor:
    """Selects columns of frames."""

    def __init__(self, options: SelectOptions, scope: ComponentScope) -> None:
        del scope
        self._options = options

    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns the chunk with the columns that stay."""
        columns = chunk.frame.columns
        missing = [name for name in (*self._options.columns, *self._options.drop) if name not in columns]
        if missing:
            raise ProcessError(f"there is no column {missing[0]!r}", origin=chunk.span)
        return chunk.with_frame(chunk.frame.select(self._options.kept(columns)))
