"""A line of an execution's log on the screen; in a pipe it stays as it is in the file."""

from __future__ import annotations

import logging

from rich.text import Text

from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.operations.log_reading import LogLine

_INDENT = 2
_STYLES = ((logging.ERROR, "red"), (logging.WARNING, "yellow"), (logging.INFO, ""), (logging.NOTSET, "dim"))


def show_line(screen: Screen, line: LogLine) -> None:
    """Prints a line, colored by its level and wrapped where there is a width."""
    if not screen.is_watched:
        screen.write(f"{line.text}\n")
        return
    text = Text(cleaned(line.text), next(style for level, style in _STYLES if line.level >= level))
    text.stylize("dim", 0, len(line.at))
    indent = len(line.text) - len(line.text.lstrip()) if not line.begins else 0
    screen.print(*screen.wrapped(text, indent=indent + _INDENT))
