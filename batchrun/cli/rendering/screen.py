"""The screen: stdout or stderr, a terminal of some width or a pipe without any."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from batchrun.errors import UsageError

_LABEL_STYLES = {
    "error": "bold red",
    "critical": "bold red",
    "warning": "bold yellow",
    "hint": "bold cyan",
    "info": "bold blue",
    "debug": "dim",
}
_LEAST_ROOM = 20
# Escape sequences of a terminal may come in with any value or message of a database.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def cleaned(text: str) -> str:
    """Returns the text without characters that would move a terminal's cursor or change its colors."""
    return _CONTROL.sub(lambda match: "" if match[0] == "\r" else "\N{REPLACEMENT CHARACTER}", text)


def silence(stream: IO[str]) -> None:
    """Lets all further writes to the stream go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # a stream in memory has no file to exchange
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _is_in_ci() -> bool:
    """Tells whether `CI` is set: some of its terminals keep a log, in which a line cannot be drawn anew."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


class _LastingConsole(Console):
    """A console that falls silent when nobody can read it, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Writes to nowhere from here on; Python flushes the stream once more at its end, which must not fail."""
        self.quiet = True
        silence(self.file)


class Screen:
    """Prints lines that have been laid out for its width.

    A reader that goes away, as `head` does, silences the screen and ends nothing: the exit code stays the command's.
    """

    def __init__(self, *, stderr: bool = False, no_color: bool = False, file: IO[str] | None = None) -> None:
        self.console = _LastingConsole(
            stderr=stderr,
            file=file,
            color_system=None if file else "auto",
            no_color=no_color or None,  # None leaves the decision to NO_COLOR
            force_interactive=False if _is_in_ci() else None,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )

    @property
    def is_watched(self) -> bool:
        """Tells whether it is a terminal; FORCE_COLOR brings colors into a pipe but makes no terminal of it."""
        try:
            return self.console.file.isatty()
        except ValueError:  # closed
            return False

    @property
    def is_silent(self) -> bool:
        """Tells whether what is printed goes nowhere."""
        return self.console.quiet

    def silence(self) -> None:
        """Lets all that is printed from here on go nowhere."""
        self.console.quiet = True

    @property
    def width(self) -> int | None:
        """The columns of the terminal; None where nothing limits a line."""
        return self.console.width if self.is_watched else None

    def share(self, part: int) -> int | None:
        """Returns that part of the width, such as a quarter for 4; at least 12, and None where there is no width."""
        return None if self.width is None else max(self.width // part, 12)

    @property
    def is_unicode(self) -> bool:
        """Tells whether symbols beyond ASCII can be shown."""
        return self.console.encoding.startswith("utf")

    def print(self, *lines: Text | str) -> None:
        """Prints lines as they are."""
        with self._writing():
            for line in lines:
                self.console.print(line)

    def write(self, text: str) -> None:
        """Writes text as it is, such as JSON."""
        if self.console.quiet:
            return
        with self._writing():
            self.console.file.write(text)
            self.console.file.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.console.on_broken_pipe()
        except OSError as error:
            self.console.on_broken_pipe()
            if not self.console.stderr:  # of stderr's own failure nobody can be told
                raise UsageError(f"the result cannot be written to stdout: {error.strerror}") from error

    def print_labelled(self, label: str, message: str, *, before: str = "") -> None:
        """Prints `label: message`, wrapped with a hanging indent where there is a width."""
        head = Text.assemble((before, "dim"), (f"{label}:", _LABEL_STYLES.get(label, "bold")), " ")
        self.print(*self.wrapped(Text.assemble(head, cleaned(message)), indent=2))

    def wrapped(self, text: Text, *, indent: int = 0, first_indent: int = 0, most: int | None = None) -> Sequence[Text]:
        """Lays out a paragraph; lines of its own are kept, and words longer than a line stay whole.

        Args:
            text: the paragraph.
            indent: columns before each line.
            first_indent: columns before the first line.
            most: the width beyond which prose is hard to read, also in a pipe; None takes all there is.
        """
        # One column stays free: many terminals break the line after a character in the last one.
        widths = [each for each in (self.width and self.width - 1, most) if each is not None]
        lines: list[Text] = []
        for source in text.split("\n", allow_blank=True):
            before = indent if lines else first_indent
            breaks = _breaks(source.plain, min(widths) - before, min(widths) - indent) if widths else []
            for piece in source.divide(breaks):
                piece.rstrip()
                lines.append(Text(" " * (indent if lines else first_indent)) + piece if piece else piece)
        return lines


def _breaks(line: str, first_room: int, room: int) -> list[int]:
    """Returns where to break a line between words; rich would cut a path in two that does not fit."""
    offsets: list[int] = []
    used = 0
    for word in re.finditer(r"\S+\s*|\s+", line):
        needed = cell_len(word[0].rstrip())
        if used and used + needed > max(room if offsets else first_room, _LEAST_ROOM):
            offsets.append(word.start())
            used = 0
        used += cell_len(word[0])
    return offsets
