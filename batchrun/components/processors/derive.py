"""Processor `derive`: sets columns to what expressions make of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from batchrun.components.expressions import evaluate, type_of
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl


class DeriveOptions(Options):
    """Options of the processor `derive`."""

    set: Annotated[
        dict[str, Annotated[str, option("An SQL expression.", format="expression", min_length=1)]],
        option("Columns with their expressions.", min_length=1, examples=[{"amount": "quantity * price"}]),
    ]


def _schema(options: DeriveOptions, columns: pl.Schema | None) -> pl.Schema | None:
    if columns is None:
        return None
    import polars as pl

    out, problems = dict(columns), list[OptionsProblem]()
    for name, text in options.set.items():
        found = type_of(text, pl.Schema(out), ("set", name))
        if isinstance(found, OptionsProblem):
            problems.append(found)
            out.setdefault(name, pl.Null())
        else:
            out[name] = found
    if problems:
        raise OptionsError(problems, pl.Schema(out))
    return pl.Schema(out)


SPEC = ComponentSpec(
    role="processor",
    name="derive",
    summary="Sets columns to what SQL expressions make of the others.",
    options=DeriveOptions,
    example="""
type: derive
set:
  amount: quantity * price
  is_large: amount > 10000
""",
    description=(
        "Expressions are evaluated in the order of the file, so a later one sees the columns that earlier ones set. A "
        "column that is there already is replaced, in its place; a new one comes last."
    ),
    schema=_schema,
)


@component(SPEC)
class DeriveProcessor:
    """Derives columns of whole frames."""

    def __init__(self, options: DeriveOptions, scope: ComponentScope) -> None:
        del scope
        self._set = options.set

    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns the chunk with the columns set."""
        frame = chunk.frame
        for name, text in self._set.items():
            frame = frame.with_columns(evaluate(text, chunk, frame, f"set {name!r} to").alias(name))
        return chunk.with_frame(frame)
