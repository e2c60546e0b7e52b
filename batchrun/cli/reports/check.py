"""What `validate` found, as a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batchrun.cli.reports.failure import problem_case
from batchrun.cli.reports.report import Case, Report
from batchrun.errors import Problem

if TYPE_CHECKING:
    from batchrun.cli.rendering.screen import Screen


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A job file that has been checked.

    Attributes:
        file: as the command was given it.
        verdict: all of it in one sentence.
        exit_code: of the process; not 0 where anything is wrong.
        problems: errors, or else warnings.
        job_name: where the file is valid.
    """

    file: str
    verdict: str
    exit_code: int
    problems: Sequence[Problem]
    job_name: str | None = None

    def show(self, screen: Screen) -> None:
        """Prints the problems with their lines, and the verdict."""
        from batchrun.cli.rendering.problems import show_problem

        for problem in self.problems:
            show_problem(screen, problem)
        screen.print(self.verdict)

    def document(self) -> dict[str, Any]:
        """Returns whether the file is valid, and its problems."""
        from batchrun.cli.documents import problem_document

        return {
            "valid": not self.exit_code,
            "job_name": self.job_name,
            "problems": [problem_document(problem) for problem in self.problems],
        }

    def report(self) -> Report:
        """Returns a case for each problem, and one for a file that is valid."""
        cases = [problem_case(problem, "DefinitionError") for problem in self.problems]
        if not self.exit_code:
            cases.insert(0, Case(self.file))
        properties = {"process_exit_code": str(self.exit_code)}
        return Report(self.file, self.verdict, not self.exit_code, cases, properties)
