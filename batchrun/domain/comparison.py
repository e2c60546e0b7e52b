"""What differs between two executions: parameters, job file, batchrun itself, and the steps side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from batchrun.domain.execution import JobExecution, StepExecution

_DIGITS_OF_HASH = 12


class Change(NamedTuple):
    """A value that is another in the second execution; None where there is none."""

    name: str
    before: str | None
    after: str | None


class StepPair(NamedTuple):
    """The same step in both executions; None where one of them did not come to it."""

    name: str
    before: StepExecution | None
    after: StepExecution | None

    @property
    def differs(self) -> bool:
        """Tells whether more than its times are others."""
        if self.before is None or self.after is None:
            return True
        return _outcome(self.before) != _outcome(self.after)


def _outcome(step: StepExecution) -> tuple[object, ...]:
    return step.status, step.exit_status.code, step.counts


@dataclass(frozen=True, slots=True)
class ExecutionComparison:
    """Two executions, the one that is looked at after the one that it is compared with."""

    before: JobExecution
    after: JobExecution

    @property
    def parameters(self) -> list[Change]:
        """The parameters with other values, in the order of the second execution."""
        before, after = (
            {parameter.name: parameter.text for parameter in execution.parameters.all()}
            for execution in (self.before, self.after)
        )
        changes = [Change(name, before.get(name), after.get(name)) for name in {**after, **before}]
        return [change for change in changes if change.before != change.after]

    @property
    def facts(self) -> list[Change]:
        """What else has another value: job, status, exit code, the job file's path and hash, and batchrun's version."""
        pairs = zip(_facts(self.before), _facts(self.after), strict=True)
        return [Change(name, before, after) for (name, before), (_, after) in pairs if before != after]

    def text_diff(self) -> Iterator[str]:
        """Yields the unified diff of the job file's text, line by line; nothing where it is the same."""
        if self.before.job_text == self.after.job_text:
            return iter(())
        from difflib import unified_diff

        before, after = (each.job_text.splitlines() for each in (self.before, self.after))
        from_file, to_file = (f"{each.job_file} (execution {each.id})" for each in (self.before, self.after))
        return unified_diff(before, after, from_file, to_file, lineterm="")

    @property
    def steps(self) -> list[StepPair]:
        """The steps of both, each time that the flow came to one."""
        before, after = _by_place(self.before), _by_place(self.after)
        return [StepPair(place[0], before.get(place), after.get(place)) for place in {**before, **after}]

    @property
    def differs(self) -> bool:
        """Tells whether anything but times differs."""
        return bool(self.parameters or self.facts) or any(pair.differs for pair in self.steps)


def _facts(execution: JobExecution) -> Iterator[tuple[str, str]]:
    yield "job", execution.job_name
    yield "status", execution.status.name
    yield "exit code", execution.exit_status.code
    yield "job file", execution.job_file
    yield "sha-256", execution.job_hash[:_DIGITS_OF_HASH]
    yield "batchrun", execution.batchrun_version


def _by_place(execution: JobExecution) -> dict[tuple[str, int], StepExecution]:
    """Returns the steps by their name and how many times it has come before."""
    times: dict[str, int] = defaultdict(int)
    placed = {}
    for step in execution.steps:
        placed[step.step_name, times[step.step_name]] = step
        times[step.step_name] += 1
    return placed
