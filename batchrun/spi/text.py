"""The text of a chunk's items, as a source sends it and a target of its kind reads it: the chunk's third face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import polars as pl


class ItemText(Protocol):
    """Items as text, or in another form of bytes, that nobody has looked into.

    A reader may give a chunk this face in place of a frame. It goes on as it is to a writer that takes it, and becomes
    a frame when somebody asks for one. *Shape*: one or more items, none where it only shows a form; their number is
    exact. *Repeat*: the same text and the same frame each time. *Threads*: any, also several at once. *Errors*:
    `frame` raises what the reader would have raised for a value that does not fit its column.
    """

    @property
    def form(self) -> str:
        """The name of the format, such as `postgresql copy text`; a writer takes those that it knows."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """The type of each column as the source names it, in the order of the fields; a frame may have another order.

        Empty where the frame would have it in another one, so that the text is not to be passed on.
        """
        ...

    @property
    def data(self) -> bytes:
        """The items."""
        ...

    @property
    def frame(self) -> pl.DataFrame:
        """The items as a frame."""
        ...

    def __len__(self) -> int:
        """Number of items."""
        ...

    def slice(self, start: int, length: int) -> ItemText:
        """Returns the items from `start` on, at most `length`."""
        ...


@runtime_checkable
class TextReader(Protocol):
    """What an ItemReader may offer besides: it can give the text of its items in several forms.

    *Threads*: as for `ItemReader.read`.
    """

    def agree(self, takes: Callable[[ItemText], bool]) -> None:
        """Settles on the first of its forms that is taken, shown without items; a form that anybody can parse if none.

        Called once, between `open` and the first `read`, and only where nobody looks at each item.
        """
        ...


@runtime_checkable
class TextWriter(Protocol):
    """What an ItemWriter may offer besides: it takes the text of items as it is, and leaves their frame unmade.

    *Threads*: as for `ItemWriter.prepare`.
    """

    def takes_text(self, text: ItemText) -> bool:
        """Tells whether `prepare` would make do with this text of a chunk."""
        ...
