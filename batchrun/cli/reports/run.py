"""The end of a run, as a result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from batchrun.cli.reports.report import Case, Report, Verdict
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus

if TYPE_CHECKING:
    from batchrun.cli.rendering.screen import Screen


@dataclass(frozen=True, slots=True)
class RunResult:
    """An execution that has ended.

    Attributes:
        exit_code: of the process.
        before: attempts at steps that completed in the executions that this one continues.
        next_command: goes on, or None.
        rejects_command: shows what was skipped, or None.
        fails_on_skips: a skipped item is why the process fails.
        has_run: it ran now; false where the same work had completed before.
    """

    execution: JobExecution
    exit_code: int
    before: Sequence[StepExecution] = ()
    next_command: str | None = None
    rejects_command: str | None = None
    fails_on_skips: bool = False
    has_run: bool = True

    @property
    def is_good(self) -> bool:
        """Tells whether the work is done, as it was wanted."""
        return self.execution.status is BatchStatus.COMPLETED and not self.fails_on_skips

    def show(self, screen: Screen) -> None:
        """Prints status, steps, what failed, and the command that goes on."""
        from batchrun.cli.rendering.execution import show_summary

        if self.has_run:
            show_summary(screen, self.execution, self.next_command, self.rejects_command)
        else:
            screen.print(self._note)

    @property
    def _note(self) -> str:
        return f"{self.execution.job_name} has completed with these parameters: execution {self.execution.id}"

    def document(self) -> dict[str, Any]:
        """Returns the execution."""
        from batchrun.cli.documents import execution_document

        return execution_document(self.execution)

    def report(self) -> Report:
        """Returns a case for each step; one more for the job where it failed and no step says so."""
        from batchrun.cli.rendering import words
        from batchrun.cli.rendering.execution import headline

        execution = self.execution
        told = headline(execution).plain.partition(" ")[2]
        return Report(
            execution.job_name,
            told if self.has_run else self._note,
            self.is_good,
            list(self._cases()),
            dict(_properties(execution, self.exit_code)),
            execution.started_at,
            words.elapsed(execution) or 0.0,
            execution.owner.host,
            self.next_command,
        )

    def _cases(self) -> Iterator[Case]:
        from batchrun.definition.stored import stored_step_lines

        lines = stored_step_lines(self.execution.job_text)
        earlier = self.before if self.has_run else (*self.before, *self.execution.steps)
        cases = [_case_of_earlier(step) for step in earlier]
        if self.has_run:
            cases += [_case_of_step(step, fails_on_skips=self.fails_on_skips) for step in self.execution.steps]
        for case in cases:
            yield replace(case, file=self.execution.job_file, line=lines.get(case.name))
        if not self.is_good and not any(case.verdict.is_bad for case in cases):
            yield self._case_of_job()

    def _case_of_job(self) -> Case:
        status = self.execution.exit_status
        message = status.description or f"the job ended {self.execution.status.name}, exit code {status.code}"
        file = self.execution.job_file
        return Case(self.execution.job_name, Verdict.FAILED, message, status.code, file=file)


def completed_before(attempts: Sequence[JobExecution]) -> list[StepExecution]:
    """Returns the attempts at steps that completed in earlier executions and were not repeated in the last one.

    Args:
        attempts: the executions of a chain of restarts, the last one at the end.
    """
    *earlier, last = attempts
    repeated = {(step.step_name, step.visit) for step in last.steps}
    completed = [step for each in earlier for step in each.steps if step.status is BatchStatus.COMPLETED]
    return [step for step in completed if (step.step_name, step.visit) not in repeated]


def _case_of_earlier(step: StepExecution) -> Case:
    message = f"completed before, in execution {step.job_execution_id}"
    return Case(_name(step), Verdict.SKIPPED, message, "completed before", facts=_facts(step))


def _case_of_step(step: StepExecution, *, fails_on_skips: bool) -> Case:
    from batchrun.cli.rendering import words

    status, skips = step.exit_status, step.counts.skip
    verdict, message = Verdict.PASSED, ""
    if step.status is BatchStatus.STOPPED:
        verdict, message = Verdict.ERROR, status.description or "stopped before its end"
    elif step.status is not BatchStatus.COMPLETED:
        verdict, message = Verdict.FAILED, status.description or f"ended {step.status.name}"
    elif skips or status.code.startswith("COMPLETED WITH SKIPS"):
        verdict = Verdict.FAILED if fails_on_skips else Verdict.PASSED
        message = skip_text(skips)
    return Case(_name(step), verdict, message, status.code, facts=_facts(step), seconds=words.elapsed(step) or 0.0)


def skip_text(skips: int) -> str:
    """Returns `3 items skipped`; `items skipped` where an exit code says so and nothing counts them."""
    return f"{skips} item{'' if skips == 1 else 's'} skipped" if skips else "items skipped"


def _name(step: StepExecution) -> str:
    return step.step_name if step.visit == 1 else f"{step.step_name} (visit {step.visit})"


def _facts(step: StepExecution) -> dict[str, str]:
    from batchrun.cli.rendering import words

    counts, seconds = step.counts, words.elapsed(step)
    facts = {
        "status": step.status.name,
        "exit code": step.exit_status.code if step.exit_status.code != step.status.name else "",
        "time": "" if seconds is None else words.duration(seconds),
        "read": str(counts.read),
        "written": str(counts.write),
        "filtered": str(counts.filter or ""),
        "skipped": str(counts.skip or ""),
        "commits": str(counts.commit),
        "rollbacks": str(counts.rollback or ""),
    }
    return {name: value for name, value in facts.items() if value}


def _properties(execution: JobExecution, exit_code: int) -> Iterator[tuple[str, str]]:
    from batchrun.cli.rendering.execution import parameter_texts

    yield "execution_id", str(execution.id)
    yield "instance_id", str(execution.instance.id)
    if execution.restart_of is not None:
        yield "restart_of", str(execution.restart_of)
    yield "status", execution.status.name
    yield "exit_code", execution.exit_status.code
    yield "process_exit_code", str(exit_code)
    yield "job_file", execution.job_file
    for name, text in parameter_texts(execution):
        yield f"parameters.{name}", text
