"""The tasklet: a step's callable body."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from batchrun.domain.execution import JsonObject, StepCounts
from batchrun.domain.status import ExitStatus
from batchrun.spi.checkpoint import CheckpointStore


class RepeatStatus(Enum):
    """Whether a tasklet wants to be called again."""

    CONTINUABLE = "continuable"
    FINISHED = "finished"


@dataclass(slots=True)
class StepContribution:
    """What a tasklet adds to its step execution.

    Attributes:
        counts: items read and written, where the tasklet knows them.
        exit_status: the step's exit status; None is COMPLETED.
        context: the step's state, saved after each call and given back after a restart.
    """

    counts: StepCounts = field(default_factory=StepCounts)
    exit_status: ExitStatus | None = None
    context: JsonObject = field(default_factory=dict)


class Tasklet(Protocol):
    """Does a step's work, in one call or in several.

    *End*: FINISHED or None; CONTINUABLE asks for another call, between which the step can be stopped. *Repeat*: a
    call that did not return is made again by a restart, so a tasklet without a store runs at least once.
    *Threads*: one thread. *Errors*: any exception fails the step; TaskletError says best what happened.
    """

    def open(self) -> CheckpointStore | None:
        """Makes ready; returns the store whose transaction surrounds each call, or None for no transaction."""
        ...

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Does the work, or a part of it."""
        ...

    def close(self) -> None:
        """Gives back what `open` took; called once after `open`, whether it succeeded or not."""
        ...
