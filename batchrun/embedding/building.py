"""Makes the text of a job built in code, and gathers what the text cannot hold; a file's path leads on from there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from batchrun.definition.built import BuiltJob
from batchrun.definition.document import DocumentPath, path_text
from batchrun.definition.outline import COMPONENT_KEYS
from batchrun.definition.writing import write_yaml
from batchrun.domain.parameters import value_text
from batchrun.embedding.component import Component
from batchrun.embedding.job import Job, Part
from batchrun.embedding.own_code import HERE, NoComponentError, OwnCode, is_here
from batchrun.errors import DefinitionError, Problem

_LISTED = ("processors", "listeners")
_OF_STEPS = ("steps", "parallel")


def build(job: Job) -> BuiltJob:
    """Returns a job as it can be loaded.

    Raises:
        DefinitionError: something in it can stand in no job; with all such things.
    """
    building = _Building(job)
    text = write_yaml(building.plain())
    return BuiltJob(job.name, text, job.folder, building.own.given, building.children)


def file_text(job: Job) -> str:
    """Returns the text of a job file that does what the job does.

    Raises:
        DefinitionError: something in it can stand in no job, or only in that of this program.
    """
    building = _Building(job)
    plain = building.plain()
    building.refuse(
        [
            (path, f"only this program has {text.removeprefix(HERE)!r}", "a file can name what a module has, and files")
            for path, text in _scalars(plain)
            if is_here(text)
        ]
    )
    return write_yaml(plain)


class _Building:
    def __init__(self, job: Job) -> None:
        self.own = OwnCode()
        self.children: dict[str, BuiltJob] = {}
        self._job = job
        self._wrong: list[tuple[DocumentPath, str, str | None]] = []

    def plain(self) -> dict[str, Any]:
        plain = self._mapping(self._job.keys, ())
        self.refuse(self._wrong)
        return plain

    def refuse(self, wrong: list[tuple[DocumentPath, str, str | None]]) -> None:
        if wrong:
            title = f"job {self._job.name!r}"
            raise DefinitionError([Problem(said, title, path=path_text(at), hint=hint) for at, said, hint in wrong])

    def _mapping(self, keys: Mapping[str, Any], path: DocumentPath) -> dict[str, Any]:
        """Returns the mapping of the job or of a step."""
        return {key: self._under(key, value, (*path, key)) for key, value in keys.items()}

    def _under(self, key: str, value: Any, path: DocumentPath) -> Any:
        if key in _OF_STEPS and isinstance(value, list | tuple):
            return [self._step(each, (*path, index)) for index, each in enumerate(value)]
        if key in _LISTED and isinstance(value, list | tuple):
            role = COMPONENT_KEYS[key]
            return [self._component(role, each, (*path, index)) for index, each in enumerate(value)]
        if key in COMPONENT_KEYS and key not in _LISTED:
            return self._component(COMPONENT_KEYS[key], value, path)
        return self._value(value, path)

    def _step(self, value: Any, path: DocumentPath) -> Any:
        keys = value.keys if isinstance(value, Part) else value
        return self._mapping(keys, path) if isinstance(keys, Mapping) else self._value(value, path)

    def _component(self, role: str, value: Any, path: DocumentPath) -> Any:
        if value is None or isinstance(value, str | int | float | Mapping | list | tuple):
            return self._value(value, path)
        declared = value if isinstance(value, Component) else Component(value)
        try:
            node = self.own.node(role, declared)
        except NoComponentError as error:
            self._wrong.append((path, str(error), error.hint))
            return None
        return {**node, **self._value(declared.options, path)}

    def _value(self, value: Any, path: DocumentPath) -> Any:
        """Returns a value as YAML has it."""
        match value:
            case Component(what=str(name)):
                return {"type": name, **self._value(value.options, path)}
            case Job():
                return self._child(value)
            case Part():
                return self._value(value.keys, path)
            case Mapping():
                return {str(key): self._value(each, (*path, str(key))) for key, each in value.items()}
            case list() | tuple():
                return [self._value(each, (*path, index)) for index, each in enumerate(value)]
            case Enum():
                return self._value(value.value, path)
            case None | bool() | int() | float() | str():
                return value
        return self._other(value, path)

    def _other(self, value: Any, path: DocumentPath) -> Any:
        if isinstance(value, timedelta):
            return f"{value_text(value)}s"
        if isinstance(value, date | time | Decimal | PurePath):
            return str(value) if isinstance(value, time | PurePath) else value_text(value)
        if callable(value):
            return self.own.reference(value)
        self._wrong.append((path, f"an object of class {type(value).__name__!r} cannot stand in a job", None))
        return None

    def _child(self, job: Job) -> str:
        name = self.own.name_here(job, name=job.name)
        if name not in self.children:
            self.children[name] = build(job)
        return name


def _scalars(value: Any, path: DocumentPath = ()) -> list[tuple[DocumentPath, Any]]:
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in _scalars(inner, (*path, key))]
    if isinstance(value, list):
        return [each for index, inner in enumerate(value) for each in _scalars(inner, (*path, index))]
    return [(path, value)]
