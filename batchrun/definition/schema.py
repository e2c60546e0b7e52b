"""The editor's schemas of job files and flow files: JSON Schema (draft-07), made of the shape and the component specs.

A component's node is chosen by `if`/`then` on its `type`, so that an editor completes and explains the options of the
component that is named; `oneOf` over components would only say that none of them fits. The order of everything is
fixed, so that the same components always give the same text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batchrun.definition.components import options_schema
from batchrun.definition.flow_lint import OUTCOMES
from batchrun.definition.shape import flow_shape, job_shape, role_keys
from batchrun.definition.yaml12 import read_yaml
from batchrun.registry import Registry
from batchrun.spi.spec import ROLES, ComponentSpec

JOB_SCHEMA = "job.schema.json"
FLOW_SCHEMA = "flow.schema.json"

_DRAFT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = {"$ref": "#/definitions/reference"}
_DEFINITIONS = "#/$defs/"
_EXPLAINING = ("description", "default", "examples")
_LOCAL = r"^[^:\s]+:[^:\s]+$"


def job_schema(registry: Registry) -> dict[str, Any]:
    """Returns the schema of job files whose components the registry knows."""
    return _file_schema(job_shape(), "JobShape", "batchrun job", registry)


def flow_schema(registry: Registry) -> dict[str, Any]:
    """Returns the schema of files that hold a flow for jobs to include."""
    return _file_schema(flow_shape(), "FlowShape", "batchrun flow", registry)


def _file_schema(shape: dict[str, Any], root: str, title: str, registry: Registry) -> dict[str, Any]:
    specs = registry.specs()
    shapes = {name: _shape(node) for name, node in shape["$defs"].items()}
    whole = shapes.pop(root)
    definitions: dict[str, Any] = {
        **_used(shapes, whole),
        "reference": {
            "description": "A late-binding reference, such as ${params.input} or ${env.HOME:-/tmp}.",
            "type": "string",
            "pattern": r"\$\{[^}]+\}",
        },
    }
    for role in ROLES:
        of_role = [spec for spec in specs if spec.role == role]
        definitions[role] = _choice(role, of_role)
        for spec in of_role:
            definitions.update(_component(spec))
    return {"$schema": _DRAFT, **whole, "title": title, "definitions": definitions}


def _used(shapes: dict[str, dict[str, Any]], whole: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the parts of a file's shape that the whole refers to, directly or not."""
    used: list[str] = []
    looked_at = [whole]
    for node in looked_at:
        text = json.dumps(node)
        new = [name for name in shapes if name not in used and f'"#/definitions/{name}"' in text]
        used += new
        looked_at += [shapes[name] for name in new]
    return {name: shape for name, shape in shapes.items() if name in used}


def schema_text(schema: dict[str, Any]) -> str:
    """Returns the text of a schema's file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path, registry: Registry) -> list[Path]:
    """Writes the schemas into a folder, which is made where it is missing, and returns the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    schemas = {JOB_SCHEMA: job_schema(registry), FLOW_SCHEMA: flow_schema(registry)}
    for name, schema in schemas.items():
        (folder / name).write_text(schema_text(schema), encoding="utf-8")
    return [folder / name for name in schemas]


def _shape(node: dict[str, Any]) -> dict[str, Any]:
    """Returns a part of the job file's shape as the editor should see it."""
    shape = _rewritten(node, "#/definitions/")
    shape.pop("title", None)
    if "from" in shape.get("properties", {}):
        shape["oneOf"] = [{"required": [outcome]} for outcome in OUTCOMES]
    return shape


def _choice(role: str, specs: list[ComponentSpec]) -> dict[str, Any]:
    """Returns the schema of a role's node: the type first, and then what that type says."""
    names = [spec.name for spec in specs]
    described = [{"const": spec.name, "description": spec.summary} for spec in specs]
    local = {"type": "string", "pattern": _LOCAL, "description": "module:Class of a Python file beside the job."}
    of_type = [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": spec.name}}},
            "then": {"$ref": f"#/definitions/{role}.{spec.name}"},
        }
        for spec in specs
    ]
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"description": f"Which {role}.", "examples": names, "anyOf": [*described, local]},
            **role_keys(role),
        },
        **({"allOf": of_type} if of_type else {}),  # draft-07 forbids an empty one
    }


def _component(spec: ComponentSpec) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields name and schema of a component, and of what its options refer to."""
    title = f"{spec.role}.{spec.name}"
    schema = options_schema(spec.options)
    parts = dict(schema.get("$defs", {}))
    own = parts.pop(str(schema["$ref"]).removeprefix(_DEFINITIONS)) if "$ref" in schema else schema
    base = f"#/definitions/{title}."
    options = _rewritten(own, base, referable=True)
    yield (
        title,
        {
            "title": f"{spec.role} {spec.name}",
            "description": "\n\n".join(filter(None, (spec.summary, spec.description))),
            "type": "object",
            "required": ["type", *options.get("required", ())],
            "properties": {
                "type": {"const": spec.name, "description": spec.summary},
                **role_keys(spec.role),
                **options.get("properties", {}),
            },
            "additionalProperties": False,
            "examples": _examples(spec),
        },
    )
    for name, part in parts.items():
        yield f"{title}.{name}", _rewritten(part, base, referable=True)


def _examples(spec: ComponentSpec) -> list[Any]:
    root, _ = read_yaml(spec.example)
    return [root.plain()] if root is not None else []


def _rewritten(node: dict[str, Any], base: str, *, referable: bool = False) -> dict[str, Any]:
    """Returns a schema of msgspec's in draft-07, its references moved below `base`.

    Args:
        node: the schema.
        base: where the definitions it refers to are.
        referable: a text with a late-binding reference may stand for any value in it.
    """
    if "x-component" in node:
        return {"description": node["description"], "allOf": [{"$ref": f"#/definitions/{node['x-component']}"}]}
    if "x-file" in node:
        return {"description": node["description"], "type": "string", "examples": node["examples"]}
    if "$ref" in node:
        return {"$ref": base + str(node["$ref"]).removeprefix(_DEFINITIONS)}
    new: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            new[key] = {name: _entry(each, base, referable) for name, each in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            new[key] = _entry(value, base, referable)
        elif key == "anyOf":
            new[key] = [_rewritten(each, base, referable=referable) for each in value]
        elif key == "prefixItems":
            new["items"] = [_entry(each, base, referable) for each in value]
        elif key == "default" and value in ("", None, [], {}):
            continue
        elif key not in ("format", "title"):
            new[key] = value
    return new


def _entry(node: dict[str, Any], base: str, referable: bool) -> dict[str, Any]:
    """Returns the schema of an option or entry: as it is, or a reference instead; what explains it stays outside."""
    schema = _rewritten(node, base, referable=referable)
    if not referable or not set(schema).difference(_EXPLAINING) or _takes_any_text(schema):
        return schema
    outside: dict[str, Any] = {key: schema.pop(key) for key in _EXPLAINING if key in schema}
    branches = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    return {**outside, "anyOf": [*branches, _REFERENCE]}


def _takes_any_text(schema: dict[str, Any]) -> bool:
    branches = schema.get("anyOf", [schema])
    return any(
        each.get("type") == "string" and not {"enum", "pattern", "minLength", "maxLength"} & set(each)
        for each in branches
    )
