"""Which executions are asked for: the filter of a history, the same for every repository."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from batchrun.domain.execution import JobExecution
from batchrun.domain.status import BatchStatus


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """What executions must be like; what is left out does not matter.

    Attributes:
        job_names: the job is one of these; none means any.
        statuses: the status is one of these; none means any.
        since: created then or later.
        until: created before then.
        parameters: by a parameter's name, the texts (`JobParameter.text`) that its value may have.
        before_id: the id is lower.
    """

    job_names: Collection[str] = ()
    statuses: Collection[BatchStatus] = ()
    since: datetime | None = None
    until: datetime | None = None
    parameters: Mapping[str, Collection[str]] = field(default_factory=dict)
    before_id: int | None = None

    def admits(self, execution: JobExecution) -> bool:
        """Tells whether an execution is among those asked for."""
        return (
            (not self.job_names or execution.job_name in self.job_names)
            and (not self.statuses or execution.status in self.statuses)
            and (self.since is None or execution.created_at >= self.since)
            and (self.until is None or execution.created_at < self.until)
            and (self.before_id is None or execution.id < self.before_id)
            and self._admits_parameters(execution)
        )

    def _admits_parameters(self, execution: JobExecution) -> bool:
        texts = {parameter.name: parameter.text for parameter in execution.parameters.all()}
        return all(texts.get(name) in admitted for name, admitted in self.parameters.items())


EVERY = ExecutionFilter()
"""Any execution."""
