"""Processor `rename`: gives columns other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from batchrun.components.expressions import listed
from batchrun.errors import ProcessError, did_you_mean
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, OptionsProblem, component, option

if TYPE_CHECKING:
    import polars as pl


class RenameOptions(Options):
    """Options of the processor `rename`."""

    columns: Annotated[
        dict[str, str],
        option("New names by old ones.", min_length=1, examples=[{"carrier": "airline", "dest": "destination"}]),
    ]

    def check(self) -> list[OptionsProblem]:
        """Checks that no two columns get one name."""
        names = list(self.columns.values())
        return [
            OptionsProblem(f"two columns are renamed to {new!r}", ("columns", old))
            for place, (old, new) in enumerate(self.columns.items())
            if new in names[:place]
        ]


def _schema(options: RenameOptions, columns: pl.Schema | None) -> pl.Schema | None:
    if columns is None:
        return None
    import polars as pl

    problems = [
        OptionsProblem(f"there is no column {old!r}", ("columns", old), did_you_mean(old, columns) or listed(columns))
        for old in options.columns
        if old not in columns
    ]
    problems += [
        OptionsProblem(f"there is a column {new!r} already", ("columns", old))
        for old, new in options.columns.items()
        if new in columns and new not in options.columns
    ]
    out = pl.Schema({options.columns.get(name, name): dtype for name, dtype in columns.items()})
    if problems:
        raise OptionsError(problems, out)
    return out


SPEC = ComponentSpec(
    role="processor",
    name="rename",
    summary="Gives columns other names; their order stays.",
    options=RenameOptions,
    example="""
type: rename
columns: {carrier: airline, dest: destination}
""",
    schema=_schema,
)


@component(SPEC)
class RenameProcessor:
    """Renames columns of frames."""

    def __init__(self, options: RenameOptions, scope: ComponentScope) -> None:
        del scope
        self._names = options.columns

    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns the chunk with the new names."""
        import polars as pl

        try:
            return chunk.with_frame(chunk.frame.rename(self._names, strict=True))
        except pl.exceptions.PolarsError as error:
            missing = [old for old in self._names if old not in chunk.frame.columns]
            reason = f"there is no column {missing[0]!r}" if missing else str(error)
            raise ProcessError(reason, origin=chunk.span) from error
