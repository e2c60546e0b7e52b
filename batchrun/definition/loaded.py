"""A job that has been read, from its file or from code, and found right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batchrun.definition.document import Document
from batchrun.domain.definition import JobDefinition
from batchrun.errors import Problem
from batchrun.registry import Registry


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """A job definition with the file or code it came from.

    Attributes:
        path: of the file, absolute; None for a job built in code.
        text: of the file, and of those that it includes.
        document: gives places to whoever finds something wrong later.
        registry: has the components and functions that the job names.
        warnings: what does not stop a launch.
        children: its child jobs that are built in code too, by how its steps call them.
    """

    definition: JobDefinition
    path: Path | None
    text: str
    document: Document = field(repr=False)
    registry: Registry = field(repr=False)
    warnings: tuple[Problem, ...] = ()
    children: Mapping[str, LoadedJob] = field(default_factory=dict, repr=False)

    @property
    def title(self) -> str:
        """What messages call it where they have no line: its file, or `job 'x'`."""
        return self.document.source.title or str(self.path)

    def problem(self, path: str, message: str, hint: str | None = None) -> Problem:
        """Returns a problem at a place of the file, such as `steps[0].reader.delimiter`, or the nearest around it."""
        return self.document.problem(self.document.parse_path(path), message, hint)
