"""A PostgreSQL server for the contests alone, set up as one that data is loaded into usually is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.postgres import OwnServer

_OPTIONS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "50",
}


@contextmanager
def server() -> Iterator[str]:
    """Gives the URL of the server, which is gone afterwards."""
    own = OwnServer(_OPTIONS)
    try:
        yield own.url
    finally:
        own.close()
