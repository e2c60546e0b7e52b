"""Reads the log of an execution, also while another process writes it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from batchrun.domain.execution import JobExecution
from batchrun.engine import current_owner
from batchrun.errors import NoLogError
from batchrun.operations.execution_log import NO_STEP

_FIRST_LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<level>[A-Z]+) +(?P<step>\S+) (?P<text>.*)")
_POLL_SECONDS = 0.2
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log.

    Attributes:
        text: without its line end.
        at: the record's time as it stands there; empty for a further line of a record, and for what libraries print
            past Python.
        level: the record's level; a further line has that of its record.
        step: the step that the record belongs to, or None; a further line has that of its record.
    """

    text: str
    at: str
    level: int
    step: str | None

    @property
    def begins(self) -> bool:
        """Tells whether it is the first line of a record."""
        return bool(self.at)


def read_log(path: Path, execution: JobExecution, look: Callable[[int], JobExecution] | None) -> Iterator[LogLine]:
    """Yields the lines of a log.

    Args:
        path: of the log.
        execution: whose it is.
        look: to follow, returns the execution as it stands; the lines go on until it has ended. None takes what is
            there.

    Raises:
        NoLogError: there is none, and with `look` none comes before the execution has ended.
    """
    with _opened(path, execution, look) as file:
        yield from _parsed(_complete(file) if look is None else _growing(file, execution, look))


def _opened(path: Path, execution: JobExecution, look: Callable[[int], JobExecution] | None) -> IO[str]:
    """Opens the log, which a run that is followed from its first moment may still have to make."""
    while True:
        try:
            return path.open(encoding="utf-8", errors="replace", newline="\n")
        except FileNotFoundError:
            is_here = execution.owner.host == current_owner().host
            if look is None or not is_here or not execution.status.is_running or execution.steps:
                raise NoLogError(execution.id, str(path), execution.owner.host, is_here=is_here) from None
            time.sleep(_POLL_SECONDS)
            execution = look(execution.id)
        except OSError as error:
            raise NoLogError(execution.id, f"{path} ({error.strerror})", execution.owner.host, is_here=True) from error


def _complete(file: IO[str]) -> Iterator[str]:
    for line in file:
        yield line.rstrip("\n")


def _growing(file: IO[str], execution: JobExecution, look: Callable[[int], JobExecution]) -> Iterator[str]:
    """Yields lines as they come; after the execution has ended, once more what there is."""
    begun, next_look = "", 0.0
    while execution.status.is_running:
        if chunk := file.readline():
            begun += chunk
            if begun.endswith("\n"):
                yield begun.rstrip("\n")
                begun = ""
        elif time.monotonic() >= next_look:
            execution, next_look = look(execution.id), time.monotonic() + _LOOK_SECONDS
        else:
            time.sleep(_POLL_SECONDS)
    if rest := (begun + file.read()).removesuffix("\n"):
        yield from rest.split("\n")


def _parsed(lines: Iterator[str]) -> Iterator[LogLine]:
    level, step = logging.INFO, None
    for line in lines:
        first = _FIRST_LINE.match(line)
        if first is not None:
            level = logging.getLevelNamesMapping().get(first["level"], logging.INFO)
            step = None if first["step"] == NO_STEP else first["step"]
        yield LogLine(line, first["at"] if first else "", level, step)
