"""A job file that has been read and found right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from batchrun.definition.document import Document
from batchrun.domain.definition import JobDefinition
from batchrun.errors import Problem


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """A job definition with the file it came from.

    Attributes:
        path: absolute.
        text: of the file, and of those that it includes.
        warnings: what does not stop a launch.
        document: gives places to whoever finds something wrong later.
    """

    definition: JobDefinition
    path: Path
    text: str
    document: Document = field(repr=False)
    warnings: tuple[Problem, ...] = ()

    def problem(self, path: str, message: str, hint: str | None = None) -> Problem:
        """Returns a problem at a place of the file, such as `steps[0].reader.delimiter`, or the nearest around it."""
        return self.document.problem(self.document.parse_path(path), message, hint)
