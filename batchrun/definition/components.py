"""The second phase: each component's node, by the component's own schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from batchrun.binding import texts
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.formats import Formats
from batchrun.definition.outline import Part
from batchrun.definition.shape import role_keys
from batchrun.definition.states import State
from batchrun.definition.validation import validate
from batchrun.definition.wording import shown
from batchrun.errors import BatchrunError
from batchrun.registry import Registry
from batchrun.spi.spec import ComponentSpec, Options


@dataclass(frozen=True, slots=True)
class Component:
    """A component of the file whose type is known.

    Attributes:
        options: what the file says beside `type`.
        keys: what it says by its role, such as a listener's `on_error`.
        path: its place.
        state: the step that it belongs to; None for a listener of the job.
    """

    spec: ComponentSpec
    type: str
    options: Mapping[str, Any]
    keys: Mapping[str, Any]
    path: DocumentPath
    state: State | None

    @property
    def title(self) -> str:
        """What messages call it: `reader 'csv'`."""
        return f"{self.spec.role} {self.type!r}"

    @property
    def referring(self) -> set[str]:
        """The options that hold late-binding references."""
        return {str(at[0]) for at, _ in texts(self.options)}

    def parse(self, without: set[str] | frozenset[str] = frozenset()) -> Options | None:
        """Returns typed options, leaving some out, or None where they do not make any.

        References stay as the texts they are, so this says nothing about what they stand for.
        """
        try:
            return self.spec.parse({key: value for key, value in self.options.items() if key not in without})
        except msgspec.ValidationError:
            return None


@cache
def options_schema(options: type[Options]) -> dict[str, Any]:
    """Returns the JSON schema of a component's options, without its type."""
    return msgspec.json.schema(options)


@cache
def node_schema(spec: ComponentSpec) -> dict[str, Any]:
    """Returns the JSON schema of a component's node, without its type: the options, and the keys of its role."""
    schema = deepcopy(options_schema(spec.options))
    own = schema["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]]
    own["properties"] = {**role_keys(spec.role), **own.get("properties", {})}
    return schema


def resolve(part: Part, registry: Registry, findings: Findings) -> Component | None:
    """Returns the component that a node names, or None, having said why."""
    role, path, node = part.role, part.path, part.node
    if not isinstance(node, dict) or findings.is_wrong((*path, "type")):
        return None
    names = ", ".join(registry.names(role))
    if "type" not in node:
        findings.add(path, f"{_a(role)} needs 'type'", f"one of {names}, or module:Class" if names else None)
        return None
    given = node["type"]
    if not isinstance(given, str) or "${" in given:
        findings.add((*path, "type"), f"the type of {_a(role)} must be a name, got {shown(given)}", f"one of {names}")
        return None
    try:
        spec = registry.spec(role, given)
    except BatchrunError as error:
        findings.add((*path, "type"), error.message, error.hint)
        return None
    by_role = role_keys(role)
    options = {key: value for key, value in node.items() if key not in ("type", *by_role)}
    keys = {key: value for key, value in node.items() if key in by_role}
    return Component(spec, given, options, keys, path, part.state)


def _a(role: str) -> str:
    return f"a {role}"


def check(component: Component, formats: Formats, findings: Findings) -> None:
    """Adds what is wrong in a component's options, each by itself and then together."""

    def owner(path: DocumentPath) -> tuple[str, DocumentPath]:
        return component.title, path

    by_role = {"properties": role_keys(component.spec.role)}
    for complaint in validate(dict(component.keys), by_role, owner, formats.check):
        findings.complain(complaint, component.path)
    node = {**component.options, **component.keys}
    complaints = validate(node, node_schema(component.spec), owner, formats.check, references=True)
    for complaint in complaints:
        findings.complain(complaint, component.path)
    options = None if complaints else component.parse()
    if options is not None:
        referring = component.referring
        certain = [each for each in options.check() if not _depends(each.at, referring)]
        findings.add_options(component.path, certain)


def _depends(at: tuple[str | int, ...], referring: set[str]) -> bool:
    """Tells whether a problem may vanish once references have values; the launch checks it again then."""
    return str(at[0]) in referring if at else bool(referring)


def notations(
    schema: Mapping[str, Any], value: Any, at: DocumentPath = (), root: Mapping[str, Any] | None = None
) -> Iterator[tuple[DocumentPath, str, str]]:
    """Yields place, format and text of each text in a value whose schema declares a format."""
    root = schema if root is None else root
    if "$ref" in schema:
        schema = root["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]]
    for branch in schema.get("anyOf", ()):
        yield from notations(branch, value, at, root)
    if isinstance(value, str) and "format" in schema and schema.get("type", "string") == "string":
        yield at, schema["format"], value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(inner, Mapping):
                yield from notations(inner, each, (*at, key), root)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, each in enumerate(value):
            yield from notations(schema["items"], each, (*at, index), root)
