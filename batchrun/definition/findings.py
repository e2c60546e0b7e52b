"""Collects the problems of one job file: one for each place, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from batchrun.definition.document import Document, DocumentPath
from batchrun.definition.validation import Complaint
from batchrun.errors import Problem
from batchrun.spi.spec import OptionsProblem

_QUOTED = re.compile(r"'([^']+)'")


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
            self._put(path, message, hint, key=key, part=part)

    def add_options(self, component: DocumentPath, problems: Iterable[OptionsProblem]) -> None:
        """Adds what a component says of its own options, unless the schema had something to say about them.

        What the message names first in quotes is pointed at: a key, or a word of the value.
        """
        before = frozenset(self.wrong)
        for problem in problems:
            path = (*component, *problem.at)
            around = {path[:length] for length in range(len(component) + 1, len(path) + 1)}
            if not around & before and path not in before:
                named = _QUOTED.search(problem.message)
                word = named[1] if named else None
                is_key = bool(problem.at) and path[-1] == word
                self._put(path, problem.message, problem.hint, key=is_key, part=None if is_key else word)

    def _put(
        self, path: DocumentPath, message: str, hint: str | None, *, key: bool = False, part: str | None = None
    ) -> None:
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
        """Returns the errors in the order of the file, each once; those of included files after the job's own."""
        return self._in_order(self.problems)

    def ordered_warnings(self) -> list[Problem]:
        """Returns the warnings in that order."""
        return self._in_order(self.warnings)

    def _in_order(self, problems: Iterable[Problem]) -> list[Problem]:
        unique = {(*self.document.order(each), each.message): each for each in problems}
        return sorted(unique.values(), key=self.document.order)
