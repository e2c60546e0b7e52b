"""A report for GitHub Actions: commands of a workflow that annotate the run, and groups that fold lines of its log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchrun.cli.reports.report import Case, Report, Verdict

WORKSPACE_VARIABLE = "GITHUB_WORKSPACE"


def annotation_commands(report: Report, *, quiet: bool = False) -> Iterator[str]:
    """Yields a command for each bad case, and for each warning unless it should be quiet."""
    for case in report.cases:
        if case.verdict.is_bad:
            yield _annotation("error", case, report)
        elif case.message and case.verdict is Verdict.PASSED and not quiet:
            yield _annotation("warning", case, report)


def _annotation(level: str, case: Case, report: Report) -> str:
    properties = {
        "file": _in_workspace(case.file) if case.file else "",
        "line": str(case.line or ""),
        "col": str(case.column or ""),
        "title": report.name if case.name == report.name else f"{report.name}: {case.name}",
    }
    return command(level, case.explanation, **properties)


def command(name: str, data: str = "", **properties: str) -> str:
    """Returns a workflow command such as `::error file=a.yaml,line=3::text`; an empty property is left out."""
    given = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{f' {given}' if given else ''}::{_escaped(data)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _in_workspace(file: str) -> str:
    """Returns the file relative to the checked-out repository, as annotations want it; one elsewhere stays as it is."""
    workspace, path = Path(os.environ.get(WORKSPACE_VARIABLE) or Path.cwd()), Path(file)
    return str(path.relative_to(workspace)) if path.is_relative_to(workspace) else file
