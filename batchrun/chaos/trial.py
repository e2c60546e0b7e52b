"""A trial: undisturbed runs of a job on copies, then rounds in which it is struck down, and what came of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchrun.chaos.child import ChaosOrder, Outcome
from batchrun.chaos.comparison import Difference, Kind, Result, compared, differences
from batchrun.chaos.rounds import Round
from batchrun.chaos.schedule import Schedule
from batchrun.chaos.snapshot import Ignored, snapshot
from batchrun.copies.application import values
from batchrun.copies.making import Copies
from batchrun.copies.processes import Processes
from batchrun.copies.scratch_schema import is_postgres
from batchrun.copies.subject import Subject
from batchrun.copies.workplace import Workplace
from batchrun.errors import BatchrunError, UsageError

_LEAST_WAKING = 8
"""A boundary of the successor at which it is about to take over the target; waking earlier would disturb nobody."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a trial is made.

    Attributes:
        schedule: where blows fall.
        suspends: owners are suspended, where they would be killed.
        repository: URL of the server that keeps the rounds' repositories in scratch schemas; None is SQLite.
        ignored: what is not compared.
        keeps: the copies of the rounds that differ stay.
        jobs: how many rounds run side by side.
    """

    schedule: Schedule
    suspends: bool = False
    repository: str | None = None
    ignored: Ignored = field(default_factory=Ignored)
    keeps: bool = False
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What came of a round.

    Attributes:
        numbers: the boundaries at which it was to be struck.
        boundaries: those at which it was, in words.
        kept: the folder of its copies, where they stay.
    """

    numbers: Sequence[int]
    boundaries: Sequence[str]
    kills: int
    suspensions: int
    restarts: int
    differences: Sequence[Difference]
    kept: Path | None = None


