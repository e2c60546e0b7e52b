"""The decider: says which way a flow goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from batchrun.domain.status import ExitStatus

Facts = Mapping[str, Mapping[str, Any]]
"""What a decision may go by, under the roots of references: `params`, `execution`, `job`, `steps`.

`steps` has every step of the job by its name, each with its counts, `status`, `exit_code` and `visit`; those of a step
that has not run are None. Inside a nested flow, its steps have the names that they have there, too.
"""


class Decider(Protocol):
    """Takes a decision (Spring Batch: JobExecutionDecider).

    *Repeat*: a decision is saved once it is taken, and not taken again by a restart unless its state says `recompute`.
    *Threads*: one thread. *Errors*: any exception fails the decision's state, and so the job unless a transition takes
    FAILED.
    """

    def decide(self, facts: Facts) -> str | ExitStatus:
        """Returns the exit code by which the flow goes on."""
        ...
