"""Reads a job in stages: text, shape, components, lints, definition; tells all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from batchrun.definition.built import BuiltJob
from batchrun.definition.child_job_lint import lint_child_jobs
from batchrun.definition.column_lint import lint_columns
from batchrun.definition.components import Component, check, resolve
from batchrun.definition.conditions import check_steps
from batchrun.definition.conversion import job_definition
from batchrun.definition.document import Document, parse_document, read_document
from batchrun.definition.findings import Findings
from batchrun.definition.flow_lint import lint_flows
from batchrun.definition.formats import Formats
from batchrun.definition.included_lint import check_included
from batchrun.definition.including import include_files
from batchrun.definition.loaded import LoadedJob
from batchrun.definition.outline import Outline
from batchrun.definition.parameter_lint import lint_parameters
from batchrun.definition.reference_lint import lint_references
from batchrun.definition.shape import job_shape
from batchrun.definition.tolerance_lint import lint_tolerance
from batchrun.definition.validation import validate
from batchrun.definition.yaml12 import Source
from batchrun.errors import DefinitionError, Problem
from batchrun.registry import Registry

FindJob = Callable[[str], Path]
"""Finds the file of a job, given its path or name; raises DefinitionError."""


def load_job(path: Path, registry: Registry, find: FindJob | None = None) -> LoadedJob:
    """Reads and checks a job file.

    Args:
        path: of the file.
        registry: knows the components it may name; of the job's folder.
        find: finds the files of its child jobs, which are then read and checked too; None leaves them alone.

    Raises:
        DefinitionError: with everything wrong in the file, in the file's order.
    """
    return _Reading(find).load_file(path.absolute(), registry, ())


def load_built(job: BuiltJob, find: FindJob | None = None) -> LoadedJob:
    """Reads and checks a job built in code, as `load_job` does a file.

    Raises:
        DefinitionError: with everything wrong in it; problems tell paths in place of lines.
    """
    return _Reading(find).load_built(job, ())


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one job, with those of its child jobs, each file once."""

    find: FindJob | None
    files: dict[Path, LoadedJob] = field(default_factory=dict)

    def load_file(self, path: Path, registry: Registry, parents: tuple[Path, ...]) -> LoadedJob:
        document = read_document(path)
        return self._load(document, registry, _Children(self, (*parents, path.resolve())), path=path)

    def load_built(self, job: BuiltJob, parents: tuple[Path, ...]) -> LoadedJob:
        document = parse_document(job.source)
        return self._load(document, Registry(job.folder, given=job.given), _Children(self, parents, job.children))

    def _load(self, document: Document, registry: Registry, children: _Children, path: Path | None = None) -> LoadedJob:
        findings = Findings(document, problems=[document.flaw(each) for each in document.flaws])
        included = include_files(document, findings)
        outline = Outline(document.plain())
        formats = Formats(list(outline.databases), registry.modules)
        _check_shape(outline, formats, findings)
        lint_parameters(outline, formats, findings)
        components = _check_components(outline, registry, formats, findings)
        lint_references(outline, components, findings)
        lint_flows(outline, components, findings)
        lint_columns(outline, components, findings)
        lint_tolerance(outline, findings)
        if self.find is not None:
            lint_child_jobs(outline, partial(children.read, self.find), findings)
        if problems := findings.ordered():
            raise DefinitionError(problems)
        return LoadedJob(
            definition=job_definition(outline),
            path=path,
            text=_text(document, included),
            document=document,
            registry=registry,
            warnings=tuple(findings.ordered_warnings()),
            children=children.loaded,
        )


@dataclass(frozen=True, slots=True)
class _Children:
    """The child jobs of one job.

    Attributes:
        parents: the files that led to them.
        built: those that are built in code, by how the steps call them.
        loaded: those of them that have been read.
    """

    reading: _Reading
    parents: tuple[Path, ...]
    built: Mapping[str, BuiltJob] = field(default_factory=dict)
    loaded: dict[str, LoadedJob] = field(default_factory=dict)

    def read(self, find: FindJob, job: str) -> LoadedJob:
        """Reads one."""
        if job in self.built:
            self.loaded[job] = self.reading.load_built(self.built[job], self.parents)
            return self.loaded[job]
        path = find(job).resolve()
        if path in self.parents:
            chain = " → ".join(each.stem for each in (*self.parents[self.parents.index(path) :], path))
            message = f"the job would launch itself: {chain}"
            raise DefinitionError([Problem(message, str(path), hint="take one of these child jobs out")])
        if path not in self.reading.files:
            self.reading.files[path] = self.reading.load_file(path, Registry(path.parent), self.parents)
        return self.reading.files[path]


def _check_shape(outline: Outline, formats: Formats, findings: Findings) -> None:
    for complaint in validate(outline.plain, job_shape(), outline.owner, formats.check):
        findings.complain(complaint)
    check_steps(outline, findings)
    check_included(outline, findings)


def _check_components(outline: Outline, registry: Registry, formats: Formats, findings: Findings) -> list[Component]:
    resolved = [resolve(part, registry, findings) for part in outline.components()]
    components = [each for each in resolved if each is not None]
    for component in components:
        check(component, formats, findings)
    return components


def _text(document: Document, included: Sequence[Source]) -> str:
    return "\n".join([document.source.text, *(f"--- # {source.file.name}\n{source.text}" for source in included)])
