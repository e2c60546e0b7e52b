"""Log records on the screen: above the progress bar, in the style of errors. Must not import rich by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from batchrun.cli.job_output import OUTPUT_LOGGER

if TYPE_CHECKING:
    from batchrun.cli.rendering.screen import Screen


class ScreenLogHandler(logging.Handler):
    """Prints records as `warning: text`, with the time of day where nobody watches."""

    def __init__(self, screen: Callable[[], Screen]) -> None:
        super().__init__()
        self.addFilter(lambda record: record.name != OUTPUT_LOGGER)
        self._screen = screen
        self._formatter = logging.Formatter("%(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the record; an error in it does not end the run."""
        try:
            screen = self._screen()
            time = "" if screen.is_watched else f"{datetime.fromtimestamp(record.created):%H:%M:%S} "
            screen.print_labelled(record.levelname.lower(), self._formatter.format(record), before=time)
        except Exception:
            self.handleError(record)
