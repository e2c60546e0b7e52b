"""Calls the listeners at the points of items; where none of them hears one, no object of an item is made."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.engine.listeners import Listeners, Point
from batchrun.errors import ItemError, ListenerError, ProcessError
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.listener import Listener
from batchrun.spi.processing import located


@dataclass(frozen=True, slots=True)
class ItemPoints:
    """The points of reading and processing of one step execution, called by the thread that reads ahead.

    What a listener raises at a point of an item is an error of that item, with its origin.
    """

    listeners: Listeners
    execution: JobExecution
    step: StepExecution

    def before_read(self) -> None:
        """Tells that a chunk is about to be read."""
        self.listeners.before(Listener.before_read, self.execution, self.step)

    def after_read(self, chunk: Chunk) -> None:
        """Tells of each item that was read, and of each that could not be."""
        for error in chunk.errors:
            self.listeners.on_error(Listener.on_read_error, self.execution, self.step, error)
        if self.listeners.hears(Listener.after_read):
            for place, item in enumerate(chunk.rows):
                self._tell(self.listeners.after, Listener.after_read, chunk, place, item)

    def looks_at_items(self) -> bool:
        """Tells whether a listener hears of each item that is read."""
        return self.listeners.hears(
            Listener.after_read, Listener.before_process, Listener.after_process, Listener.on_filter
        )

    def before_process(self, chunk: Chunk) -> None:
        """Tells of each item that the processors are about to see."""
        if self.listeners.hears(Listener.before_process):
            for place, item in enumerate(chunk.rows):
                self._tell(self.listeners.before, Listener.before_process, chunk, place, item)

    def after_process(self, read: Chunk, made: Chunk, aside: Collection[int | None] = ()) -> None:
        """Tells what became of each item: what was made of it, or that it was dropped.

        Of a processor that changed the number of items without saying which it kept, nobody can tell.

        Args:
            read: the items as they were read.
            made: what the processors made of them.
            aside: the places among those read of the items that could not be processed.
        """
        if not self.listeners.hears(Listener.after_process, Listener.on_filter):
            return
        results = {made.source(place): made.rows[place] for place in range(len(made))}
        if None in results or None in aside:
            return
        for place, item in enumerate(read.rows):
            source = read.source(place)
            result = results.get(source)
            if source in aside:
                continue
            if result is None:
                self._tell(self.listeners.after, Listener.on_filter, read, place, item)
            else:
                self._tell(self.listeners.after, Listener.after_process, read, place, item, result)

    def _tell(self, tell: Callable[..., None], point: Point[...], chunk: Chunk, place: int, *items: Item) -> None:
        """Tells of the item at a place of a chunk."""
        try:
            tell(point, self.execution, self.step, *items)
        except ListenerError as error:
            raise located(error, ProcessError, chunk.origin(place), items[0]) from error

    def process_error(self, error: Exception) -> None:
        """Tells that a processor broke."""
        item = error.item if isinstance(error, ItemError) else None
        self.listeners.on_error(Listener.on_process_error, self.execution, self.step, item, error)
