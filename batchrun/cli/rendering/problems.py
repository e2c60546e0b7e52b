"""Problems of a job file, with their line and caret."""

from __future__ import annotations

from rich.text import Text

from batchrun.cli.rendering.screen import cleaned
from batchrun.errors import Problem


def problem_lines(problem: Problem) -> list[Text]:
    """Returns the plain text of a problem, colored; not wrapped, or the caret would point elsewhere."""
    from batchrun.definition import render

    lines = [Text(cleaned(line)) for line in render(problem).splitlines()]
    head, *source = lines or [Text()]
    head.highlight_regex(r"^\S+?:(\d+:)*", "bold")
    head.highlight_regex(r"(?<=: )error:", "bold red")
    head.highlight_regex(r"(?<=: )warning:", "bold yellow")
    for line in source:
        line.highlight_regex(r"^[\s|\d]*\^[\^~]*", "bold green")
    return [head, *source]
