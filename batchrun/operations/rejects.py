"""What the steps of a job instance have rejected, over all its executions; read from the steps' own sinks."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.errors import InputError, UsageError, did_you_mean
from batchrun.operations.scope import StepScope
from batchrun.registry import Registry
from batchrun.spi.rejects import RejectRecord, RejectSource, reject_folder

DEFAULT_REJECT_SINK = "json_lines"
_log = logging.getLogger("batchrun.operations")

SinkOf = Callable[[JobExecution, StepExecution], object]
"""Builds the sink of a step, to be read."""


@dataclass(frozen=True, slots=True)
class InstanceRejects:
    """The rejects of one job instance.

    Attributes:
        executions: of the instance, the oldest first.
        sink_of: builds the sinks.
    """

    executions: Sequence[JobExecution]
    sink_of: SinkOf

    def step_names(self) -> list[str]:
        """Returns the steps that have rejected something, in the order in which they did."""
        return list(dict.fromkeys(step.step_name for _, step in self._attempts() if _known(step)))

    def all(self, step_name: str | None = None) -> Iterator[RejectRecord]:
        """Yields the rejects, one step after the other, as far as the repository knows of their commit.

        Raises:
            UsageError: there is no such step.
            InputError: a file of rejects cannot be read, or none of a step's rejects is there any more.
            DatabaseError: nor can a table of them.
        """
        if step_name is not None:
            self._refuse_unknown(step_name)
        for name in self.step_names():
            if step_name in (None, name):
                counts = self.counts(name)
                committed = (each for each in self._kept(name) if each.number <= counts.get(each.run, 0))
                yield from self._still_there(name, committed, sum(counts.values()))

    def counts(self, step_name: str) -> dict[int, int]:
        """Returns how many rejects each run of a step has committed, as far as the repository knows."""
        counts: dict[int, int] = {}
        for _, step in self._attempts():
            if step.step_name == step_name and (count := _known(step)):
                counts[step.checkpoint.run] = max(count, counts.get(step.checkpoint.run, 0))
        return counts

    def of_completed(self, step_name: str, execution_id: int) -> Iterator[RejectRecord]:
        """Yields all rejects of the run of a step that has completed in an execution, mended ones as they are now.

        Raises:
            InputError: none is there any more.
        """
        runs = {
            step.checkpoint.run
            for execution, step in self._attempts()
            if (execution.id, step.step_name) == (execution_id, step_name)
        }
        known = sum(count for run, count in self.counts(step_name).items() if run in runs)
        return self._still_there(step_name, (each for each in self._kept(step_name) if each.run in runs), known)

    def last_attempt(self, step_name: str) -> tuple[JobExecution, StepExecution]:
        """Returns the last attempt at a step, with its execution.

        Raises:
            UsageError: there is none.
        """
        self._refuse_unknown(step_name)
        return [each for each in self._attempts() if each[1].step_name == step_name][-1]

    def _still_there(self, step_name: str, found: Iterator[RejectRecord], known: int) -> Iterator[RejectRecord]:
        """Yields what is found of so many rejects; tells that some are gone, which may have been meant."""
        there = 0
        for each in found:
            there += 1
            yield each
        if known and not there:
            raise InputError(
                f"step {step_name!r} has rejected {known:,} items, and none of them is where its job keeps rejects now",
                hint="bring back the file or table, or the step's `rejects` as they were",
            )
        if there < known:
            _log.warning("of %d rejects of step '%s', %d are there any more", known, step_name, there)

    def _kept(self, step_name: str) -> Iterator[RejectRecord]:
        sink = self.sink_of(*self.last_attempt(step_name))
        if not isinstance(sink, RejectSource):
            raise UsageError(
                f"the rejects of step {step_name!r} cannot be read: {type(sink).__name__} has no records()"
            )
        return sink.records()

    def _attempts(self) -> Iterator[tuple[JobExecution, StepExecution]]:
        return ((execution, step) for execution in self.executions for step in execution.steps)

    def _refuse_unknown(self, step_name: str) -> None:
        names = list(dict.fromkeys(step.step_name for _, step in self._attempts()))
        if step_name not in names:
            hint = did_you_mean(step_name, names) or f"it has run: {', '.join(names) or 'none'}"
            raise UsageError(f"the job instance has run no step {step_name!r}", hint=hint)


@dataclass(frozen=True, slots=True)
class AssumedSink:
    """The sink of a step whose job cannot say which it is: the one that a step has which names none.

    Attributes:
        default: that one.
        error: why the job cannot say it; raised where nothing is found.
    """

    default: RejectSource
    error: Exception

    def records(self) -> Iterator[RejectRecord]:
        """Yields what is found."""
        is_found = False
        for record in self.default.records():
            is_found = True
            yield record
        if not is_found:
            raise self.error


def default_sink(execution: JobExecution, step: StepExecution, repository_id: str, project: Path) -> RejectSource:
    """Returns the sink of a step that names none, without a look at its job."""
    registry = Registry()
    kind = registry.component("reject_sink", DEFAULT_REJECT_SINK)
    scope = StepScope(
        job_name=execution.job_name,
        step_name=step.step_name,
        repository_id=repository_id,
        repository_url="",
        instance_id=execution.instance.id,
        execution_id=execution.id,
        log=logging.getLogger("batchrun.job"),
        project=project,
        databases={},
        modules=registry.modules,
        should_stop=lambda: False,
    )
    sink: RejectSource = kind(registry.spec("reject_sink", DEFAULT_REJECT_SINK).parse({}), scope)
    return sink


def remove_rejects(instances: Iterable[tuple[Path, int]], repository_id: str) -> None:
    """Removes what sinks without a path of their own keep of job instances that are gone, each named by its project.

    A file or table that the job names itself stays: it may be the users' own. What cannot be removed is told and stays.
    """
    for project, instance_id in instances:
        folder = project / reject_folder(repository_id, instance_id)
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning("the rejects in %s stay: %s", folder, error.strerror)


def _known(step: StepExecution) -> int:
    count: int = step.checkpoint.contexts.get("rejects", {}).get("count", 0)
    return count
