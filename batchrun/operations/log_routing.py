"""Routes log records to the logs of the executions that run in this process, while there are any."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_logger = logging.getLogger("batchrun")
_lock = threading.Lock()


class RecordSink(Protocol):
    """Takes the records of one execution.

    Attributes:
        level: the least severe records that it wants.
    """

    level: int

    def owns(self, thread: int | None) -> bool:
        """Tells whether the thread works for this execution, and so for no other."""
        ...

    def write(self, record: logging.LogRecord) -> None:
        """Writes a record."""
        ...


class _Router(logging.Handler):
    """Gives a record to the sink that owns its thread; where none does, to all, since it may concern any."""

    def __init__(self) -> None:
        super().__init__()
        self.sinks: tuple[RecordSink, ...] = ()

    def handle(self, record: logging.LogRecord) -> bool:
        """Routes without the handler's lock: two executions do not wait for each other."""
        sinks = self.sinks
        for sink in [each for each in sinks if each.owns(record.thread)] or sinks:
            if record.levelno >= sink.level:
                try:
                    sink.write(record)
                except Exception:
                    self.handleError(record)
        return True


class _Onwards(logging.Handler):
    """Takes the place of propagation while a sink wants records that nobody else has asked for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Passes the record on to the handlers above."""
        above = logging.getLogger()
        if above.hasHandlers():
            above.callHandlers(record)


_router = _Router()


@contextmanager
def routed(sink: RecordSink) -> Iterator[None]:
    """Routes records to the sink until the context is left; other handlers get what they got before."""
    with _lock:
        if not _router.sinks:
            _begin()
        _set((*_router.sinks, sink))
    try:
        yield
    finally:
        with _lock:
            _set(tuple(each for each in _router.sinks if each is not sink))
            if not _router.sinks:
                _end()


_onwards = _Onwards()
_before = logging.NOTSET


def _begin() -> None:
    global _before
    _before = _logger.level
    _onwards.setLevel(_logger.getEffectiveLevel())
    _logger.propagate = False
    _logger.addHandler(_router)
    _logger.addHandler(_onwards)


def _set(sinks: tuple[RecordSink, ...]) -> None:
    _router.sinks = sinks
    _logger.setLevel(min([_onwards.level, *(each.level for each in sinks)]))


def _end() -> None:
    _logger.removeHandler(_router)
    _logger.removeHandler(_onwards)
    _logger.propagate = True
    _logger.setLevel(_before)
