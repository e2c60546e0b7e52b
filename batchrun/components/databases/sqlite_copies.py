"""Keeps the two copies of SQLite apart: of one file, all sessions of the process use the same copy at any time.

Closing a descriptor of one copy drops the POSIX locks of the other, and the file can be corrupted (DESIGN section 4).
Which copy a file is opened by is therefore decided by whoever opens it first, and holds until the last one closes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

Opener = Callable[[str], Any]


@dataclass(slots=True)
class _Claim:
    opener: Opener
    sessions: int = 0


_claims: dict[str, _Claim] = {}
_lock = Lock()


class OpenFile:
    """A connection to a file, by the copy of SQLite that has it open already, else by the preferred one.

    Attributes:
        driver: what the copy's opener returned.
    """

    def __init__(self, path: str, uri: str, preferred: Opener) -> None:
        self._key = os.path.realpath(path)
        self._is_open = True
        with _lock:
            self._claim = _claims.setdefault(self._key, _Claim(preferred))
            try:
                self.driver = self._claim.opener(uri)
            except BaseException:
                self._let_go()
                raise
            self._claim.sessions += 1

    def close(self) -> None:
        """Closes the connection; the second time does nothing."""
        with _lock:
            if not self._is_open:
                return
            self._is_open = False
            self._claim.sessions -= 1
            try:
                self.driver.close()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        if not self._claim.sessions:
            del _claims[self._key]
