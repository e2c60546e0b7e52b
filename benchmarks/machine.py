"""What the contests run on, in words."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.place import Place

_PROGRAMS = {
    "psql": ["psql", "--version"],
    "sqlite3": ["sqlite3", "--version"],
    "pgloader": ["pgloader", "--version"],
    "Java": ["java", "-version"],
}
_PACKAGES = ("polars", "pandas", "petl", "dlt", "sqlalchemy", "adbc-driver-postgresql", "sling-linux-amd64")


def describe_machine(place: Place) -> dict[str, str]:
    """Returns the machine's name tags: processor, memory, versions, and the day."""
    [(server,)] = place.sql("SHOW server_version")
    told = {
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "batchrun": version("batchrun-cli"),
        "Python": platform.python_version(),
        "PostgreSQL": str(server),
    }
    for name, command in _PROGRAMS.items():
        if shutil.which(command[0]):
            told[name] = _first_line(command)
    told |= _packages(place)
    return told


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _first_line(command: Sequence[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return next(iter((ended.stdout or ended.stderr).strip().splitlines()), "")


def _packages(place: Place) -> dict[str, str]:
    if not place.peers_python.exists():
        return {}
    code = f"from importlib.metadata import version\nfor each in {_PACKAGES!r}: print(each, version(each))"
    ended = subprocess.run([place.peers_python, "-c", code], capture_output=True, text=True, check=False)
    return dict(line.split() for line in ended.stdout.splitlines())
