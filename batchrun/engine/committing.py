"""Commits chunks: each in one transaction with its checkpoint and rejects, tried again, or narrowed down.

A chunk is atomic: either its good items, skips, rejects, counts and position are committed, or nothing of it is. Where
a target has no savepoints, it is narrowed down by transactions, each of which saves how many items are decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from batchrun.domain.execution import JsonObject, StepCounts
from batchrun.domain.tolerance import OnWriteError, Phase, causes
from batchrun.engine.narrowing import Attempt, Narrowing, refusals_of
from batchrun.engine.preparing import EncodingLock, PreparedChunk
from batchrun.engine.retrying import Trial
from batchrun.engine.work import StepWork
from batchrun.errors import (
    DatabaseError,
    FencedError,
    InputError,
    ItemError,
    OutputError,
    RepositoryError,
    SkipLimitExceededError,
    WriteError,
)
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import ItemWriter
from batchrun.spi.listener import Listener
from batchrun.spi.policies import SkipTally
from batchrun.spi.processing import located
from batchrun.spi.rejects import Reject
from batchrun.spi.source import FaultParts

DECIDED = "decided"
"""Key in a checkpoint's contexts: how many items behind its position are decided already."""


def is_of_resource(error: BaseException) -> bool:
    """Tells whether the source or target failed as a whole, which is no item's fault."""
    return any(isinstance(each, DatabaseError | OutputError | InputError) for each in causes(error))


def _located(error: Exception, chunk: Chunk) -> Exception:
    """Returns an error of writing the chunk, with the origin of its item or, where nobody knows it, of them all."""
    if len(chunk) == 1:
        return located(error, WriteError, chunk.origin(0), chunk.rows[0])
    place = error.place if isinstance(error, ItemError) else None
    if place is None or not 0 <= place < len(chunk):
        return located(error, WriteError, chunk.span)
    return located(error, WriteError, chunk.origin(place))


def _of_item(error: Exception, item: Chunk) -> Exception:
    """Returns the error that told which item of several was bad as one of that item alone."""
    if isinstance(error, ItemError) and error.item is None:
        error.item = item.rows[0]
    return error


def _let_go(error: BaseException) -> None:
    """Drops the tracebacks of an error that was tolerated.

    Their frames, and those that called them, hold the whole chunk, and the error too. Such a ring would stay until
    Python looks for rings, which it does by the number of objects, of which a chunk has few, not by their size.
    """
    for each in causes(error):
        each.__traceback__ = None


def _kept(chunk: Chunk, refusals: Sequence[ItemError]) -> Iterator[Chunk]:
    """Yields what a target has kept between the items that it has refused."""
    if refusals:
        start = 0
        for end in [*(each.place or 0 for each in refusals), refusals[0].decided]:
            if start < end:
                yield chunk.slice(start, end - start)
            start = end + 1


@dataclass(slots=True)
class Decided:
    """What has become of the items of a chunk, or of a part of it, and is not committed yet.

    Attributes:
        items: how many of the chunk's items are decided, written or not.
        written: how many the target kept.
        rejects: those that were skipped, in whatever phase.
        tally: what the step execution will have skipped with them.
        tolerated: the errors of attempts that led to them.
    """

    tally: SkipTally
    items: int = 0
    written: int = 0
    rejects: list[Reject] = field(default_factory=list)
    tolerated: list[Exception] = field(default_factory=list)


Write = Callable[[PreparedChunk, Decided], None]
"""Writes a chunk in the transaction that is open, and notes what it comes to."""


