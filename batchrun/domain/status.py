"""BatchStatus and ExitStatus: what the machine is doing, and what it tells the flow (SEMANTICS section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class BatchStatus(IntEnum):
    """State of a job or step execution; closed, and ordered by severity (Spring Batch: BatchStatus ordering).

    Restart looks only at this. The more severe of several statuses is the status of the whole, so
    `max` over the steps of a parallel state or the partitions of a step is the upgrade rule.
    """

    COMPLETED = 0
    STARTING = 1
    STARTED = 2
    STOPPING = 3
    STOPPED = 4
    FAILED = 5
    ABANDONED = 6
    UNKNOWN = 7

    def __str__(self) -> str:
        """Returns its name."""
        return self.name

    @property
    def is_running(self) -> bool:
        """Tells whether a process should be at work on it."""
        return self in (BatchStatus.STARTING, BatchStatus.STARTED, BatchStatus.STOPPING)

    @property
    def is_restartable(self) -> bool:
        """Tells whether another execution of the same instance may continue it."""
        return self in (BatchStatus.STOPPED, BatchStatus.FAILED)

    def upgrade(self, other: BatchStatus) -> BatchStatus:
        """Returns the more severe of the two; COMPLETED never hides a failure."""
        return max(self, other)


# Severity by prefix, least first; any other code is more severe than all of them.
_SEVERITY = ("EXECUTING", "COMPLETED", "NOOP", "STOPPED", "FAILED", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """Outcome of a step or job: an open code that transitions match, and a description for people.

    Severity goes by the code's prefix: EXECUTING < COMPLETED < NOOP < STOPPED < FAILED < UNKNOWN < any
    other (`COMPLETED WITH SKIPS` is as severe as COMPLETED, `BAD INPUT` more than all).
    """

    code: str
    description: str = ""

    @property
    def severity(self) -> int:
        """Ranks the code: EXECUTING is 0, COMPLETED 1, NOOP 2, and an unlisted code 6."""
        for rank, prefix in enumerate(_SEVERITY):
            if self.code.startswith(prefix):
                return rank
        return len(_SEVERITY)

    def and_(self, other: ExitStatus) -> ExitStatus:
        """Keeps the more severe code (the other's code on equal severity, as the later word) and joins descriptions.

        Spring Batch's ExitStatus.and compares equal severities by the code's text; here the later one wins, so
        that a listener can turn COMPLETED into COMPLETED WITH REMARKS.
        """
        code = other.code if other.severity >= self.severity else self.code
        return ExitStatus(code, self._joined(other.description))

    def _joined(self, description: str) -> str:
        if not description or description == self.description:
            return self.description
        return f"{self.description}; {description}" if self.description else description


EXECUTING = ExitStatus("EXECUTING")
COMPLETED = ExitStatus("COMPLETED")
COMPLETED_WITH_SKIPS = ExitStatus("COMPLETED WITH SKIPS")
STOPPED = ExitStatus("STOPPED")
FAILED = ExitStatus("FAILED")