@dataclass(slots=True)
class TrialReport:
    """What came of a trial.

    Attributes:
        boundaries: names of those that the undisturbed run came to.
        compared: how many tables, rows, files and rejects the undisturbed run has left, which each round is held to.
    """

    job_name: str
    schedule: Schedule
    suspends: bool
    boundaries: Sequence[str]
    compared: Mapping[str, int]
    rounds: list[RoundReport] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Tells whether every round has left what the undisturbed run has."""
        return not any(each.differences for each in self.rounds)

    def total(self, count: str) -> int:
        """Returns a count over all rounds: `kills`, `suspensions` or `restarts`."""
        return sum(getattr(each, count) for each in self.rounds)

    def differing(self, *kinds: Kind) -> int:
        """Returns how much of these kinds differs over all rounds: rows, or files, or whatever it is."""
        return sum(each.count for report in self.rounds for each in report.differences if each.kind in kinds)


Told = Callable[[TrialReport, int], None]
"""Told of the trial so far after each round, and how many rounds there are."""


class NotDeterministicError(UsageError):
    """Two undisturbed runs differ, so that nothing could be said of a disturbed one."""

    def __init__(self, found: Sequence[Difference]) -> None:
        first = found[0]
        names = ", ".join(dict.fromkeys(f"{each.where} ({each.message})" for each in found[:3]))
        table = first.where.partition(".")[2] or first.where
        columns = [f"--ignore {table}.{column}" for column in first.columns]
        hint = " ".join(columns) or f"--ignore {table if first.kind is not Kind.FILE else first.where}"
        super().__init__(
            f"two undisturbed runs differ, so the job is not deterministic: {names}", hint=f"{hint} leaves it out"
        )


class Trial:
    """Makes the copies, runs the rounds, and removes what it has made."""

    def __init__(self, subject: Subject, settings: Settings) -> None:
        if settings.repository is not None and not is_postgres(settings.repository):
            raise UsageError(
                "--chaos-repository takes the URL of a PostgreSQL database", hint="leave it out for SQLite"
            )
        self._subject = subject
        self._settings = settings
        self._copies = Copies(subject, settings.repository)
        self._processes = Processes("batchrun.chaos.application", "batchrun.chaos.child")

    def run(self, told: Told = lambda _report, _rounds: None) -> TrialReport:
        """Returns what came of all rounds.

        Raises:
            UsageError: the job is not deterministic, does not complete undisturbed, or would act on what is no copy.
            CopyError: there is no room for the copies, or a file cannot be read.
        """
        copies = self._copies
        with copies.made(), copies.workplace("undisturbed") as expected, copies.workplace("again") as again:
            try:
                first, second = self._undisturbed(expected), self._undisturbed(again)
                if found := differences(first, second):
                    raise NotDeterministicError(found)
                return self._rounds(first, told)
            finally:
                self._processes.kill_all()  # before the copies go, which they have open

    def _order(self, workplace: Workplace) -> ChaosOrder:
        return ChaosOrder(**values(self._copies.order(workplace)), secrets=self._subject.secrets)

    def _undisturbed(self, workplace: Workplace) -> Result:
        outcome = Round(self._order(workplace), self._processes).undisturbed()
        for refusal in workplace.noted("refusals"):
            raise UsageError(refusal["message"], hint=refusal["hint"])
        if outcome.error:
            raise _UndisturbedError(outcome)
        if outcome.status != "COMPLETED":
            raise UsageError(
                f"the job ends {outcome.status} without being disturbed: {outcome.failures}",
                hint="batchrun launch runs it; chaos needs a job that completes",
            )
        result = self._result(outcome, workplace)
        if result.left.empty:
            raise UsageError(
                f"nothing can be compared in database {result.left.empty[0]!r}: the run has left no table there",
                hint=f"its URL may name the wrong schema or file; --ignore {result.left.empty[0]} leaves it out",
            )
        return result

    def _result(self, outcome: Outcome, workplace: Workplace) -> Result:
        ignored = self._settings.ignored
        outcome = replace(outcome, rejects=None) if ignored.has("rejects") else outcome
        return Result(outcome, snapshot(workplace, ignored))

    def _rounds(self, expected: Result, told: Told) -> TrialReport:
        settings, names = self._settings, expected.outcome.boundaries
        settings.schedule.refuse_behind(len(names))
        report = TrialReport(self._subject.name, settings.schedule, settings.suspends, names, compared(expected))
        planned = list(settings.schedule.rounds(len(names), most=1 if settings.suspends else 3))
        told(report, len(planned))
        reports: dict[int, RoundReport] = {}
        for place, done in self._side_by_side(planned, expected):
            reports[place] = done
            report.rounds = [each for _, each in sorted(reports.items())]
            told(report, len(planned))
        return report

    def _side_by_side(self, planned: Sequence[Sequence[int]], expected: Result) -> Iterator[tuple[int, RoundReport]]:
        left = list(enumerate(planned, 1))[::-1]
        running: dict[Future[RoundReport], int] = {}
        with ThreadPoolExecutor(self._settings.jobs) as pool:
            try:
                while left or running:
                    while left and len(running) < self._settings.jobs:
                        place, numbers = left.pop()
                        running[pool.submit(self._round, place, numbers, expected)] = place
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.result()
            except BaseException:
                self._processes.kill_all()  # or the pool would wait for them
                raise

    def _round(self, place: int, numbers: Sequence[int], expected: Result) -> RoundReport:
        with self._copies.workplace(f"round-{place}") as workplace:
            one = Round(self._order(workplace), self._processes)
            if self._settings.suspends:
                outcome = one.suspended(numbers[0], self._wake_at(numbers[0], len(expected.outcome.boundaries)))
            else:
                outcome = one.killed(numbers)
            found = [*one.found]
            if not outcome.error:
                found += differences(expected, self._result(outcome, workplace), one.boundaries)
            kept = self._copies.keep(workplace) if found and self._settings.keeps else None
            return RoundReport(numbers, one.boundaries, one.kills, one.suspensions, one.restarts, found, kept)

    def _wake_at(self, number: int, boundaries: int) -> int | None:
        """Returns where the successor is when the suspended owner wakes; in half of the cases it has ended."""
        chance = random.Random(f"{self._settings.schedule.seed} {number}")
        return None if chance.random() < 0.5 else chance.randint(_LEAST_WAKING, max(boundaries // 2, _LEAST_WAKING))


class _UndisturbedError(BatchrunError):
    """The job cannot be run undisturbed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"the job cannot be run undisturbed: {outcome.error}", hint=outcome.hint or None)
        self.exit_code = UsageError.exit_code
