"""Boundaries: the moments of a run just before and after something becomes durable, at which it may be struck down."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock


class Blow(StrEnum):
    """What happens to the process at a boundary."""

    KILL = "kill"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class Strike:
    """A blow at a boundary, the first of which in a process is number 1."""

    number: int
    blow: Blow = Blow.KILL


class Boundaries:
    """Counts the boundaries that a process comes to, and strikes it at one of them. Any thread may come to one.

    Attributes:
        names: what was reached so far, in order.
    """

    def __init__(self, strike: Strike | None, note: Path, tell_at: int | None = None) -> None:
        """Strikes nobody yet.

        Args:
            strike: where and how; None only counts.
            note: the file that says which boundary it was, there before the blow falls.
            tell_at: the boundary at which the note is written, and nothing else happens.
        """
        self.names: list[str] = []
        self._strike = strike
        self._note = note
        self._tell_at = tell_at
        self._lock = Lock()

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Surrounds a commit with two boundaries; the second is not reached where it fails."""
        self.reach(f"before {name}")
        yield
        self.reach(f"after {name}")

    def reach(self, name: str) -> None:
        """Tells that the process has come to a boundary."""
        with self._lock:
            self.names.append(name)
            number = len(self.names)
            if number == self._tell_at:
                self._write_note(name)
            if self._strike is not None and number == self._strike.number:
                self._write_note(name)
                self._fall(self._strike.blow)

    def _write_note(self, name: str) -> None:
        made = self._note.with_suffix(".new")
        made.write_text(name, encoding="utf-8")
        made.replace(self._note)

    def _fall(self, blow: Blow) -> None:
        if blow is Blow.SUSPEND:
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        os.kill(os.getpid(), signal.SIGKILL)
        while True:  # the signal ends the process before it ends this sleep
            time.sleep(1)
