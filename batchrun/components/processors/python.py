"""Processor `python`: a function of a Python file beside the job, for an item or a whole frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from batchrun.errors import ProcessError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import ComponentSpec, Options, component, option


class PythonProcessorOptions(Options):
    """Options of the processor `python`."""

    call: Annotated[
        str,
        option("The function, as `module:name`; a file beside the job comes first.", format="reference", min_length=1),
    ]
    per: Annotated[
        Literal["item", "chunk"],
        option("What the function gets: one item as a dictionary, or the whole chunk as a polars DataFrame."),
    ] = "item"


def _schema(options: PythonProcessorOptions, columns: Any) -> None:
    """Tells that nobody knows the columns that a function returns."""
    del options, columns


def _costs(options: Mapping[str, Any]) -> list[str]:
    if options.get("per", "item") == "chunk":
        return []
    return ["makes a Python object of each item; `per: chunk` gives the function a whole frame"]


SPEC = ComponentSpec(
    role="processor",
    name="python",
    summary="Calls a Python function for each item or each chunk.",
    options=PythonProcessorOptions,
    example="""
type: python
call: "transforms:enrich"
""",
    description=(
        "For an item, the function returns the dictionary to write, which may be the one it got, or None to drop it. "
        "For a chunk, it returns a DataFrame; it is much faster, as no Python object is made for an item. An exception "
        "of the function is an error of its item, or of its chunk."
    ),
    schema=_schema,
    costs=_costs,
)


@component(SPEC)
class PythonProcessor:
    """Calls the function; made as one that works on items or on chunks, whichever the options say."""

    def __new__(cls, options: PythonProcessorOptions, scope: ComponentScope) -> PythonProcessor:
        """Returns a processor of the kind that the options ask for."""
        del scope
        return super().__new__(_OfChunks if options.per == "chunk" else _OfItems)

    def __init__(self, options: PythonProcessorOptions, scope: ComponentScope) -> None:
        self._reference = options.call
        self._function: Callable[..., Any] = scope.load(options.call)


class _OfItems(PythonProcessor):
    def process(self, item: Item) -> Item | None:
        """Returns what the function makes of the item."""
        result: Item | None = self._function(item)
        return result


class _OfChunks(PythonProcessor):
    def process_chunk(self, chunk: Chunk) -> Chunk:
        """Returns what the function makes of the chunk's frame."""
        import polars as pl

        result = self._function(chunk.frame)
        if not isinstance(result, pl.DataFrame):
            returned = f"{self._reference} returned {type(result).__name__} where a polars DataFrame is expected"
            raise ProcessError(returned, origin=chunk.span)
        return chunk.with_frame(result)
