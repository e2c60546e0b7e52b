"""The exit code of the process for an execution that has ended (SEMANTICS section 9)."""

from __future__ import annotations

from collections.abc import Sequence

from batchrun.definition.stored import stored_exit_codes
from batchrun.domain.execution import JobExecution
from batchrun.domain.status import COMPLETED_WITH_SKIPS, BatchStatus
from batchrun.errors import ExitCode

_BY_STATUS = {BatchStatus.COMPLETED: ExitCode.COMPLETED, BatchStatus.STOPPED: ExitCode.STOPPED}


def process_exit_code(execution: JobExecution, *, fails_on_skips: bool = False) -> int:
    """Returns what the process ends with: the number that the job gives its exit code, else one by the status.

    Args:
        execution: ended; the job file's text that it keeps says the job's own numbers.
        fails_on_skips: a COMPLETED execution has skipped items, and they are to fail the process.
    """
    code = execution.exit_status.code
    # Most jobs have none, and reading the text takes as long as reading the file did.
    own = stored_exit_codes(execution.job_text) if "exit_codes" in execution.job_text else {}
    if code in own:
        return own[code]
    if fails_on_skips and execution.status is BatchStatus.COMPLETED:
        return ExitCode.SKIPS
    return _BY_STATUS.get(execution.status, ExitCode.FAILED)


def has_skips(executions: Sequence[JobExecution]) -> bool:
    """Tells whether an item was skipped in any of the executions, by the counts or by an exit code that says so."""
    statuses = [each.exit_status for each in executions]
    steps = [step for each in executions for step in each.steps]
    statuses += [step.exit_status for step in steps]
    said = any(status.code.startswith(COMPLETED_WITH_SKIPS.code) for status in statuses)
    return said or any(step.counts.skip for step in steps)
