"""Reads a job file in stages: text, shape, components, lints, definition; tells all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchrun.definition.child_job_lint import ReadChild, lint_child_jobs
from batchrun.definition.column_lint import lint_columns
from batchrun.definition.components import Component, check, resolve
from batchrun.definition.conditions import check_steps
from batchrun.definition.conversion import job_definition
from batchrun.definition.document import Document, read_document
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
    return _Reading(find).load(path.absolute(), registry, ())


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one job file, with those of its child jobs, each once."""

    find: FindJob | None
    children: dict[Path, LoadedJob] = field(default_factory=dict)

    def load(self, path: Path, registry: Registry, parents: tuple[Path, ...]) -> LoadedJob:
        document = read_document(path)
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
        if self.find is not None:
            lint_child_jobs(outline, self._child_reader(self.find, (*parents, path.resolve())), findings)
        if problems := findings.ordered():
            raise DefinitionError(problems)
        return _loaded(document, included, outline, findings)

    def _child_reader(self, find: FindJob, parents: tuple[Path, ...]) -> ReadChild:
        def read(job: str) -> LoadedJob:
            path = find(job).resolve()
            if path in parents:
                chain = " → ".join(each.stem for each in (*parents[parents.index(path) :], path))
                message = f"the job would launch itself: {chain}"
                raise DefinitionError([Problem(message, str(path), hint="take one of these child jobs out")])
            if path not in self.children:
                self.children[path] = self.load(path, Registry(path.parent), parents)
            return self.children[path]

        return read


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


def _loaded(document: Document, included: Sequence[Source], outline: Outline, findings: Findings) -> LoadedJob:
    texts = [document.source.text, *(f"--- # {source.file.name}\n{source.text}" for source in included)]
    return LoadedJob(
        definition=job_definition(outline),
        path=document.file,
        text="\n".join(texts),
        document=document,
        warnings=tuple(findings.ordered_warnings()),
    )
