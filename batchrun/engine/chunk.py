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
from batchrun.engine.pipeline import ahead
from batchrun.engine.work import StepWork
from batchrun.errors import FencedError, WriteError
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import Extent, ItemStream
from batchrun.spi.listener import Progress
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
        parts = self.run.components.chunk_parts(self.run.execution, self.definition, self.should_stop)
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
        streams = _streams(parts)
        while (chunk := parts.reader.read(items)) is not None:
            if chunk.errors:
                raise chunk.errors[0]
            for processor in parts.processors:
                chunk = apply(processor, chunk)
            payload = parts.writer.prepare(chunk) if len(chunk) else None
            yield PreparedChunk(chunk, payload, {key: stream.snapshot() for key, stream in streams})

    def _commit(self, parts: ChunkParts, prepared: PreparedChunk) -> None:
        """Writes a chunk and its checkpoint in one transaction, then tells the repository."""
        try:
            with self.transaction():
                written = parts.writer.write(prepared.payload) if len(prepared.chunk) else 0
                self.save_checkpoint(self._checkpoint_after(prepared, written, parts.writer.state()))
        except FencedError:
            raise
        except Exception as error:
            self.run.listeners.on_chunk_error(self.run.execution, self.step, prepared.chunk, error)
            raise_located(error, WriteError, prepared.chunk.span)
        self.save_progress()

    def _checkpoint_after(self, prepared: PreparedChunk, written: int, writer_state: JsonObject | None) -> Checkpoint:
        chunk, counts = prepared.chunk, self.step.counts.copy()
        counts.read += chunk.read_count
        counts.write += written
        counts.filter += max(chunk.read_count - len(chunk), 0)
        counts.commit += 1
        contexts = prepared.contexts if writer_state is None else {**prepared.contexts, "writer": writer_state}
        return self.checkpoint.after(self.step.id, chunk.position, contexts, counts)

    def _report(self, chunk: Chunk | None, extent: Extent) -> None:
        done = 0 if chunk is None else chunk.progress
        self.run.listeners.after_chunk(self.run.execution, self.step, chunk, Progress(done, extent.total, extent.unit))


def _streams(parts: ChunkParts) -> list[tuple[str, ItemStream]]:
    return [
        (f"processor.{place}", processor)
        for place, processor in enumerate(parts.processors)
        if isinstance(processor, ItemStream)
    ]
