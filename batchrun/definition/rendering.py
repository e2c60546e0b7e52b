"""A problem as plain text: place, message, the line and a caret under it; colour is the command line's business."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from batchrun.errors import Problem

_INDENT = "    "
_WIDEST = 160


def render(problem: Problem, cwd: Path | None = None) -> str:
    """Returns the text of a problem, without a line end.

    Args:
        problem: what to tell.
        cwd: a file below this folder is named relative to it; by default the current directory.
    """
    head = f"{place(problem, cwd)}: {problem.severity}: {summary(problem)}"
    if problem.line is None or not problem.source or not problem.source.strip():
        return head
    return "\n".join((head, *caret(problem.source, problem.column or 1)))


def place(problem: Problem, cwd: Path | None = None) -> str:
    """Returns where the problem is, as `Problem.place` does."""
    return problem.place(_relative(problem.file, cwd or Path.cwd()))


def summary(problem: Problem) -> str:
    """Returns the message with its hint."""
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def caret(source: str, column: int) -> tuple[str, str]:
    """Returns the line, shortened where it is very long, and a caret under the 1-based column."""
    start = max(0, column - _WIDEST // 2) if len(source) > _WIDEST else 0
    shown = source[start : start + _WIDEST].replace("\t", " ")
    before = shown[: column - 1 - start]
    return f"{_INDENT}{shown.rstrip()}", f"{_INDENT}{' ' * _width(before)}^"


def _width(text: str) -> int:
    """Columns that a terminal needs: two for a wide character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _relative(file: str, cwd: Path) -> str:
    path = Path(file)
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else file
