"""A report as the step summary of GitHub Actions: Markdown with steps, what failed, and the command that goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchrun.cli.reports.report import Case, Report, Verdict

_MOST = 4_000
"""Characters of one message: a summary may hold 1 MiB, and a database's message may hold a statement."""

_SIGNS = {Verdict.PASSED: "✅", Verdict.FAILED: "❌", Verdict.ERROR: "❌", Verdict.SKIPPED: "⏭️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def summary_text(report: Report) -> str:
    """Returns the Markdown, with an empty line at its end that keeps the next summary apart."""
    sign = _SIGNS[Verdict.PASSED if report.is_good else Verdict.FAILED]
    return "\n".join(
        [f"### {sign} {_literal(report.headline)}", "", *_table(report), *_messages(report), *_next(report)]
    )


def _table(report: Report) -> Iterator[str]:
    """Yields a row for each case that has something to count, and the columns in which any has."""
    cases = [case for case in report.cases if case.facts]
    if not cases:
        return
    columns = list(dict.fromkeys(name for case in cases for name in case.facts))
    yield _row("step", *columns)
    yield _row("---", *("---:" if _is_numeric(name, cases) else "---" for name in columns))
    for case in cases:
        cells = [f"{_SIGNS[case.verdict]} {case.name}", *(case.facts.get(name, "") for name in columns)]
        yield _row(*map(_literal, cells))
    yield ""


def _is_numeric(column: str, cases: list[Case]) -> bool:
    return all(case.facts.get(column, "")[:1].isdigit() for case in cases if case.facts.get(column))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _messages(report: Report) -> Iterator[str]:
    for case in report.cases:
        if case.message and case.verdict is not Verdict.SKIPPED:
            place = ":".join(str(part) for part in (case.file, case.line, case.column) if part)
            yield f"**{_literal(case.name)}**{f' ({_literal(place)})' if place else ''}"
            yield from ("", *_fenced(case.explanation), "")


def _next(report: Report) -> Iterator[str]:
    if report.next_command:
        yield from ("To continue:", "", *_fenced(report.next_command), "")


def _fenced(text: str) -> Iterator[str]:
    """Yields a code block whose fence is longer than any in the text."""
    shown = text if len(text) <= _MOST else f"{text[:_MOST]}…"
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown)), 0)
    yield from (fence, shown, fence)


def _literal(text: str) -> str:
    """Returns text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
