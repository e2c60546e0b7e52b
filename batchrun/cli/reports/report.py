"""The report: a result as cases that went well or not, which is what the tools of CI servers show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """How a case went."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def is_bad(self) -> bool:
        """Tells whether the case is why the command fails."""
        return self in (Verdict.FAILED, Verdict.ERROR)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that went well or not: a step, a problem of a job file, a command.

    Attributes:
        name: unique in its report, as far as people care.
        message: why it is bad or skipped, or what a passed one warns of.
        kind: a word for the message: an exit code, or the name of an error.
        way_out: what to do, or empty.
        facts: labels with what they tell, such as counts.
        line: 1-based place in the report's file, or None.
    """

    name: str
    verdict: Verdict = Verdict.PASSED
    message: str = ""
    kind: str = ""
    way_out: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    file: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def explanation(self) -> str:
        """The message with the way out on a line of its own."""
        return "\n".join(filter(None, (self.message, self.way_out)))


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a command.

    Attributes:
        name: of the job, the job file, or the command.
        headline: all of it in one line.
        is_good: the process ends with 0, or with a number that the job has chosen for a good end.
        properties: what the cases have in common.
        next_command: goes on, or None.
    """

    name: str
    headline: str
    is_good: bool
    cases: Sequence[Case]
    properties: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    seconds: float = 0.0
    host: str = ""
    next_command: str | None = None

    def count(self, verdict: Verdict) -> int:
        """Returns how many cases went that way."""
        return sum(case.verdict is verdict for case in self.cases)
