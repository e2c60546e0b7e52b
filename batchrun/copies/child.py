"""A process that runs a job on copies: what it is ordered to do, and how it is kept apart from the program."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchrun.copies.workplace import Workplace

_PR_SET_PDEATHSIG = 1

SAFE_PATH = "PYTHONSAFEPATH"
"""The variable that keeps the current folder from Python's search for modules."""

OF_COPIES = "batchrun-copies"
"""Its value where nobody but this program has set it, so that what a job starts does not get it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do.

    Attributes:
        number: tells the processes in one workplace apart, from 1.
        job: the job file in the copied project.
        given: the parameters of a launch.
        folder: its current directory.
    """

    workplace: Workplace
    number: int
    job: Path
    given: Mapping[str, object]
    folder: Path

    @property
    def outcome(self) -> Path:
        """The file that says what came of it."""
        return self.workplace.folder / f"outcome-{self.number}.json"

    @property
    def said(self) -> Path:
        """The file of what it wrote on stdout and stderr."""
        return self.workplace.folder / f"said-{self.number}.txt"

    def keep(self, facts: Mapping[str, Any]) -> None:
        """Writes what came of it, whole or not at all."""
        made = self.outcome.with_suffix(".new")
        made.write_text(self.workplace.plain(json.dumps(facts)), encoding="utf-8")
        made.replace(self.outcome)

    def kept(self) -> dict[str, Any] | None:
        """Returns what came of it, or None where the process has not come so far."""
        if not self.outcome.exists():
            return None
        facts: dict[str, Any] = json.loads(self.outcome.read_text(encoding="utf-8"))
        return facts


def set_apart(order: Order) -> None:
    """Makes this process, which has just begun, one of its own: session, streams and folder."""
    os.setsid()  # Ctrl-C ends the program that waits for it, and that ends it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # as it is in the server that has made it
    _die_with_parent()
    if os.environ.get(SAFE_PATH) == OF_COPIES:
        del os.environ[SAFE_PATH]
    opened = os.open(order.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    os.chdir(order.folder)
    sys.dont_write_bytecode = True


def _die_with_parent() -> None:
    """Lets the kernel kill this process with its parent: a suspended one would else stay for ever."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
