"""Jobs built in code: classes that mirror the mappings of a job file, word for word."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from batchrun.embedding.keys import JobKeys, ParameterKeys, StepKeys, TransitionKeys
from batchrun.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from batchrun.definition.document import Document


class Part:
    """A mapping of a job file.

    Attributes:
        keys: what it says; values are plain ones, parts, components, or functions and objects of the caller's own.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self.keys = dict(keys)

    def __repr__(self) -> str:
        said = ", ".join(f"{key}={value!r}" for key, value in self.keys.items())
        return f"{type(self).__name__}({said})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Part) and other.keys == self.keys

    __hash__ = None  # type: ignore[assignment]


class Parameter(Part):
    """A declared parameter: `Parameter("path", required=True)`."""

    def __init__(self, type: str = "string", /, **keys: Unpack[ParameterKeys]) -> None:
        super().__init__({"type": type, **keys})


class Transition(Part):
    """An edge of the flow: `Transition("load", on="FAILED", fail="BAD INPUT")`; the first is the file's `from`."""

    def __init__(self, source: str, /, **keys: Unpack[TransitionKeys]) -> None:
        super().__init__({"from": source, **keys})


class Step(Part):
    """A state of a flow: `Step("load", reader=readers.csv(path="…"), writer=writers.table(…))`."""

    def __init__(self, name: str, /, **keys: Unpack[StepKeys]) -> None:
        super().__init__({"name": name, **keys})


class Job(Part):
    """A job: `Job("load", parameters={…}, steps=[…], flow=[…])`; it is checked where it is used.

    Attributes:
        folder: what `include` is relative to, and where Python files of the job stand; None for none. The project is
            that around it, by default that around the current directory.
    """

    def __init__(self, name: str, /, *, folder: str | Path | None = None, **keys: Unpack[JobKeys]) -> None:
        super().__init__({"name": name, **keys})
        self.folder = None if folder is None else Path(folder).absolute()

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.keys.get("name", ""))

    @classmethod
    def load(cls, job: str | Path) -> Self:
        """Returns the job of a file, given its path or its name in the project's `jobs.d/`, to look at or change it.

        Raises:
            DefinitionError: it cannot be read; what it says is checked where the job is used.
        """
        from batchrun.definition.document import read_document
        from batchrun.operations.project import JOBS_FOLDER, find_job, project_of

        path = find_job(str(job), project_of(Path.cwd()) / JOBS_FOLDER)
        return cls._of(read_document(path), path.parent)

    @classmethod
    def from_yaml(cls, text: str, *, folder: str | Path | None = None) -> Self:
        """Returns the job that a job file of this text would be.

        Raises:
            DefinitionError: it is no mapping in YAML.
        """
        from batchrun.definition.document import parse_document
        from batchrun.definition.yaml12 import Source

        return cls._of(parse_document(Source(Path("<text>"), text)), None if folder is None else Path(folder))

    @classmethod
    def _of(cls, document: Document, folder: Path | None) -> Self:
        from batchrun.errors import DefinitionError

        if document.flaws:
            raise DefinitionError([document.flaw(each) for each in document.flaws])
        job = cls("", folder=folder)
        job.keys = document.plain()
        return job

    def to_yaml(self) -> str:
        """Returns the text of a job file that does the same.

        Raises:
            DefinitionError: something in the job only this program has; or it cannot be written in a job file at all.
        """
        from batchrun.embedding.building import file_text

        return file_text(self)

    def with_step(self, name: str, /, **keys: Unpack[StepKeys]) -> Self:
        """Returns a job in which a step, wherever it stands, says something else; for tests of jobs as they are.

        Args:
            name: of the step; of several in nested flows the first.
            keys: take the place of what the step says under the same; what stands under `reader`, `writer` or another
                key is replaced as a whole.

        Raises:
            UsageError: there is no such step.
        """
        job = copy.copy(self)
        job.keys = _copied(self.keys)
        steps = list(_steps(job.keys))
        for step in steps:
            if step.get("name") == name:
                step.update(keys)
                return job
        hint = did_you_mean(name, [str(each.get("name")) for each in steps])
        raise UsageError(f"job {self.name!r} has no step {name!r}", hint=hint)


def _keys_of(value: Any) -> dict[str, Any] | None:
    found = value.keys if isinstance(value, Part) else value
    return found if isinstance(found, dict) else None


def _copied(value: Any) -> Any:
    """Returns mappings, lists and parts of their own; what they hold besides is the caller's and stays the same."""
    if isinstance(value, Part):
        part = copy.copy(value)
        part.keys = _copied(value.keys)
        return part
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list | tuple) else value


def _steps(keys: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the mappings of all steps, those inside another behind it."""
    for each in (*keys.get("steps", ()), *keys.get("parallel", ())):
        if (step := _keys_of(each)) is not None:
            yield step
            yield from _steps(step)
