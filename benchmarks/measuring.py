"""Runs a command, and measures it: time, processor time, and the memory at its largest."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from benchmarks.contest import Command

_LOOK_SECONDS = 0.05


class CommandFailedError(Exception):
    """A contender has not done its task."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a command took.

    Attributes:
        seconds: from its start to its end.
        processor_seconds: of all its processes.
        peak: bytes of memory at its largest, of its largest process.
        own_seconds: without the program's start, as it says itself; None where it does not.
    """

    seconds: float
    processor_seconds: float
    peak: int
    own_seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return asdict(self)


class _MemoryWatch(Thread):
    """Looks at the memory of a process and of those that it has started, several times a second.

    What the kernel tells at the end of a process counts the memory of the one that started it, too.
    """

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._number = number
        self._is_over = Event()
        self.start()

    def run(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, *map(_largest, _family(self._number)))

    def stop(self) -> None:
        self._is_over.set()
        self.join()


def _family(number: int) -> list[int]:
    found = [number]
    for each in found:
        with suppress(OSError):
            found += map(int, Path(f"/proc/{each}/task/{each}/children").read_text().split())
    return found


def _largest(number: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{number}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def measured(command: Command, folder: Path) -> tuple[Run, str]:
    """Runs a command in a folder; returns what it took, and what it printed.

    Raises:
        CommandFailedError: it ended with an exit code that it should not.
    """
    said, erred = folder / "stdout.txt", folder / "stderr.txt"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with said.open("wb") as out, erred.open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command.argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            env={**variables, **command.variables},
        )  # fmt: skip
        memory = _MemoryWatch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        memory.stop()
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in command.exit_codes:
        raise CommandFailedError(f"exit code {code}: {erred.read_text(errors='replace')[-2000:].strip()}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, memory.peak), said.read_text(errors="replace")
