"""Settings of a chunk step, the candidates that are measured of them, and what a measurement came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from batchrun.domain.definition import (
    ChunkDefinition,
    FlowDefinition,
    JobDefinition,
    ParallelDefinition,
    StepDefinition,
)
from batchrun.domain.execution import StepTimes

READ_AHEADS = (0, 1, 2, 4)
_CHUNKS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
_LEAST = 1_000
_MOST = 50_000
_LEAST_CHUNKS = 2
_LEAST_DEPTHS = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """How a chunk step is run.

    Attributes:
        chunk: the commit interval, in items; None where a policy of its own says when a chunk is full.
        read_ahead: how many chunks are made ready ahead.
    """

    chunk: int | None
    read_ahead: int

    @classmethod
    def of(cls, work: ChunkDefinition) -> Setting:
        """Returns what a step's definition says."""
        return cls(None if work.completion.policy else work.completion.items, work.read_ahead)

    def given_to(self, work: ChunkDefinition) -> ChunkDefinition:
        """Returns a step's work with this setting in place of its own."""
        completion = work.completion if self.chunk is None else replace(work.completion, items=self.chunk)
        return replace(work, completion=completion, read_ahead=self.read_ahead)

    def with_chunk(self, chunk: int) -> Setting:
        """Returns the same with another commit interval."""
        return replace(self, chunk=chunk)

    def with_read_ahead(self, read_ahead: int) -> Setting:
        """Returns the same with another read-ahead."""
        return replace(self, read_ahead=read_ahead)


def chunk_candidates(present: Setting, items: int) -> list[Setting]:
    """Returns the chunk sizes to measure, the present one among them, in ascending order.

    The round numbers from 1,000 to 50,000; from a tenth of a smaller present size, and to ten times a larger one. None
    is so large that fewer than two chunks of it are in the sample. For 40,000 items and a chunk of 1,000: 1,000, 2,000,
    5,000, 10,000, 20,000.

    Args:
        present: of the step; where a policy sizes its chunks, it is all there is.
        items: in the sample.
    """
    if present.chunk is None:
        return [present]
    least = _LEAST if present.chunk >= _LEAST else present.chunk // 10
    most = _MOST if present.chunk < _MOST else present.chunk * 10
    most = min(most, items // _LEAST_CHUNKS)
    sizes = {present.chunk, *(size for size in _CHUNKS if least <= size <= most)}
    return [present.with_chunk(size) for size in sorted(sizes)]


def read_ahead_candidates(present: Setting, items: int) -> list[Setting]:
    """Returns the read-aheads to measure, the present one among them, in ascending order.

    None of the others is more than a third of the chunks in the sample: what reads all ahead at once shows nothing.

    Args:
        present: of the step, with the chunk size that is measured.
        items: in the sample.
    """
    most = max(READ_AHEADS) if present.chunk is None else items // present.chunk // _LEAST_DEPTHS
    sizes = {present.read_ahead, *(each for each in READ_AHEADS if each <= most)}
    return [present.with_read_ahead(each) for each in sorted(sizes)]


def with_settings(job: JobDefinition, settings: dict[str, Setting]) -> JobDefinition:
    """Returns a job whose chunk steps have other settings, by the steps' names."""
    return replace(job, flow=_flow(job.flow, settings))


def _flow(flow: FlowDefinition, settings: dict[str, Setting]) -> FlowDefinition:
    return replace(flow, states=[_state(each, settings) for each in flow.states])


def _state(state: StepDefinition, settings: dict[str, Setting]) -> StepDefinition:
    match state.work:
        case ChunkDefinition() if state.name in settings:
            return replace(state, work=settings[state.name].given_to(state.work))
        case FlowDefinition():
            return replace(state, work=_flow(state.work, settings))
        case ParallelDefinition(branches):
            return replace(state, work=ParallelDefinition([_flow(each, settings) for each in branches]))
    return state


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of a step.

    Attributes:
        items: how many it has read.
        seconds: from the moment at which all was open to the last commit.
        times: where they went.
        peak: the most memory that the process had meanwhile, in bytes; None where nobody can say that of this step.
    """

    items: int
    seconds: float
    times: StepTimes
    peak: int | None = None

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds if self.seconds > 0 else 0.0

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Measurement:
        """Returns what a process has told."""
        return cls(**{**facts, "times": StepTimes.from_dict(facts["times"])})


def names_of(settings: Sequence[Setting], kind: str) -> list[int]:
    """Returns the values of one kind, `chunk` or `read_ahead`."""
    return [getattr(each, kind) for each in settings]
