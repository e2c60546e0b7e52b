"""An error that ended a command, as a result: what programs and CI servers get instead of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batchrun.cli.reports.report import Case, Report, Verdict
from batchrun.errors import Problem

if TYPE_CHECKING:
    from batchrun.cli.rendering.screen import Screen


@dataclass(frozen=True, slots=True)
class FailureResult:
    """The end of a command that could not do its work.

    Attributes:
        command: such as `batchrun launch`.
        message: what happened.
        exit_code: of the process.
        kind: the error's name.
        hint: the way out.
        problems: what is wrong in a job file, each with its place.
        execution_id: the execution that stands in the way.
    """

    command: str
    message: str
    exit_code: int
    kind: str
    hint: str | None = None
    problems: Sequence[Problem] = ()
    execution_id: int | None = None

    def show(self, screen: Screen) -> None:
        """Prints the problems, the error and the way out."""
        from batchrun.cli.rendering.problems import show_problem

        for problem in self.problems:
            show_problem(screen, problem)
        screen.print_labelled("error", self.message)
        if self.hint:
            screen.print_labelled("hint", self.hint)

    def document(self) -> dict[str, Any]:
        """Returns `{"error": …}`, which no other result has."""
        from batchrun.cli.documents import problem_document

        error = {
            "code": self.exit_code,
            "type": self.kind,
            "message": self.message,
            "hint": self.hint,
            "execution_id": self.execution_id,
            "problems": [problem_document(problem) for problem in self.problems],
        }
        return {"error": error}

    def report(self) -> Report:
        """Returns a case for each problem, or one for the command."""
        alone = Case(self.command, Verdict.ERROR, self.message, self.kind, way_out=self._way_out)
        cases = [problem_case(problem, self.kind) for problem in self.problems] or [alone]
        properties = {"process_exit_code": str(self.exit_code)}
        return Report(self.command, f"{self.command}: {self.message}", False, cases, properties)

    @property
    def _way_out(self) -> str:
        return f"hint: {self.hint}" if self.hint else ""


def problem_case(problem: Problem, kind: str) -> Case:
    """Returns a problem of a job file as a case; a warning is one that went well."""
    from batchrun.definition.rendering import place

    is_error = problem.severity == "error"
    name = problem.path or place(problem)
    return Case(
        name,
        Verdict.FAILED if is_error else Verdict.PASSED,
        problem.message,
        kind if is_error else "",
        way_out=problem.hint or "",
        file=problem.file,
        line=problem.line,
        column=problem.column,
    )
