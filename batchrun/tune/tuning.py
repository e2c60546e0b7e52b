"""Tuning: measures the chunk steps of a job on copies, round by round, and says which settings gain."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchrun.copies.application import values
from batchrun.copies.making import Copies
from batchrun.copies.processes import ChildProcess, Processes, uninterrupted
from batchrun.copies.scratch_schema import is_postgres
from batchrun.copies.subject import Subject
from batchrun.copies.workplace import copy_small, link_large
from batchrun.errors import DefinitionError, Problem, UsageError
from batchrun.tune.application import Sample, Samples
from batchrun.tune.child import TuneOrder, measure
from batchrun.tune.plan import Plan
from batchrun.tune.search import Search, Series
from batchrun.tune.setting import Measurement, Setting

DEFAULT_SAMPLE = 100_000
LEAST_ITEMS = 200
"""A step that reads fewer is not measured: its time is that of opening and closing."""

_FIRST_SECONDS = 1.5
"""How long the first run reads at most, where nobody says how large the sample is: the others read as much."""

_LEAST_FIRST_SECONDS = 0.5
_START_SECONDS = 0.5
"""What a run takes besides: its process, its copies, opening and closing."""

_WITHIN_SECONDS = 75.0
"""The time to stay within, where nobody says how many rounds there are, by fewer of them."""

MOST_ROUNDS = 5
LEAST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class TuneSettings:
    """How it is measured.

    Attributes:
        sample: how many items a run reads; None is up to 100,000, fewer where they take long.
        rounds: how often each setting is measured; None is 5, fewer where they take long.
        with_effects: steps that act outside of the copies may run.
        repository_url: of the real repository; the runs' own are of its kind.
    """

    sample: int | None
    rounds: int | None
    with_effects: bool
    repository_url: str


@dataclass(slots=True)
class StepReport:
    """What was measured of a step.

    Attributes:
        items: in the sample.
        is_whole: that was all there is to read.
        search: the settings measured, and the one to recommend.
    """

    name: str
    items: int
    is_whole: bool
    search: Search


@dataclass(slots=True)
class TuneReport:
    """What was measured.

    Attributes:
        runs: how many there were.
        expected: how many there will be in all, about.
        expected_seconds: how long those to come will take, about; None where nobody knows yet.
        now: what is measured now, in words.
        skipped: why other chunk steps were not measured, by name.
        copied: tables that were copied with all rows.
        upserted: tables that were copied with some rows.
        reads_copies: measured steps that have read what earlier steps of the run had written.
    """

    job_name: str
    rounds: int = 0
    runs: int = 0
    expected: int = 0
    expected_seconds: float | None = None
    now: str = ""
    steps: list[StepReport] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    copied: list[str] = field(default_factory=list)
    upserted: list[str] = field(default_factory=list)
    reads_copies: list[str] = field(default_factory=list)


Told = Callable[[TuneReport], None]
"""Told of what is known before each run, and at the end."""


class Tuning:
    """Makes the copies, runs the job on them, and removes what it has made."""

    def __init__(self, subject: Subject, plan: Plan, settings: TuneSettings) -> None:
        self._subject, self._plan, self._settings = subject, plan, settings
        repository = settings.repository_url if is_postgres(settings.repository_url) else None
        self._copies = Copies(subject, repository, original=copy_small, again=link_large)
        self._processes = Processes("batchrun.tune.application", "batchrun.tune.child")
        upserted = {name for each in plan.needs.databases.values() for name in each.upserted}
        reads_copies = [name for name in plan.settings if name in plan.needs.reads_copies]
        self._report = TuneReport(
            subject.name, skipped=dict(plan.skipped), upserted=sorted(upserted), reads_copies=reads_copies
        )
        self._samples: dict[str, Sample] = {}
        self._copied: set[str] = set()
        self._run_seconds = _START_SECONDS
        self._began = 0.0

    def run(self, told: Told = lambda _report: None) -> TuneReport:
        """Returns what was measured.

        Raises:
            DefinitionError: the parameters or options are wrong.
            UsageError: the job does not complete, would act on what is no copy, or reads too little to be measured.
            CopyError: there is no room for the copies, or a file cannot be read.
        """
        report = self._report
        with _folder(self._subject.project) as folder, self._copies.made(folder):
            report.now = "first run"
            told(report)
            self._first()
            report.rounds = self._rounds()
            self._begin()
            self._began = time.monotonic()
            while running := [each for each in report.steps if not each.search.is_over]:
                self._round(running, told)
        report.copied = sorted(self._copied)
        report.expected, report.expected_seconds = report.runs, 0.0
        told(report)
        return report

    def _first(self) -> None:
        """Runs the job as it is, to see how much there is to read, and how long that takes."""
        given, count = self._settings.sample, len(self._plan.settings)
        seconds = None if given else max(_FIRST_SECONDS / count, _LEAST_FIRST_SECONDS)
        self._samples = dict.fromkeys(self._plan.settings, Sample(given or DEFAULT_SAMPLE, seconds))
        measured = self._measure(self._plan.settings)
        self._run_seconds = sum(each.seconds for each in measured.values()) + _START_SECONDS
        for name in self._plan.settings:
            self._take_first(name, measured.get(name))
        if not self._report.steps:
            reasons = "; ".join(f"{name}: {why}" for name, why in self._report.skipped.items())
            raise UsageError(f"nothing of {self._subject.name!r} can be measured: {reasons}")

    def _take_first(self, name: str, measured: Measurement | None) -> None:
        if measured is None:
            self._report.skipped[name] = "the run did not come to it"
        elif measured.items < LEAST_ITEMS:
            self._report.skipped[name] = f"it reads {measured.items} items, too few to be measured"
        else:
            is_cut = self._samples[name].seconds is not None and measured.items < self._samples[name].items
            items = _rounded(measured.items) if is_cut else measured.items
            is_whole = measured.items < self._samples[name].items and not is_cut
            self._samples[name] = Sample(items)
            search = Search(self._plan.settings[name], items, MOST_ROUNDS)
            self._report.steps.append(StepReport(name, items, is_whole, search))

    def _rounds(self) -> int:
        """Returns how many rounds there are to be."""
        if self._settings.rounds is not None:
            return self._settings.rounds
        for rounds in range(MOST_ROUNDS, LEAST_ROUNDS, -1):
            searches = [Search(each.search.present, each.items, rounds) for each in self._report.steps]
            if max(each.expected for each in searches) * self._run_seconds <= _WITHIN_SECONDS:
                return rounds
        return LEAST_ROUNDS

    def _begin(self) -> None:
        for step in self._report.steps:
            step.search = Search(step.search.present, step.items, self._report.rounds)

    def _round(self, steps: list[StepReport], told: Told) -> None:
        """Measures the settings that the steps want in this round, a run for each; all steps are in each run."""
        series = {step.name: step.search.series for step in steps}
        wanted = {name: each.wanted() for name, each in series.items()}
        found: dict[str, dict[Setting, Measurement]] = {name: {} for name in wanted}
        for place in range(max(map(len, wanted.values()))):
            now = {name: each[place] for name, each in wanted.items() if place < len(each)}
            self._tell(now, series, told)
            measured = self._measure({**self._fixed(), **now})
            for name, setting in now.items():
                if name not in measured:
                    raise UsageError(
                        f"the run did not come to step {name!r} again", hint="its flow differs from run to run"
                    )
                found[name][setting] = measured[name]
        for name, each in series.items():
            each.take(found[name])
        if self._settings.rounds is None and time.monotonic() - self._began > _WITHIN_SECONDS:
            for step in steps:
                step.search.hurry(LEAST_ROUNDS)

    def _fixed(self) -> dict[str, Setting]:
        """Returns the settings of the steps while they are not measured themselves."""
        return {step.name: step.search.present for step in self._report.steps}

    def _tell(self, now: Mapping[str, Setting], series: Mapping[str, Series], told: Told) -> None:
        report = self._report
        done = report.runs - 1
        seconds = (time.monotonic() - self._began) / done if done else self._run_seconds
        to_come = max(each.search.expected for each in report.steps)
        report.expected = max(report.runs + to_come, report.runs + 1)
        report.expected_seconds = (report.expected - report.runs) * seconds
        name, setting = next(iter(now.items()))
        is_of_chunk = series[name] is next(each.search.chunks for each in report.steps if each.name == name)
        what = f"chunk {setting.chunk:,}" if is_of_chunk else f"read_ahead {setting.read_ahead}"
        report.now = f"{name}: {what}, round {series[name].done + 1}/{report.rounds}"
        told(report)

    # --- a run ---

    def _measure(self, settings: Mapping[str, Setting]) -> dict[str, Measurement]:
        """Runs the job once on new copies; returns what was measured of the steps that have completed.

        Raises:
            DefinitionError: the parameters or options are wrong.
            UsageError: the job has failed.
        """
        samples = Samples(
            self._samples, Sample(self._settings.sample or DEFAULT_SAMPLE), with_effects=self._settings.with_effects
        )
        with self._copies.workplace(f"run-{self._report.runs}") as workplace, ExitStack() as ending:
            order = TuneOrder(
                **values(self._copies.order(workplace)),
                settings=settings,
                samples=samples,
                repository_url=self._settings.repository_url,
            )
            with uninterrupted():
                process = self._processes.start(ChildProcess(measure, order))
                ending.callback(self._ended, process)  # before its copies go, which it has open
            code = self._processes.exit_code(process)
            self._report.runs += 1
            facts = order.kept()
            for refusal in workplace.noted("refusals"):
                raise UsageError(refusal["message"], hint=refusal["hint"])
            _refuse(facts, code)
            assert facts is not None
            self._copied.update(table for fact in workplace.noted("rows") for table in fact["tables"])
        return {name: Measurement.read(each) for name, each in facts["steps"].items()}

    def _ended(self, process: ChildProcess) -> None:
        process.kill()
        self._processes.exit_code(process)


def _refuse(facts: dict[str, Any] | None, code: int | None) -> None:
    """Raises what kept a run from its end."""
    if facts is None:
        killed = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with {code}"
        raise UsageError(f"the process of a measurement {killed}", hint="a smaller --sample needs less memory")
    if "problems" in facts:
        raise DefinitionError(list(dict.fromkeys(Problem(**each) for each in facts["problems"])))
    if "error" in facts:
        raise UsageError(f"the job cannot be run on copies: {facts['error']}", hint=facts["hint"] or None)
    if facts["failures"]:
        raise UsageError(
            f"the job fails on copies with a sample of its source: {facts['failures']}",
            hint="tables are empty there, unless earlier steps or upserts need their rows",
        )


def _rounded(items: int) -> int:
    """Returns the number with its first two digits only: 38,412 is 38,000."""
    unit: int = 10 ** max(len(str(items)) - 2, 0)
    return items // unit * unit


@contextmanager
def _folder(project: Path) -> Iterator[Path | None]:
    """Gives the folder for the copies: on the file system of the project, whose speed is to be measured.

    That for temporary files (None), if it is there, or else the project's folder for what batchrun makes.
    """
    own = project / ".batchrun"
    is_there = own.is_dir()
    if Path(tempfile.gettempdir()).stat().st_dev == project.stat().st_dev or not os.access(project, os.W_OK):
        yield None
        return
    own.mkdir(exist_ok=True)
    try:
        yield own
    finally:
        if not is_there:
            with suppress(OSError):
                own.rmdir()
