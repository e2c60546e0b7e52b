"""Collects the problems of one job file: one for each place, in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchrun.definition.document import Document, DocumentPath
from batchrun.definition.validation import Complaint
from batchrun.errors import Problem


@dataclass(slots=True)
class Findings:
    """Problems found so far.

    What is found first at a place, by the stricter check, is what is told of it; a later finding at the same place
    is a consequence.
    """

    document: Document
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    wrong: set[DocumentPath] = field(default_factory=set)

    def add(
        self, path: DocumentPath, message: str, hint: str | None = None, *, key: bool = False, part: str | None = None
    ) -> None:
        """Adds a problem, unless its place has one.

        Args:
            path: the place.
            message: what is wrong.
            hint: the way out.
            key: the key at the place is wrong, not its value.
            part: the part of the value that is wrong.
        """
        if path not in self.wrong:
            self.wrong.add(path)
            self.problems.append(self.document.problem(path, message, hint, key=key, part=part))

    def warn(self, path: DocumentPath, message: str, hint: str | None = None, *, part: str | None = None) -> None:
        """Adds a warning, which does not stop a launch."""
        self.warnings.append(self.document.problem(path, message, hint, part=part, severity="warning"))

    def complain(self, complaint: Complaint, below: DocumentPath = ()) -> None:
        """Adds a complaint of the part of the document that begins at `below`."""
        self.add((*below, *complaint.path), complaint.message, complaint.hint, key=complaint.key)

    def is_wrong(self, path: DocumentPath) -> bool:
        """Tells whether something is wrong at the path, or in what stands there."""
        return any(each[: len(path)] == path for each in self.wrong)

    def ordered(self) -> list[Problem]:
        """Returns the errors in the order of the file, each once."""
        unique = {(each.line, each.column, each.message): each for each in self.problems}
        return sorted(unique.values(), key=lambda each: (each.line or 0, each.column or 0))
