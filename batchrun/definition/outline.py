"""The outline of a job file: its parts with their places; what has the wrong shape is left out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from batchrun.definition.document import DocumentPath


@dataclass(frozen=True)
class Outline:
    """A job file's plain values; every accessor copes with a value of the wrong shape."""

    plain: Mapping[str, Any]

    @cached_property
    def steps(self) -> list[tuple[DocumentPath, Mapping[str, Any]]]:
        """The steps that are mappings, each with its place."""
        return self._mappings("steps")

    @cached_property
    def transitions(self) -> list[tuple[DocumentPath, Mapping[str, Any]]]:
        """The transitions that are mappings, each with its place."""
        return self._mappings("flow")

    @cached_property
    def step_names(self) -> list[str]:
        """The steps' names in order, each once."""
        names = (step.get("name") for _, step in self.steps)
        return list(dict.fromkeys(name for name in names if isinstance(name, str)))

    @cached_property
    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """The declared parameters by name; one without any options is empty."""
        return {
            str(name): declared if isinstance(declared, dict) else {}
            for name, declared in self._mapping("parameters").items()
        }

    @cached_property
    def databases(self) -> dict[str, Any]:
        """The databases by name."""
        return self._mapping("databases")

    @property
    def has_flow(self) -> bool:
        """Tells whether the file has transitions at all."""
        return "flow" in self.plain

    def components(self) -> Iterator[tuple[str, DocumentPath, str, Any]]:
        """Yields role, place, step name and node of each component, in the order items pass through them."""
        for path, step in self.steps:
            name = str(step.get("name", ""))
            if "reader" in step:
                yield "reader", (*path, "reader"), name, step["reader"]
            processors = step.get("processors")
            for index, node in enumerate(processors if isinstance(processors, list) else ()):
                yield "processor", (*path, "processors", index), name, node
            for role in ("writer", "tasklet"):
                if role in step:
                    yield role, (*path, role), name, step[role]

    def owner(self, path: DocumentPath) -> tuple[str, DocumentPath]:
        """Returns whose option a path is, in words, and the rest of the path."""
        match path:
            case ("steps", int(index), *rest):
                return self._step_title(index), tuple(rest)
            case ("parameters", str(name), *rest):
                return f"parameter {name!r}", tuple(rest)
            case ("flow", int(index), *rest):
                return f"transition {index + 1} of the flow", tuple(rest)
        return "the job", path

    def _step_title(self, index: int) -> str:
        steps = self.plain["steps"]
        name = steps[index].get("name") if isinstance(steps[index], dict) else None
        return f"step {name!r}" if isinstance(name, str) else f"step {index + 1}"

    def _mapping(self, key: str) -> dict[str, Any]:
        value = self.plain.get(key)
        return value if isinstance(value, dict) else {}

    def _mappings(self, key: str) -> list[tuple[DocumentPath, Mapping[str, Any]]]:
        value = self.plain.get(key)
        entries = value if isinstance(value, list) else []
        return [((key, index), each) for index, each in enumerate(entries) if isinstance(each, dict)]
