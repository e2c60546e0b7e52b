"""Words for numbers, times and statuses, the same wherever they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.text import Text

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus

if TYPE_CHECKING:
    from batchrun.repository import RepositoryContents

_STATUS_SIGNS = {
    BatchStatus.COMPLETED: ("✓", "+", "green"),
    BatchStatus.STARTING: ("▶", ">", "cyan"),
    BatchStatus.STARTED: ("▶", ">", "cyan"),
    BatchStatus.STOPPING: ("▶", ">", "yellow"),
    BatchStatus.STOPPED: ("■", "=", "yellow"),
    BatchStatus.FAILED: ("✗", "x", "red"),
    BatchStatus.ABANDONED: ("⊘", "-", "bright_black"),
    BatchStatus.UNKNOWN: ("?", "?", "magenta"),
}
_SECOND_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def status_style(status: BatchStatus) -> str:
    """Returns the color of a status."""
    return _STATUS_SIGNS[status][2]


def status_sign(status: BatchStatus, *, unicode: bool = True) -> Text:
    """Returns the one-character sign of a status, so that color is never all that tells."""
    sign, plain, style = _STATUS_SIGNS[status]
    return Text(sign if unicode else plain, style=f"bold {style}")


def status_word(status: BatchStatus, *, unicode: bool = True) -> Text:
    """Returns sign and name, such as `✓ COMPLETED`."""
    return Text.assemble(status_sign(status, unicode=unicode), " ", (status.name, status_style(status)))


def count(number: int) -> str:
    """Returns a count with thousands apart: `336,776`."""
    return f"{number:,}"


def counted(number: int, what: str) -> str:
    """Returns `1 execution`, `12,000 executions`."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Returns an amount of bytes in its largest unit: `512 B`, `14.2 MB`."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def contents(held: RepositoryContents) -> str:
    """Returns `12 executions of 10 job instances in 1.4 MB, 1 running, the oldest of 2026-07-30 14:02:11`."""
    parts = [
        f"{counted(held.executions, 'execution')} of {counted(held.instances, 'job instance')} in {size(held.bytes)}"
    ]
    if held.running:
        parts.append(f"{count(held.running)} running")
    if held.oldest_at is not None:
        parts.append(f"the oldest of {local_time(held.oldest_at)}")
    return ", ".join(parts)


def rate(items: int, seconds: float) -> str:
    """Returns items a second, such as `41,203`; with one digit after the point below ten, empty where there is none."""
    if not items or seconds <= 0:
        return ""
    per_second = items / seconds
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"


def duration(seconds: float) -> str:
    """Returns a length of time in its largest units: `40ms`, `12.3s`, `2m 05s`, `3h 04m`, `1d 02h`."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    return whole_duration(seconds)


def whole_duration(seconds: float) -> str:
    """Returns the same without parts of seconds, for what keeps changing: `12s`, `2m 05s`."""
    left = max(round(seconds), 0)
    for (size, unit), (smaller, smaller_unit) in pairwise(_SECOND_UNITS):
        if left >= size:
            return f"{left // size}{unit} {left % size // smaller:02d}{smaller_unit}"
    return f"{left}s"


def elapsed(execution: JobExecution | StepExecution) -> float | None:
    """Returns how long an execution took, or has taken so far; None before its start."""
    if execution.started_at is None:
        return None
    if execution.ended_at is None and not execution.status.is_running:
        return None
    return ((execution.ended_at or datetime.now(UTC)) - execution.started_at).total_seconds()


def local_time(moment: datetime | None, *, short: bool = False) -> str:
    """Returns a moment in local time, `2026-07-30 14:02:11`, or short `07-30 14:02`; empty for None."""
    if moment is None:
        return ""
    return f"{moment.astimezone():{'%m-%d %H:%M' if short else '%Y-%m-%d %H:%M:%S'}}"


def exact_time(moment: datetime | None) -> str:
    """Returns a moment in local time with its distance from UTC, `2026-07-30 14:02:11 +09:00`."""
    if moment is None:
        return ""
    offset = f"{moment.astimezone():%z}"
    return f"{local_time(moment)} {offset[:3]}:{offset[3:5]}"
