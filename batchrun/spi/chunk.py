"""The chunk: the items of one transaction, with three faces, rows, frame and text (DESIGN section 4).

Rows and frame are made from each other, and from the text, when somebody asks for them, at most once. Where nobody asks
for rows, no Python object per item ever exists; where nobody asks for the frame either, no item is even parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Union

from batchrun.domain.execution import JsonObject
from batchrun.errors import ItemError
from batchrun.spi.rows import MANY, GivenValues, frame_of

if TYPE_CHECKING:
    import polars as pl

    from batchrun.spi.text import ItemText


Item = dict[str, Any]
"""One record: column name to value, in column order; None is null."""

Places = Union[Sequence[int], "pl.Series"]
"""For each item of a derived chunk, the place of the item it was made from; a polars Series of integers will do."""


class Origins(Protocol):
    """Where the items of a chunk came from; asked only when something failed, so it may be slow."""

    def of(self, index: int) -> str:
        """Returns the origin of the item that was read at this place (0-based) of the chunk, such as `a.csv:17`."""
        ...

    def span(self) -> str:
        """Returns the origin of the whole chunk, such as `a.csv:17-1016`."""
        ...


class Chunk:
    """Items of one transaction in the order they were read, and what a restart needs to go on after them.

    A processor derives a new chunk by `with_frame` or `with_rows`; position, counts and origins ride along.

    Attributes:
        position: where the reader goes on once this chunk is committed; JSON.
        text: the items as the reader received them, where it offers that and no processor has made others of them.
        read_count: items read into this chunk, whatever processors made of them.
        errors: items that the reader could not read; they are not among the rows.
        progress: how far the reader is after this chunk, in the units of its `Extent`.
    """

    __slots__ = (
        "_frame",
        "_given",
        "_hint",
        "_kept",
        "_origins",
        "_rows",
        "errors",
        "position",
        "progress",
        "read_count",
        "text",
    )

    def __init__(
        self,
        *,
        frame: pl.DataFrame | None = None,
        rows: list[Item] | None = None,
        text: ItemText | None = None,
        position: JsonObject,
        origins: Origins,
        errors: Sequence[ItemError] = (),
        progress: int = 0,
        schema: pl.Schema | None = None,
    ) -> None:
        if sum(face is not None for face in (frame, rows, text)) != 1:
            raise ValueError("a chunk is made of either a frame, rows or text")
        self._frame = frame
        self._rows = rows
        self.text = text
        self._hint = frame.schema if frame is not None else schema
        self._given: tuple[GivenValues, Places | None] | None = None
        self._origins = origins
        self._kept: tuple[Places, ...] | None = ()
        self.position = position
        self.errors = tuple(errors)
        self.progress = progress
        self.read_count = len(self)

    def __len__(self) -> int:
        """Number of items."""
        if self._rows is not None:
            return len(self._rows)
        if self._frame is not None:
            return self._frame.height
        assert self.text is not None
        return len(self.text)

    @property
    def has_rows(self) -> bool:
        """Tells whether the rows exist already, so that asking for them costs nothing."""
        return self._rows is not None

    @property
    def rows(self) -> list[Item]:
        """The items as dictionaries; made from the frame at the first call. Not to be changed in place."""
        if self._rows is None:
            self._rows = list(self.own_rows())
        return self._rows

    def own_rows(self) -> Iterator[Item]:
        """Yields the items as dictionaries, made for the caller, who may change them."""
        if self._rows is not None:
            return map(dict, self._rows)
        if self._given is None:
            if len(self) < MANY:
                return iter(self.frame.to_dicts())
            self._given = GivenValues(self.frame), None
        return self._given[0].items()

    @property
    def frame(self) -> pl.DataFrame:
        """The items as a polars frame; made from the rows or the text at the first call.

        A column of nothing but None takes the type it had when it was last a frame. Decimal columns keep their
        scale where no item needs a larger one.

        Raises:
            ProcessError: the items disagree about a column's type, or a value has no place in one.
            InputError: the text holds a value that does not fit its column.
        """
        if self._frame is None and self._rows is None:
            assert self.text is not None
            self._frame = self.text.frame
            self._hint = self._frame.schema
        elif self._frame is None:
            assert self._rows is not None
            self._frame = frame_of(self._rows, self._hint, self._given, self._origins.span)
            self._given = None
        return self._frame

    @property
    def columns(self) -> list[str]:
        """The names of the items' columns; of a text without making a frame of it."""
        return self.frame.columns if self.text is None else list(self.text.columns)

    def with_frame(self, frame: pl.DataFrame, kept: Places | None = None) -> Chunk:
        """Returns a chunk with these items instead.

        Args:
            frame: the new items.
            kept: for each new item, the place in this chunk of the item it was made from; None where there is one
                new item for each old one, in order.
        """
        return self._derived(frame, None, kept)

    def with_rows(self, rows: list[Item], kept: Places | None = None) -> Chunk:
        """Returns a chunk with these items instead; `kept` as for `with_frame`."""
        return self._derived(None, rows, kept)

    def slice(self, start: int, length: int) -> Chunk:
        """Returns the items from `start` on, at most `length`, as a chunk with the same position and origins."""
        kept: Places = range(start, min(start + length, len(self)))
        if self.text is not None:
            part = self._derived(None, None, kept, self.text.slice(start, length))
            part._frame = None if self._frame is None else self._frame.slice(start, length)
            return part
        if self._frame is not None:
            return self._derived(self._frame.slice(start, length), None, kept)
        return self._derived(None, self.rows[start : start + length], kept)

    def joined(self, parts: Sequence[Chunk]) -> Chunk:
        """Returns the items of parts, each derived from a slice of this chunk, as one chunk derived from it.

        In rows where a part has them already, so that nothing is made twice.
        """
        places = {self.source(place): place for place in range(len(self))}
        sources = [part.source(place) for part in parts for place in range(len(part))]
        kept = None if None in sources or None in places else [places[source] for source in sources]
        return self._derived(*(_faces(parts) if parts else (None, [])), kept)

    @classmethod
    def merged(cls, chunks: Sequence[Chunk]) -> Chunk:
        """Returns the items of chunks that were read one after the other as one, with the position behind the last.

        Places count on from chunk to chunk, so that each item is still known to be made of the one that was read.
        """
        if len(chunks) == 1:
            return chunks[0]
        first, last = chunks[0], chunks[-1]
        merged = first._derived(*_faces(chunks), ())
        merged._origins = MergedOrigins([(each.read_count, each._origins) for each in chunks])
        merged._kept = _merged_places(chunks)
        merged.position, merged.progress = last.position, last.progress
        merged.read_count = sum(each.read_count for each in chunks)
        merged.errors = tuple(error for each in chunks for error in each.errors)
        return merged

    def origin(self, index: int) -> str:
        """Returns where the item at this place came from, or the whole chunk's origin where that is not known."""
        source = self.source(index)
        return self._origins.span() if source is None else self._origins.of(source)

    def source(self, index: int) -> int | None:
        """Returns the place, among the items as they were read, of the one that this one was made from, or None."""
        if self._kept is None:
            return None
        for places in reversed(self._kept):
            index = places[index]
        return index

    @property
    def span(self) -> str:
        """Where the chunk's items came from, such as `flights.csv:2-1001`."""
        return self._origins.span()

    def _derived(
        self, frame: pl.DataFrame | None, rows: list[Item] | None, kept: Places | None, text: ItemText | None = None
    ) -> Chunk:
        new = Chunk.__new__(Chunk)
        new._frame, new._rows, new.text = frame, rows, text
        new._hint = frame.schema if frame is not None else self._hint
        new._given = self._given_to(rows, kept)
        new._origins = self._origins
        if kept is not None:
            new._kept = None if self._kept is None else (*self._kept, kept)
        else:
            new._kept = self._kept if len(new) == len(self) else None
        new.position, new.read_count = self.position, self.read_count
        new.errors, new.progress = self.errors, self.progress
        return new

    def _given_to(self, rows: list[Item] | None, kept: Places | None) -> tuple[GivenValues, Places | None] | None:
        """Returns the values that items made of these began with, and their places among them; None where unknown."""
        if rows is None or self._given is None or (kept is None and len(rows) != len(self)):
            return None
        values, places = self._given
        if places is None or kept is None:
            return values, places if kept is None else kept
        return values, [places[each] for each in kept]


