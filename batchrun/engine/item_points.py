"""Calls the listeners at the points of items; where none of them hears one, no object of an item is made."""

from __future__ import annotations

from dataclasses import dataclass

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.engine.listeners import Listeners
from batchrun.errors import ItemError, ProcessError
from batchrun.spi.chunk import Chunk, Item


@dataclass(frozen=True, slots=True)
class ItemPoints:
    """The points of reading and processing of one step execution, called by the thread that reads ahead."""

    listeners: Listeners
    execution: JobExecution
    step: StepExecution

    def before_read(self) -> None:
        """Tells that a chunk is about to be read."""
        self.listeners.before(lambda each: each.before_read(self.execution, self.step))

    def after_read(self, chunk: Chunk) -> None:
        """Tells of each item that was read, and of each that could not be."""
        for error in chunk.errors:
            self._read_error(error)
        if self.listeners.hears("after_read"):
            for item in chunk.rows:
                self._read(item)

    def _read(self, item: Item) -> None:
        self.listeners.after(lambda each: each.after_read(self.execution, self.step, item))

    def _read_error(self, error: ItemError) -> None:
        self.listeners.after(lambda each: each.on_read_error(self.execution, self.step, error))

    def before_process(self, chunk: Chunk) -> None:
        """Tells of each item that the processors are about to see."""
        if self.listeners.hears("before_process"):
            for item in chunk.rows:
                self._about_to_process(item)

    def _about_to_process(self, item: Item) -> None:
        self.listeners.before(lambda each: each.before_process(self.execution, self.step, item))

    def after_process(self, read: Chunk, made: Chunk) -> None:
        """Tells what became of each item: what was made of it, or that it was dropped.

        Of a processor that changed the number of items without saying which it kept, nobody can tell.
        """
        if not self.listeners.hears("after_process", "on_filter"):
            return
        results = {made.source(place): made.rows[place] for place in range(len(made))}
        if None in results:
            return
        for place, item in enumerate(read.rows):
            source = read.source(place)
            if source in results:
                self._processed(item, results[source])
            else:
                self._filtered(item)

    def _processed(self, item: Item, result: Item) -> None:
        self.listeners.after(lambda each: each.after_process(self.execution, self.step, item, result))

    def _filtered(self, item: Item) -> None:
        self.listeners.after(lambda each: each.on_filter(self.execution, self.step, item))

    def process_error(self, error: ProcessError) -> None:
        """Tells that a processor broke."""
        self.listeners.after(lambda each: each.on_process_error(self.execution, self.step, error.item, error))
