"""The most memory that this process has had since a moment, where the system counts that anew."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_RESET = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_PEAK_RESIDENT = "5"


def forget_peak() -> bool:
    """Lets the peak begin anew, at what is resident now; returns False where the system cannot (it is not Linux)."""
    with suppress(OSError):
        _RESET.write_text(_PEAK_RESIDENT)
        return True
    return False


def peak() -> int | None:
    """Returns the peak in bytes."""
    with suppress(OSError, StopIteration, ValueError):
        line = next(each for each in _STATUS.read_text().splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return None
