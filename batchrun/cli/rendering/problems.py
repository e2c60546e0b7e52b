"""Problems of a job file, with their line and caret."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.errors import Problem

_INDENT = "    "


def show_problem(screen: Screen, problem: Problem) -> None:
    """Prints a problem: place and message wrapped, the source's line cut so that the caret stays under its column."""
    from batchrun.definition import render

    head, *source = [cleaned(line) for line in render(problem).splitlines()]
    shown = Text(head)
    shown.highlight_regex(r"^\S+?:\d+:\d+", "bold")
    shown.highlight_regex(r"\berror:", "bold red")
    shown.highlight_regex(r"\bwarning:", "bold yellow")
    screen.print(*screen.wrapped(shown, indent=2))
    if source:
        line, *carets = _around_caret(source, None if screen.width is None else screen.width - 1)
        screen.print(Text(line), *(Text(caret, style="bold green") for caret in carets))


def _around_caret(lines: Sequence[str], width: int | None) -> Sequence[str]:
    """Cuts the same columns out of the source line and the caret line, with the caret among them."""
    caret = len(lines[-1])
    if width is None or max(map(len, lines)) <= width:
        return lines
    start = max(caret - width // 2, len(_INDENT))
    room = width - len(_INDENT)
    return [_INDENT + line[start : start + room] for line in lines]
