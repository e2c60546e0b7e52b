"""How the end of a run is told: the one way of launch, restart, and whatever else waits for an execution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from batchrun.cli.outputs import Form
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus

if TYPE_CHECKING:
    from batchrun.app import Application
    from batchrun.cli.invocation import Invocation
    from batchrun.cli.reports.run import RunResult
    from batchrun.spi.listener import Listener


@contextmanager
def watched(
    invocation: Invocation, title: str, step_names: Sequence[str] = (), *, is_late: bool = False
) -> Iterator[list[Listener]]:
    """Gives the listeners that show a run's progress, folded under the title where GitHub shows it.

    Args:
        invocation: nothing is shown of a detached run.
        title: tells GitHub's readers what is folded.
        step_names: the names that may come, as far as they are known.
        is_late: the run may have begun long ago.
    """
    from batchrun.cli.rendering.progress import progress_on
    from batchrun.cli.reports.writing import folded

    if invocation.detachment is not None:
        yield []
        return
    with (
        folded(invocation, title),
        progress_on(
            invocation.stderr, quiet=invocation.options.quiet, step_names=step_names, is_late=is_late
        ) as listeners,
    ):
        yield listeners


def tell_end(
    invocation: Invocation, application: Application, execution: JobExecution, *, fail_on_skips: bool = False
) -> int:
    """Tells what came of a run, in all forms that are asked for, and returns the exit code of the process."""
    from batchrun.cli.reports.run import RunResult
    from batchrun.operations.exit_codes import has_skips

    is_complete = execution.status is BatchStatus.COMPLETED
    fails_on_skips = fail_on_skips and is_complete and has_skips(application.explorer.attempts(execution))
    exit_code = application.exit_code(execution, fails_on_skips=fails_on_skips)
    result = RunResult(
        execution,
        exit_code,
        before=_before(invocation, application, execution),
        next_command=invocation.command("restart", execution.id) if execution.status.is_restartable else None,
        rejects_command=invocation.command("rejects", execution.id),
        fails_on_skips=fails_on_skips,
    )
    _tell(invocation, result)
    _tell_failures(invocation, result)
    return exit_code


def tell_complete(invocation: Invocation, application: Application, execution: JobExecution) -> int:
    """Tells that the work was done before, by this execution, and returns the exit code of the process."""
    from batchrun.cli.reports.run import RunResult

    _tell(invocation, RunResult(execution, 0, before=_before(invocation, application, execution), has_run=False))
    return 0


def _before(invocation: Invocation, application: Application, execution: JobExecution) -> list[StepExecution]:
    """Returns what earlier executions completed; nothing is asked of the repository where no form lists it."""
    from batchrun.cli.reports.run import completed_before

    return completed_before(application.explorer.attempts(execution)) if invocation.outputs.has_report else []


def _tell(invocation: Invocation, result: RunResult) -> None:
    from batchrun.cli.reports.writing import write_forms

    if invocation.outputs.stdout is Form.TEXT and not (result.is_good and invocation.options.quiet):
        if result.has_run and invocation.stdout.is_watched and not invocation.options.quiet:
            invocation.stdout.print("")  # sets it apart from the progress above
        result.show(invocation.stdout)
    write_forms(invocation, result)


def _tell_failures(invocation: Invocation, result: RunResult) -> None:
    """Tells on stderr what failed, where stdout does not show it to somebody."""
    from batchrun.cli.rendering.execution import failures

    if result.fails_on_skips:
        message = f"{result.execution.job_name} has skipped items, which --fail-on-skips makes a failure"
        invocation.stderr.print_labelled("error", message)
    is_shown = invocation.outputs.stdout is Form.TEXT and invocation.stdout.is_watched
    if result.execution.status is BatchStatus.FAILED and not is_shown:
        for what, description in failures(result.execution):
            invocation.stderr.print_labelled("error", f"{what}: {description}")
