"""A job built in code: the text that its file would be, and what only its program has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchrun.definition.yaml12 import Source


@dataclass(frozen=True, slots=True)
class BuiltJob:
    """What is to be loaded in place of a job file.

    Attributes:
        name: of the job.
        text: YAML, as of a job file.
        folder: what the text includes is relative to, and where `module:name` is looked for first; None for a job that
            stands nowhere.
        given: functions and classes that references of the text stand for.
        children: jobs built in code that steps launch as their children, by how the steps call them.
    """

    name: str
    text: str = field(repr=False)
    folder: Path | None = None
    given: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    children: Mapping[str, BuiltJob] = field(default_factory=dict)

    @property
    def source(self) -> Source:
        """The text, with what problems call it: they tell paths of the job, as nobody has written the lines."""
        return Source((self.folder or Path.cwd()) / "<code>", self.text, title=f"job {self.name!r}")
