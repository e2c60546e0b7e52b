"""Replay: sends the rejects of a step through its current processors and writer, as a job of its own.

The job is the stored one's file as it is now, with that step alone. Its instance is told by the execution in which the
step completed, so that the same rejects are replayed once; it is restarted like any other, and what fails again is in
its own rejects.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from batchrun.definition import LoadedJob
from batchrun.domain.definition import (
    ChunkDefinition,
    FlowDefinition,
    ParameterDefinition,
    StepDefinition,
)
from batchrun.domain.execution import JobExecution, JsonObject
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
from batchrun.domain.status import BatchStatus
from batchrun.errors import ItemError, JobFileChangedError, LaunchRefusedError, UsageError
from batchrun.operations.rejects import InstanceRejects
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.item import Extent, ItemReader, RawItem, RawItemReader
from batchrun.spi.rejects import RejectRecord

SUFFIX = ".replay"
REPLAY_OF = "replay_of"
REPLAY_STEP = "replay_step"
_OWN = (
    ParameterDefinition(REPLAY_OF, ParameterType.INTEGER, description="The execution whose rejects are replayed."),
    ParameterDefinition(REPLAY_STEP, description="The step that rejected them."),
)
_OWN_NAMES = tuple(each.name for each in _OWN)


class ReplayRefusedError(LaunchRefusedError):
    """The rejects of an execution cannot be replayed, or there are none."""

    def __init__(self, job_name: str, execution_id: int, reason: str, way_out: str | None = None) -> None:
        super().__init__(
            f"execution {execution_id} of job {job_name!r} has no rejects to replay: {reason}", hint=way_out
        )


class RejectsReplayedError(LaunchRefusedError):
    """The rejects of an execution have been replayed already, all of them."""

    def __init__(self, execution_id: int, step_name: str, replay_id: int) -> None:
        super().__init__(
            f"the rejects of step {step_name!r} of execution {execution_id} have been replayed already, "
            f"by execution {replay_id}",
            hint=f"batchrun rejects {replay_id} shows what failed again, batchrun replay {replay_id} replays that",
        )


class Replay(NamedTuple):
    """What a replay replays.

    Attributes:
        of: the execution in which the step completed.
        step_name: the step.
    """

    of: JobExecution
    step_name: str


def replayed(job_name: str, parameters: JobParameters) -> tuple[int, str] | None:
    """Returns execution and step whose rejects a job with these parameters replays; None where it replays none."""
    found = (parameters.get(REPLAY_OF), parameters.get(REPLAY_STEP))
    match found if job_name.endswith(SUFFIX) else None:
        case (int(of), str(step_name)):
            return of, step_name
    return None


def found_replay(rejects: InstanceRejects, step_name: str | None) -> Replay:
    """Returns what there is to replay of a job instance.

    Raises:
        UsageError: several steps have rejects, and none is named; or there is no such step.
        ReplayRefusedError: there is nothing, or the step has not completed.
    """
    last, names = rejects.executions[-1], rejects.step_names()
    if step_name is None and len(names) > 1:
        raise UsageError(
            f"the steps {' and '.join(names)} have rejects", hint=f"--step {names[0]} replays those of one"
        )
    name = step_name or next(iter(names), None)
    if name is None or (execution_step := rejects.last_attempt(name))[1].checkpoint.run not in rejects.counts(name):
        raise ReplayRefusedError(last.job_name, last.id, "nothing has been rejected")
    execution, step = execution_step
    if step.status is not BatchStatus.COMPLETED:
        raise ReplayRefusedError(
            last.job_name,
            last.id,
            f"step {name!r} has not completed, and may reject more",
            f"batchrun restart {last.id} goes on with it; what it rejects can be replayed then",
        )
    return Replay(execution, name)


def replay_job(job: LoadedJob, execution_id: int, step_name: str) -> LoadedJob:
    """Returns the job that replays the rejects of an execution's step, made of the job as it is now.

    Raises:
        JobFileChangedError: the job has no such step any more.
    """
    definition = job.definition
    step = next((each for each in definition.steps if each.name == step_name), None)
    if step is None or not isinstance(step.work, ChunkDefinition):
        reason = f"chunk step {step_name!r}, whose rejects are to be replayed, is gone"
        raise JobFileChangedError(definition.name, execution_id, reason, "bring the step back")
    flow = FlowDefinition((_replayed_step(step, step.work),), step_name)
    given = [replace(each, identifying=False) for each in definition.parameters]
    name, parameters = f"{definition.name}{SUFFIX}", (*given, *_OWN)
    return replace(job, definition=replace(definition, name=name, flow=flow, parameters=parameters, validators=()))


def _replayed_step(step: StepDefinition, work: ChunkDefinition) -> StepDefinition:
    """Returns the step without limits: what fails again goes to its rejects, in however small a lot."""
    skip = replace(work.tolerance.skip, limit=None, share=None, limits={})
    return replace(step, work=replace(work, tolerance=replace(work.tolerance, skip=skip)), start_limit=None)


def replay_parameters(parameters: JobParameters, replay: Replay) -> JobParameters:
    """Returns the parameters of the replay: those of the job, none of which identifies it, and its own."""
    kept = [replace(each, identifying=False) for each in parameters.all() if each.name not in _OWN_NAMES]
    own = [JobParameter(REPLAY_OF, replay.of.id, ParameterType.INTEGER), JobParameter(REPLAY_STEP, replay.step_name)]
    return JobParameters([*kept, *own])


def refuse_own(given: Iterable[str]) -> None:
    """Refuses values for the parameters that tell a replay from others.

    Raises:
        UsageError: one is given.
    """
    for name in (each for each in given if each in _OWN_NAMES):
        raise UsageError(f"{name} tells which rejects are replayed, and cannot be given")


@dataclass(slots=True)
class RejectReader:
    """Reads rejects in the place of a step's own reader, which is asked about those that it could not read itself.

    Attributes:
        records: yields them.
        own: the step's reader.
        log: of the step.
    """

    records: Callable[[], Iterator[RejectRecord]]
    own: ItemReader
    log: logging.Logger
    _left: Iterator[RejectRecord] | None = None
    _done: int = 0
    _is_own_open: bool = False

    def open(self, position: JsonObject | None) -> Extent:
        """Goes behind the rejects that are done, and opens the step's reader where there are texts for it."""
        kept = list(self.records())
        raws = sum(_is_raw(each) for each in kept)
        if raws and isinstance(self.own, RawItemReader):
            self._is_own_open = True
            self.own.open(None)
        elif raws:
            kind = type(self.own).__name__
            self.log.warning("%d rejects cannot be replayed: %s does not read items from their texts", raws, kind)
            kept = [each for each in kept if not _is_raw(each)]
        self._done = 0 if position is None else position["record"]
        self._left = islice(kept, self._done, None)
        return Extent(len(kept))

    def read(self, limit: int) -> Chunk | None:
        """Returns the next items, as they had been read or as their texts are read now."""
        assert self._left is not None, "the reader is open"
        taken = list(islice(self._left, limit))
        if not taken:
            return None
        self._done += len(taken)
        found = [(record, made) for record, made in zip(taken, self._made(taken), strict=True) if made is not None]
        items = [(record.origin or "", made) for record, made in found if not isinstance(made, ItemError)]
        return Chunk(
            rows=[item for _, item in items],
            position={"record": self._done},
            origins=RejectOrigins([origin for origin, _ in items]),
            errors=[made for _, made in found if isinstance(made, ItemError)],
            progress=self._done,
        )

    def close(self) -> None:
        """Closes the step's reader."""
        if self._is_own_open:
            self.own.close()

    def _made(self, records: Sequence[RejectRecord]) -> list[Item | ItemError | None]:
        raws = [RawItem(each.raw or "", each.origin) for each in records if _is_raw(each)]
        read = iter(self.own.read_raw(raws) if raws and isinstance(self.own, RawItemReader) else ())
        return [next(read) if _is_raw(each) else each.item for each in records]


def _is_raw(record: RejectRecord) -> bool:
    return record.item is None


@dataclass(frozen=True, slots=True)
class RejectOrigins:
    """Where replayed items came from once: what their rejects say."""

    origins: Sequence[str]

    def of(self, index: int) -> str:
        """Returns the origin of an item."""
        return self.origins[index]

    def span(self) -> str:
        """Returns the origins of the first and the last."""
        return f"{self.origins[0]} to {self.origins[-1]}" if len(self.origins) > 1 else "".join(self.origins)
