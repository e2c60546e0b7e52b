"""Read-ahead: a thread that makes the next chunks ready while the one before them is written."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Generic, TypeVar

from batchrun.engine.stop import LOOK_SECONDS

T = TypeVar("T")


@contextmanager
def ahead(source: Generator[T, None, None], depth: int) -> Iterator[Iterator[T]]:
    """Gives the source's values in their order, made up to `depth` values ahead of the one last taken.

    Depth 0 makes each value when it is asked for, in the caller's thread. Otherwise one thread runs the source; an
    exception of the source is raised to the caller in its place in the order. Leaving the context ends the source
    (GeneratorExit, at its next value) and waits for it; only a KeyboardInterrupt, which is to end the process at once,
    leaves the thread where it is.
    """
    if depth == 0:
        try:
            yield source
        finally:
            source.close()
        return
    reader = _ReadAhead(source, depth)
    try:
        yield reader
    except KeyboardInterrupt:
        reader.cancel()
        raise
    except BaseException:
        reader.close()
        raise
    else:
        reader.close()


class _End(Generic[T]):
    """Marks the end of the source, with the exception that ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _ReadAhead(Iterator[T]):
    """Iterator over values that a thread produces; a permit is taken before a value is made, so depth is exact."""

    def __init__(self, source: Generator[T, None, None], depth: int) -> None:
        self._source = source
        self._permits = Semaphore(depth)
        self._ready: SimpleQueue[T | _End[T]] = SimpleQueue()
        self._cancelled = Event()
        self._ended: _End[T] | None = None
        self._thread = Thread(target=self._produce, name="read-ahead", daemon=True)
        self._thread.start()

    def __next__(self) -> T:
        if self._ended is None:
            value = self._next_ready()
            if not isinstance(value, _End):
                self._permits.release()
                return value
            self._ended = value
        if self._ended.error is not None:
            raise self._ended.error
        raise StopIteration

    def _next_ready(self) -> T | _End[T]:
        while True:
            try:
                return self._ready.get(timeout=LOOK_SECONDS)
            except Empty:
                continue

    def cancel(self) -> None:
        """Lets the source end with the value that it is at."""
        self._cancelled.set()
        self._permits.release()

    def close(self) -> None:
        """Cancels the source and waits for its thread."""
        self.cancel()
        self._thread.join()

    def _produce(self) -> None:
        error: BaseException | None = None
        try:
            while self._permits.acquire() and not self._cancelled.is_set():
                self._ready.put(next(self._source))
        except StopIteration:
            pass
        except BaseException as raised:
            error = raised
        finally:
            self._source.close()
            self._ready.put(_End(error))
