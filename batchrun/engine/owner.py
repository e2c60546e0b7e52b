"""Who runs an execution, and whether that process certainly no longer exists."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from batchrun.domain.execution import Owner

_STARTED_FIELD = 19  # of /proc/PID/stat, counted behind the command's closing parenthesis (proc(5): field 22)


def current_owner() -> Owner:
    """Returns this process as an owner."""
    pid = os.getpid()
    return Owner(host=socket.gethostname(), pid=pid, boot_id=_boot_id(), started_ticks=_started_ticks(pid))


def is_gone(owner: Owner) -> bool:
    """Tells whether the owner's process certainly no longer exists; False where that cannot be seen from here.

    Same host and another boot: gone. Same host and boot: gone where the pid is free, a zombie, or belongs to a process
    that started at another time. Another host or pid namespace: only its lease can tell.
    """
    here = current_owner()
    if owner.host != here.host or not owner.boot_id:
        return False
    boot, _, namespace = owner.boot_id.partition("/")
    boot_here, _, namespace_here = here.boot_id.partition("/")
    if boot != boot_here:
        return True
    if namespace != namespace_here:
        return False
    ticks = _started_ticks(owner.pid)
    if ticks:
        return owner.started_ticks not in (0, ticks)
    return True


def _boot_id() -> str:
    """Returns `BOOT/PID-NAMESPACE`; empty where the kernel does not tell, so that only leases count."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started_ticks(pid: int) -> int:
    """Returns the start time of a living process in clock ticks since boot, 0 where there is none to see."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[_STARTED_FIELD])
