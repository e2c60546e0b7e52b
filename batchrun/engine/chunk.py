"""The chunk step's work: read, process, write, commit, until the reader is at its end (SEMANTICS section 5).

Reading, processing and preparing run ahead of the writing (`pipeline.ahead`); the position of each chunk rides on
the chunk, so what is committed is always the position behind the items that were written, and no other.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from batchrun.domain.definition import ChunkDefinition
from batchrun.domain.execution import Checkpoint, JsonObject
from batchrun.engine.item_points import ItemPoints
from batchrun.engine.pipeline import ahead
from batchrun.engine.work import StepWork
from batchrun.errors import FencedError, ProcessError, WriteError
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import Extent, ItemStream
from batchrun.spi.listener import Listener, Progress
from batchrun.spi.processing import apply, raise_located
from batchrun.spi.source import ChunkParts


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk ready to be written: processed, encoded, with the state its components had after it."""

    chunk: Chunk
    payload: Any
    contexts: dict[str, JsonObject]


class ChunkWork(StepWork):
    """Runs one attempt at a chunk step."""

    def execute(self) -> None:
        """Writes all chunks from the checkpoint on, or as many as there are before a stop."""
        parts = self.run.components.chunk_parts(self.start)
        self.opened.callback(parts.writer.close)
        self.store = parts.writer.connect()
        self.take_over()
        if not self.checkpoint.finished:
            self._write_chunks(parts, self._open(parts))
        if self.stopped:
            return
        if self.store is None:
            self.mark_finished()
        parts.writer.finish()

    def _open(self, parts: ChunkParts) -> Extent:
        self.opened.callback(parts.reader.close)
        extent = parts.reader.open(self.checkpoint.position)
        for key, stream in _streams(parts):
            stream.restore(self.checkpoint.contexts.get(key, {}))
        parts.writer.open(self.checkpoint.contexts.get("writer") if self.checkpoint.sequence else None)
        self._report(None, extent)
        return extent

    def _write_chunks(self, parts: ChunkParts, extent: Extent) -> None:
        work = self.definition.work
        assert isinstance(work, ChunkDefinition)
        with ahead(self._prepared_chunks(parts, work.items), work.read_ahead) as prepared_chunks:
            for prepared in prepared_chunks:
                self._commit(parts, prepared)
                self._report(prepared.chunk, extent)
                if self.should_stop():
                    self.stopped = True
                    return

    def _prepared_chunks(self, parts: ChunkParts, items: int) -> Generator[PreparedChunk, None, None]:
        points = ItemPoints(self.listeners, self.run.execution, self.step)
        while (chunk := self._read(parts, items, points)) is not None:
            made = self._processed(parts, chunk, points)
            payload = parts.writer.prepare(made) if len(made) else None
            yield PreparedChunk(made, payload, {key: stream.snapshot() for key, stream in _streams(parts)})

    def _read(self, parts: ChunkParts, items: int, points: ItemPoints) -> Chunk | None:
        points.before_read()
        chunk = parts.reader.read(items)
        if chunk is not None:
            points.after_read(chunk)
            if chunk.errors:
                raise chunk.errors[0]
        return chunk

    def _processed(self, parts: ChunkParts, chunk: Chunk, points: ItemPoints) -> Chunk:
        points.before_process(chunk)
        made = chunk
        try:
            for processor in parts.processors:
                made = apply(processor, made)
        except ProcessError as error:
            points.process_error(error)
            raise
        points.after_process(chunk, made)
        return made

    def _commit(self, parts: ChunkParts, prepared: PreparedChunk) -> None:
        """Writes a chunk and its checkpoint in one transaction, then tells the repository."""
        execution, step, chunk = self.run.execution, self.step, prepared.chunk
        self.listeners.before(Listener.before_chunk, execution, step, chunk)
        try:
            with self.transaction():
                written = self._written(parts, prepared) if len(chunk) else 0
                self.save_checkpoint(self._checkpoint_after(prepared, written, parts.writer.state()))
        except FencedError:
            raise
        except Exception as error:
            self.listeners.on_error(Listener.on_chunk_error, execution, step, chunk, error)
            raise_located(error, WriteError, chunk.span)
        self.save_progress()

    def _written(self, parts: ChunkParts, prepared: PreparedChunk) -> int:
        execution, step, chunk = self.run.execution, self.step, prepared.chunk
        self.listeners.before(Listener.before_write, execution, step, chunk)
        try:
            written = parts.writer.write(prepared.payload)
        except Exception as error:
            self.listeners.on_error(Listener.on_write_error, execution, step, chunk, error)
            raise
        self.listeners.after(Listener.after_write, execution, step, chunk)
        return written

    def _checkpoint_after(self, prepared: PreparedChunk, written: int, writer_state: JsonObject | None) -> Checkpoint:
        chunk, counts = prepared.chunk, self.step.counts.copy()
        counts.read += chunk.read_count
        counts.write += written
        counts.filter += max(chunk.read_count - len(chunk), 0)
        counts.commit += 1
        contexts = prepared.contexts if writer_state is None else {**prepared.contexts, "writer": writer_state}
        return self.checkpoint.after(self.step.id, chunk.position, self.contexts(contexts), counts)

    def _report(self, chunk: Chunk | None, extent: Extent) -> None:
        done = 0 if chunk is None else chunk.progress
        progress = Progress(done, extent.total, extent.unit)
        self.listeners.after(Listener.after_chunk, self.run.execution, self.step, chunk, progress)


def _streams(parts: ChunkParts) -> list[tuple[str, ItemStream]]:
    return [
        (f"processor.{place}", processor)
        for place, processor in enumerate(parts.processors)
        if isinstance(processor, ItemStream)
    ]
