"""Puts the files that a job's steps include in their places, so that what stands in them keeps its own positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchrun.definition.document import FLOW_FILE, Document, DocumentPath, read_document
from batchrun.definition.findings import Findings
from batchrun.definition.wording import shown
from batchrun.definition.yaml12 import Node, Source
from batchrun.errors import DefinitionError

MOST_INCLUDED = 1_000
MOST_DEEP = 100
"""Keys and places that lead to a step whose file is included; what is deeper would exhaust Python's stack."""


def include_files(document: Document, findings: Findings) -> list[Source]:
    """Replaces each `include: FILE` by what the file holds, and adds what cannot be read.

    Returns:
        The files' texts, in the order of their places.
    """
    graft = _Graft(findings)
    graft.steps(document.root, (), (document.file,))
    return graft.sources


@dataclass(slots=True)
class _Graft:
    findings: Findings
    sources: list[Source] = field(default_factory=list)

    def steps(self, node: Node, path: DocumentPath, files: tuple[Path, ...]) -> None:
        """Goes through the steps of a flow; `files` are those that led here, the last one is where it stands."""
        for at, step in _entries(node, "steps", path):
            self._step(step, at, files)

    def _step(self, step: Node, path: DocumentPath, files: tuple[Path, ...]) -> None:
        for at, branch in _entries(step, "parallel", path):
            self._step(branch, at, files)
        self.steps(step, path, files)
        if "include" in step.value:
            self._include(step, (*path, "include"), files)

    def _include(self, step: Node, path: DocumentPath, files: tuple[Path, ...]) -> None:
        name = step.value["include"].value
        if step.value["include"].source is not None:  # an alias of a step whose file is there already
            return
        if not isinstance(name, str) or not name or "${" in name:
            hint = "references are not known when the file is read" if isinstance(name, str) and name else None
            self.findings.add(path, f"expected 'include' to be the path of a flow file, got {shown(name)}", hint)
            return
        file = (files[-1].parent / name).resolve()
        if file in files:
            self.findings.add(path, f"the file includes itself: {_chain(files, file)}", "take one of them out")
        elif len(path) > MOST_DEEP:
            self.findings.add(path, "flows are nested too deep here", "include fewer files inside each other")
        elif len(self.sources) == MOST_INCLUDED:
            self.findings.add(path, f"more than {MOST_INCLUDED:,} files are included")
        else:
            self._graft(step, path, file, files)

    def _graft(self, step: Node, path: DocumentPath, file: Path, files: tuple[Path, ...]) -> None:
        try:
            included = read_document(file, FLOW_FILE)
        except DefinitionError as error:
            self._tell(path, error)
            return
        self.findings.problems += [included.flaw(each) for each in included.flaws]
        self.sources.append(included.source)
        included.root.source = included.source
        step.value["include"] = included.root
        self.steps(included.root, path, (*files, file))

    def _tell(self, path: DocumentPath, error: DefinitionError) -> None:
        """Tells of a file that cannot be read, at its own line, or where it is named if it has none."""
        for problem in error.problems:
            if problem.line is not None:
                self.findings.problems.append(problem)
                self.findings.wrong.add(path)
            else:
                self.findings.add(path, f"{Path(problem.file).name}: {problem.message}", problem.hint)


def _entries(node: Node, key: str, path: DocumentPath) -> Iterator[tuple[DocumentPath, Node]]:
    entries = node.value.get(key) if isinstance(node.value, dict) else None
    for index, entry in enumerate(entries.value if entries is not None and isinstance(entries.value, list) else ()):
        if isinstance(entry.value, dict):
            yield (*path, key, index), entry


def _chain(files: tuple[Path, ...], again: Path) -> str:
    round_trip = [*files[files.index(again) :], again]
    return " → ".join(each.name for each in round_trip)
