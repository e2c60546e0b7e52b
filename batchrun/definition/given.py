"""A parameter's value as somebody gave it, with where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchrun.errors import Problem


@dataclass(frozen=True, slots=True)
class GivenValue:
    """A value of a parameter file.

    Attributes:
        value: a text, or a value of YAML's own types.
        folder: what a path in it is relative to.
        file: as the user named it.
        line: 1-based.
        column: 1-based.
    """

    value: Any = field(repr=False)
    folder: Path
    file: str
    line: int
    column: int

    def problem(self, message: str, hint: str | None = None) -> Problem:
        """Returns a problem with the value's place; without the line itself, where a secret may stand."""
        return Problem(message, self.file, self.line, self.column, hint=hint)
