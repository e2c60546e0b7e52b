"""Keeps secrets out of the log while a job runs, whoever writes it and wherever it goes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Mask = Callable[[str], str]


class _MaskedRecords:
    """A factory of log records that masks what they say, by all runs of the process that are under way.

    Not a filter: one on a logger sees nothing of the loggers below it, and one on a handler nothing of handlers that
    are added later, such as a file for each execution.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._masks: list[Mask] = []
        self._made_by: Callable[..., logging.LogRecord] = logging.LogRecord

    def add(self, mask: Mask) -> None:
        with self._lock:
            self._masks.append(mask)
            if logging.getLogRecordFactory() is not self:
                self._made_by = logging.getLogRecordFactory()
                logging.setLogRecordFactory(self)

    def remove(self, mask: Mask) -> None:
        with self._lock:
            self._masks.remove(mask)
            if not self._masks and logging.getLogRecordFactory() is self:
                logging.setLogRecordFactory(self._made_by)

    def masked(self, text: str) -> str:
        for mask in tuple(self._masks):
            text = mask(text)
        return text

    def __call__(self, *arguments: Any, **options: Any) -> logging.LogRecord:
        record = self._made_by(*arguments, **options)
        with suppress(Exception):  # what cannot be formatted is the handlers' to tell, as without us
            self._mask(record)
        return record

    def _mask(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if (masked := self.masked(said)) != said:
            record.msg, record.args = masked, ()
        if record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
            if (masked := self.masked(trace)) != trace:
                record.exc_text = masked


_records = _MaskedRecords()


@contextmanager
def masked_log(mask: Mask) -> Iterator[None]:
    """Masks the process's log records until the end of the block; what holds no secret stays as it is."""
    _records.add(mask)
    try:
        yield
    finally:
        _records.remove(mask)


def masked(text: str) -> str:
    """Returns the text without the secrets of the runs that are under way."""
    return _records.masked(text)
