"""The chunk step's work: read, process, write, commit, until the reader is at its end (SEMANTICS section 5).

Reading, processing and encoding run ahead of the writing (`pipeline.ahead`); the position of each chunk rides on the
chunk, so what is committed is always the position behind the items that were written, and no other.
"""

from __future__ import annotations

import logging

from batchrun.domain.definition import ChunkDefinition
from batchrun.engine.committing import DECIDED, Commits, is_of_resource
from batchrun.engine.item_points import ItemPoints
from batchrun.engine.pipeline import ahead
from batchrun.engine.preparing import EncodingLock, Preparation, streams
from batchrun.engine.retrying import Retrying
from batchrun.engine.work import StepWork
from batchrun.errors import FencedError, RepositoryError
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import Extent
from batchrun.spi.listener import Listener, Progress
from batchrun.spi.policies import SkipTally
from batchrun.spi.source import ChunkParts, FaultParts

_log = logging.getLogger("batchrun.engine")


class ChunkWork(StepWork):
    """Runs one attempt at a chunk step.

    Where its source or target fails as a whole and the step retries that, everything is opened anew behind the last
    commit, as a restart would do it: so the reply to a commit may be lost, and yet nothing is written twice.
    """

    def execute(self) -> None:
        """Writes all chunks from the checkpoint on, or as many as there are before a stop."""
        faults = self.run.components.fault_parts(self.start)
        self._retrying = Retrying(faults.retry, faults.backoff, self._tell_retry, self.wait, self.run.clock)
        self._trial, self._tally = self._retrying.trial(), SkipTally()
        while not self._opened_and_written(faults):
            self.close()

    def _opened_and_written(self, faults: FaultParts) -> bool:
        """Does the work between one opening of the components and the next; returns whether it is done."""
        self._is_partly_written = False
        try:
            self._write_from_checkpoint(faults)
        except (FencedError, RepositoryError):
            raise
        except Exception as error:
            if not (is_of_resource(error) or self._is_partly_written) or not self._trial.again(error):
                raise
            return False
        return True

    def _write_from_checkpoint(self, faults: FaultParts) -> None:
        parts = self.run.components.chunk_parts(self.start)
        self.opened.callback(parts.writer.close)
        self.store = parts.writer.connect()
        self.take_over()
        if not self.checkpoint.finished:
            self._write_chunks(parts, faults, self._open(parts, faults))
        if self.stopped:
            return
        if self.store is None:
            self.mark_finished()
        parts.writer.finish()

    def _open(self, parts: ChunkParts, faults: FaultParts) -> Extent:
        contexts = self.checkpoint.contexts
        self.opened.callback(parts.reader.close)
        extent = parts.reader.open(self.checkpoint.position)
        for key, stream in streams(parts):
            stream.restore(contexts.get(key, {}))
        parts.writer.open(contexts.get("writer") if self.checkpoint.sequence else None)
        if faults.rejects is not None:
            self.opened.callback(faults.rejects.close)
            faults.rejects.open(contexts.get("rejects"), self.checkpoint.run, self.store)
        self._report(None, extent)
        return extent

    def _write_chunks(self, parts: ChunkParts, faults: FaultParts, extent: Extent) -> None:
        work = self.definition.work
        assert isinstance(work, ChunkDefinition)
        encoding = EncodingLock(parts.writer)
        points = ItemPoints(self.listeners, self.run.execution, self.step)
        source = Preparation(
            parts, parts.completion, points, self._retrying, faults.skip.may_skip, encoding, self.times, self.run.clock
        )
        decided = self.checkpoint.contexts.get(DECIDED, {}).get("items", 0)
        how = work.tolerance.on_write_error
        commits = Commits(self, parts.writer, faults, encoding, how, self._tally, decided)
        with ahead(source.chunks(), work.read_ahead) as prepared_chunks:
            for prepared in self.times.waiting(prepared_chunks) if work.read_ahead else prepared_chunks:
                try:
                    commits.commit(prepared, self._trial)
                finally:
                    self._is_partly_written, self._tally = commits.has_parts, commits.tally
                self._trial = self._retrying.trial()
                self._report(prepared.chunk, extent)
                if self.should_stop():
                    self.stopped = True
                    return

    def _tell_retry(self, attempt: int, error: Exception) -> None:
        self.listeners.after(Listener.on_retry, self.run.execution, self.step, attempt, error)

    def _report(self, chunk: Chunk | None, extent: Extent) -> None:
        done = 0 if chunk is None else chunk.progress
        progress = Progress(done, extent.total, extent.unit)
        self.listeners.after(Listener.after_chunk, self.run.execution, self.step, chunk, progress)
