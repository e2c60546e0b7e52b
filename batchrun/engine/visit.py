"""A visit of the flow to a state: what an attempt at a step is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from batchrun.domain.definition import StepDefinition
from batchrun.domain.execution import StepExecution
from batchrun.domain.position import Address
from batchrun.engine.run import JobRun


@dataclass(frozen=True, slots=True)
class Visit:
    """One entering of a state.

    Attributes:
        number: how many times the flow has entered the state; a restart of an unfinished visit keeps its number.
        address: the flow that the state belongs to.
        parent: the attempt at the state that holds this flow; None in the job's own.
    """

    run: JobRun
    definition: StepDefinition
    number: int
    address: Address = ()
    parent: StepExecution | None = None


StepRunner = Callable[[Visit], StepExecution]
"""Runs a visit to its end and returns the attempt, or the one of an earlier execution that has completed it."""