@dataclass(slots=True)
class Commits:
    """The commits of a chunk step, between one opening of its components and the next.

    Attributes:
        tally: what the step execution has skipped so far.
        decided: how many of the items to come an earlier opening or execution has decided.
        has_parts: a part of the chunk at hand is committed, so that it can go on only by opening the step anew.
    """

    work: StepWork
    writer: ItemWriter
    faults: FaultParts
    encoding: EncodingLock
    on_write_error: OnWriteError
    tally: SkipTally
    decided: int = 0
    has_parts: bool = False
    _decided_before: int = field(default=0, init=False)

    def commit(self, prepared: PreparedChunk, trial: Trial) -> None:
        """Writes a chunk and commits it, with what its errors come to.

        Raises:
            StepError: the chunk failed, or the target did as a whole; nothing of the chunk is committed, or, without
                savepoints, what had been decided of it.
        """
        prepared = self._undecided(prepared)
        self._tell_before(prepared.chunk)
        error = self._attempted(prepared, self._write_whole, trial)
        if error is not None and self._may_skip(error):
            error = self._attempted(prepared, self._skipping(error), trial)
        if error is not None:
            raise error

    def _undecided(self, prepared: PreparedChunk) -> PreparedChunk:
        """Leaves out of a chunk the items that an earlier execution has decided."""
        self._decided_before = 0
        if not self.decided:
            return prepared
        count = min(self.decided, len(prepared.chunk))
        self.decided -= count
        self._decided_before = count
        return prepared.behind(count, self.encoding)

    def _may_skip(self, error: Exception) -> bool:
        return (
            self.on_write_error is not OnWriteError.FAIL
            and not is_of_resource(error)
            and self.faults.skip.may_skip(error)
        )

    def _attempted(self, prepared: PreparedChunk, write: Write, trial: Trial) -> Exception | None:
        """Writes the chunk in one transaction and commits it, as often as it may be tried; returns the last error.

        Raises:
            StepError: it is of a kind that neither another attempt nor skipping could mend here.
        """
        while (error := self._once(prepared, write)) is not None:
            if is_of_resource(error) or self.has_parts or not trial.again(error):
                return error
            _let_go(error)
        return None

    def _once(self, prepared: PreparedChunk, write: Write) -> Exception | None:
        try:
            with self.work.transaction():
                decided = self._begun(prepared)
                write(prepared, decided)
                self._save(prepared, decided)
        except (FencedError, RepositoryError, SkipLimitExceededError):
            raise
        except Exception as error:
            if self.faults.rejects is not None:
                self.faults.rejects.cut_back(self.work.checkpoint.contexts.get("rejects"))
            self._tell_error(prepared.chunk, error)
            return _located(error, prepared.chunk)
        self._told(decided)
        return None

    def _begun(self, prepared: PreparedChunk) -> Decided:
        """Returns the decisions that reading and processing have come to.

        Raises:
            SkipLimitExceededError: too many items failed there.
        """
        decided = Decided(self.tally.copy())
        unread = sum(reject.phase is Phase.READ for reject in prepared.rejects)
        decided.tally.items += prepared.read.read_count + unread
        for reject in prepared.rejects:
            self._reject(reject, decided)
        return decided

    def _reject(self, reject: Reject, decided: Decided) -> None:
        self.faults.skip.check(reject.error, decided.tally)
        decided.tally.add(reject.error)
        decided.rejects.append(reject)

    # --- ways to write ---

    def _write_whole(self, prepared: PreparedChunk, decided: Decided) -> None:
        if not len(prepared.chunk):
            return
        if prepared.error is not None:
            raise prepared.error
        decided.written += self._written(prepared.chunk, prepared.payload)

    def _skipping(self, error: Exception) -> Write:
        """Returns the way to write a chunk without its bad items."""
        if self.on_write_error is OnWriteError.SKIP_CHUNK:
            return lambda prepared, decided: self._skip_whole(prepared, decided, error)
        by = self._by_savepoints if self.work.store is not None else self._by_transactions
        return lambda prepared, decided: by(prepared, decided, error)

    def _skip_whole(self, prepared: PreparedChunk, decided: Decided, error: Exception) -> None:
        for place in range(len(prepared.chunk)):
            self._reject_item(prepared, place, error, decided)

    def _by_savepoints(self, prepared: PreparedChunk, decided: Decided, error: Exception) -> None:
        store = self.work.store
        assert store is not None

        def attempt(part: Chunk) -> int | Exception:
            store.savepoint()
            outcome = self._part_written(prepared, part, decided)
            if isinstance(outcome, int):
                store.release()
                return outcome
            store.rollback_to_savepoint()
            self.work.step.counts.rollback += 1
            return self._skippable(outcome, decided)

        self._narrow(prepared, decided, error, attempt)

    def _by_transactions(self, prepared: PreparedChunk, decided: Decided, error: Exception) -> None:
        """Commits each part that is decided with the position before the chunk, and the last with the one behind it."""

        def attempt(part: Chunk) -> int | Exception:
            outcome = self._part_written(prepared, part, decided)
            if not isinstance(outcome, int):
                self.work.step.counts.rollback += 1
                return self._skippable(outcome, decided)
            if decided.items < len(prepared.chunk):
                self._save_part(decided)
            return outcome

        earlier, decided.rejects = decided.rejects, []
        self._narrow(prepared, decided, error, attempt)
        decided.rejects = earlier + decided.rejects

    def _narrow(self, prepared: PreparedChunk, decided: Decided, error: Exception, attempt: Attempt) -> None:
        def set_aside(item: Chunk, failure: Exception) -> None:
            self._reject_item(prepared, decided.items, _of_item(failure, item), decided)
            decided.items += 1

        decided.tolerated.append(error)
        Narrowing(attempt, set_aside).run(prepared.chunk, error)

    def _skippable(self, error: Exception, decided: Decided) -> Exception:
        """Returns an error whose item may be skipped; raises any other, so that the whole is rolled back."""
        if not self._may_skip(error):
            raise error
        decided.tolerated.append(error)
        return error

    def _reject_item(self, prepared: PreparedChunk, place: int, error: Exception, decided: Decided) -> None:
        origin, item = prepared.chunk.origin(place), prepared.source_of(place)
        self._reject(Reject(Phase.WRITE, error, origin, item=item), decided)

    def _part_written(self, prepared: PreparedChunk, part: Chunk, decided: Decided) -> int | Exception:
        """Writes the items that follow the decided ones; returns how many are decided with it, or what was wrong.

        Raises:
            StepError: it must not be skipped, or too much has been.
        """
        try:
            payload = self.encoding.prepare_part(prepared.payload, decided.items, part)
            written = self._written(part, payload)
        except Exception as error:
            failure = _located(error, part)
            if not (refusals := refusals_of(failure, len(part))):
                return failure
            return self._take_refusals(prepared, part, refusals, decided)
        decided.written += written
        decided.items += len(part)
        return len(part)

    def _take_refusals(
        self, prepared: PreparedChunk, part: Chunk, refusals: Sequence[ItemError], decided: Decided
    ) -> int:
        """Notes what a target has kept of a part, and what it has refused; returns how many items that is."""
        first, end = decided.items, refusals[0].decided
        for refusal in refusals:
            assert refusal.place is not None
            item = part.slice(refusal.place, 1)
            failure = self._skippable(_of_item(located(refusal, WriteError, item.origin(0)), item), decided)
            self._reject_item(prepared, first + refusal.place, failure, decided)
        decided.items += end
        decided.written += end - len(refusals)
        return end

    def _written(self, chunk: Chunk, payload: object) -> int:
        execution, step, listeners = self.work.run.execution, self.work.step, self.work.listeners
        listeners.before(Listener.before_write, execution, step, chunk)
        try:
            with self.work.times.of("write"):
                written = self.writer.write(payload)
        except Exception as error:
            refusals = refusals_of(error, len(chunk))
            for each in refusals or (error,):
                listeners.on_error(Listener.on_write_error, execution, step, chunk, each)
            if listeners.hears(Listener.after_write):
                for kept in _kept(chunk, refusals):
                    listeners.after(Listener.after_write, execution, step, kept)
            raise
        listeners.after(Listener.after_write, execution, step, chunk)
        return written

    # --- the commit ---

    def _save(self, prepared: PreparedChunk, decided: Decided) -> None:
        """Commits a chunk with the position behind it."""
        counts = self._counted(decided)
        counts.read += prepared.read.read_count
        counts.filter += prepared.filter_count
        self._commit(prepared.chunk.position, prepared.contexts, decided.rejects, counts)
        self.tally = decided.tally

    def _save_part(self, decided: Decided) -> None:
        """Commits what is decided of a chunk since the last part, with the position before it."""
        before = self.work.checkpoint
        contexts = {**before.contexts, DECIDED: {"items": self._decided_before + decided.items}}
        self._commit(before.position, contexts, decided.rejects, self._counted(decided))
        self.has_parts = True
        self._told(decided)
        decided.written, decided.rejects = 0, []

    def _counted(self, decided: Decided) -> StepCounts:
        """Returns the step's counts with one more commit, of these decisions."""
        counts = self.work.step.counts.copy()
        phases = Counter(reject.phase for reject in decided.rejects)
        counts.write += decided.written
        counts.read_skip += phases[Phase.READ]
        counts.process_skip += phases[Phase.PROCESS]
        counts.write_skip += phases[Phase.WRITE]
        counts.commit += 1
        return counts

    def _commit(
        self,
        position: JsonObject | None,
        contexts: Mapping[str, JsonObject],
        rejects: Sequence[Reject],
        counts: StepCounts,
    ) -> None:
        sink, work = self.faults.rejects, self.work
        with work.times.of("commit"):
            if sink is not None and rejects:
                sink.write(rejects)
            states = {"writer": self.writer.state(), "rejects": None if sink is None else sink.state()}
            told = {key: state for key, state in states.items() if state is not None}
            work.save_checkpoint(
                work.checkpoint.after(work.step.number, position, work.contexts({**contexts, **told}), counts)
            )

    # --- the listeners ---

    def _tell_before(self, chunk: Chunk) -> None:
        self.work.listeners.before(Listener.before_chunk, self.work.run.execution, self.work.step, chunk)

    def _tell_error(self, chunk: Chunk, error: Exception) -> None:
        execution, step = self.work.run.execution, self.work.step
        self.work.listeners.on_error(Listener.on_chunk_error, execution, step, chunk, error)

    def _told(self, decided: Decided) -> None:
        """Tells the repository of a commit, and the listeners of what was skipped in it."""
        with self.work.times.of("commit"):
            self.work.save_progress()
        execution, step = self.work.run.execution, self.work.step
        for reject in decided.rejects:
            item = reject.error.item if isinstance(reject.error, ItemError) else reject.item
            self.work.listeners.after(Listener.on_skip, execution, step, reject.phase, item, reject.error)
        for error in (*decided.tolerated, *(reject.error for reject in decided.rejects)):
            _let_go(error)
        decided.tolerated.clear()
