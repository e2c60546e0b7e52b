"""Writes a result to all places that `--output` names, other than as text on the screen."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from batchrun.cli.outputs import Form, writing

if TYPE_CHECKING:
    from batchrun.cli.invocation import Invocation
    from batchrun.cli.rendering.screen import Screen
    from batchrun.cli.reports.report import Report

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


class Result(Protocol):
    """What came of a command, whichever form it is wanted in."""

    def show(self, screen: Screen) -> None:
        """Prints it for people."""
        ...

    def document(self) -> Any:
        """Returns it as JSON, for programs."""
        ...

    def report(self) -> Report:
        """Returns it as cases, for CI servers."""
        ...


def write_forms(invocation: Invocation, result: Result) -> None:
    """Writes the result in each form that is asked for, once: what comes later in the same command is left out.

    Raises:
        UsageError: a file, or stdout, cannot be written.
    """
    if invocation.is_told:
        return
    invocation.is_told = True
    outputs = invocation.outputs
    if outputs.github:
        _tell_github(invocation, result.report())
    if outputs.stdout is not Form.TEXT:
        invocation.stdout.write(_text(outputs.stdout, result))
    for form, path in outputs.files:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(form, result), encoding="utf-8", errors="replace")


def _text(form: Form, result: Result) -> str:
    if form is Form.JSON:
        from batchrun.cli.documents import as_json

        return as_json(result.document())
    if form is Form.JUNIT:
        from batchrun.cli.reports.junit import junit_text

        return junit_text(result.report())
    from batchrun.cli.rendering.screen import Screen

    plain = io.StringIO()
    result.show(Screen(file=plain))
    return plain.getvalue()


def _tell_github(invocation: Invocation, report: Report) -> None:
    """Annotates the run, and adds to its summary; the runner reads stderr like stdout, which stays for the result."""
    from batchrun.cli.reports.github import annotation_commands
    from batchrun.cli.reports.summary import summary_text

    for line in annotation_commands(report, quiet=invocation.options.quiet):
        invocation.stderr.write(f"{line}\n")
    if file := os.environ.get(SUMMARY_VARIABLE):
        try:
            with Path(file).open("a", encoding="utf-8", errors="replace") as stream:
                stream.write(summary_text(report))
        except OSError as error:
            message = f"the summary {file} cannot be written: {error.strerror}"
            invocation.stderr.print_labelled("warning", message)


@contextmanager
def folded(invocation: Invocation, title: str) -> Iterator[None]:
    """Folds what is written to stderr meanwhile under a title, where GitHub shows it."""
    if not invocation.outputs.github or invocation.options.quiet:
        yield
        return
    from batchrun.cli.reports.github import command

    invocation.stderr.write(f"{command('group', title)}\n")
    try:
        yield
    finally:
        invocation.stderr.write(f"{command('endgroup')}\n")
