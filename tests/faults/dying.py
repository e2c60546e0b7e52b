"""Dies just before the repository commits for the n-th time: between two states, and everywhere else that it writes."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class BeforeCommit:
    """Prepares a process to kill itself before a commit, the first of which is number 1."""

    number: int

    def __call__(self) -> None:
        from sqlalchemy import Engine, event

        numbers = count(1)

        def commits(_connection: object) -> None:
            if next(numbers) == self.number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "commit", commits)
