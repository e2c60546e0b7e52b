"""What a job does that is to be stopped: copied beside it. Each waits for the file `open`, having made `at`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _wait(until: Callable[[], bool]) -> None:
    Path("at").touch()
    while not until():
        time.sleep(0.02)


def _is_open() -> bool:
    return Path("open").exists()


def _done() -> None:
    with Path("once").open("a") as once:
        once.write("done\n")


def item(item: dict[str, Any]) -> dict[str, Any]:
    """Is quick with the first items, and slow with the others."""
    if item["id"] >= 10 and not _is_open():
        Path("at").touch()
        time.sleep(0.05)
    return item


def busy(item: dict[str, Any]) -> dict[str, Any]:
    """Fails with one item until it may go on, and is waited for ten minutes then."""
    if item["id"] == 12 and not _is_open():
        Path("at").touch()
        raise ConnectionError("busy")
    return item


def tasklet() -> None:
    """Does not know of stops, and is interrupted."""
    _wait(_is_open)
    _done()


def asking(should_stop: Callable[[], bool]) -> None:
    """Is done when a stop has been asked for: the stop comes behind this step."""
    _wait(lambda: should_stop() or _is_open())
    _done()


def way() -> str:
    """A decider."""
    _wait(_is_open)
    _done()
    return "COMPLETED"
