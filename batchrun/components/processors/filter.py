"""Processor `filter`: keeps the items for which a condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from batchrun.components.expressions import condition_problem, evaluate
from batchrun.errors import ProcessError
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, component, option

if TYPE_CHECKING:
    import polars as pl


class FilterOptions(Options):
    """Options of the processor `filter`."""

    where: Annotated[
        str,
        option("The condition of the items to keep.", format="expression", min_length=1, examples=["quantity > 0"]),
    ]


def _schema(options: FilterOptions, columns: pl.Schema | None) -> pl.Schema | None:
    if columns is None:
        return None
    if problem := condition_problem(options.where, columns, ("where",)):
        raise OptionsError([problem], columns)
    return columns


SPEC = ComponentSpec(
    role="processor",
    name="filter",
    summary="Keeps the items for which a condition holds, and drops the others.",
    options=FilterOptions,
    example="""
type: filter
where: quantity > 0 AND isin IS NOT NULL
""",
    description=(
        "The condition is an SQL expression over the columns. An item for which it is null is dropped, as in SQL. What "
        "is dropped shows as filtered in the history."
    ),
    schema=_schema,
)


@component(SPEC)
class FilterProcessor:
    """Filters whole frames."""

    def __init__(self, options: FilterOptions, scope: ComponentScope) -> None:
        del scope
        self._where = options.where

    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns the chunk of the items that are kept."""
        import polars as pl

        frame = chunk.frame
        mask = evaluate(self._where, chunk, frame, "where")
        if mask.dtype not in (pl.Boolean, pl.Null):
            raise ProcessError(f"{self._where!r} is no condition but a {mask.dtype}", origin=chunk.span)
        mask = mask.cast(pl.Boolean).fill_null(value=False)
        if mask.all():
            return chunk
        return chunk.with_frame(frame.filter(mask), mask.arg_true())