class MergedOrigins:
    """Where the items of several chunks came from that were read one after the other."""

    def __init__(self, parts: Sequence[tuple[int, Origins]]) -> None:
        """Takes, for each chunk, how many items were read into it, and their origins."""
        self._parts = parts

    def of(self, index: int) -> str:
        """Returns the origin of the item that was read at this place."""
        for count, origins in self._parts:
            if index < count:
                return origins.of(index)
            index -= count
        raise IndexError(index)

    def span(self) -> str:
        """Returns the origins of the first and the last item, as one where they are in one file."""
        read = [(count, origins) for count, origins in self._parts if count]
        if not read:
            return self._parts[0][1].span()
        (_, first), (count, last) = read[0], read[-1]
        begin, end = first.of(0), last.of(count - 1)
        name, _, place = begin.rpartition(":")
        other, _, end_place = end.rpartition(":")
        return f"{name}:{place}-{end_place}" if name and name == other else f"{begin} to {end}"


def _faces(chunks: Sequence[Chunk]) -> tuple[pl.DataFrame | None, list[Item] | None]:
    """Returns the items of several chunks as a frame, or as rows where one has them already."""
    if any(each.has_rows for each in chunks):
        return None, [row for each in chunks for row in each.rows]
    import polars as pl

    return pl.concat([each.frame for each in chunks], how="vertical_relaxed", rechunk=True), None


def _merged_places(chunks: Sequence[Chunk]) -> tuple[Places, ...] | None:
    """Returns, for each item of several chunks, which of all that were read it was made from; None where unknown."""
    if all(each._kept == () for each in chunks):
        return ()
    places: list[int] = []
    before = 0
    for chunk in chunks:
        sources = [chunk.source(place) for place in range(len(chunk))]
        if None in sources:
            return None
        places += [before + source for source in sources if source is not None]
        before += chunk.read_count
    return (places,)
