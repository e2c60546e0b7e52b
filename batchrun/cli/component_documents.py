"""Components in words: from a spec's options to a table of names, types and defaults, the same for text and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from batchrun.spi.spec import ComponentSpec

_PLAIN_TYPES = {
    msgspec.inspect.StrType: "string",
    msgspec.inspect.IntType: "integer",
    msgspec.inspect.FloatType: "number",
    msgspec.inspect.DecimalType: "decimal",
    msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.DateType: "date",
    msgspec.inspect.DateTimeType: "datetime",
    msgspec.inspect.TimeDeltaType: "duration",
    msgspec.inspect.AnyType: "any value",
}


def component_summary(spec: ComponentSpec) -> dict[str, Any]:
    """Returns what a list of components tells of one."""
    return {"role": spec.role, "name": spec.name, "summary": spec.summary}


def component_document(spec: ComponentSpec) -> dict[str, Any]:
    """Returns all that a spec tells; the ordinary options before the advanced ones."""
    options = option_documents(spec)
    return {
        **component_summary(spec),
        "description": spec.description,
        "capabilities": {
            "restartable": spec.capabilities.restartable,
            "transactional": spec.capabilities.transactional,
            "truncating": spec.capabilities.truncating,
            "idempotent": spec.capabilities.idempotent,
        },
        "guarantee": spec.capabilities.guarantee if spec.role in ("writer", "tasklet") else None,
        "options": sorted(options, key=lambda each: each["advanced"]),
        "example": spec.example,
    }


def option_documents(spec: ComponentSpec) -> list[dict[str, Any]]:
    """Returns the options in order of declaration."""
    structure = msgspec.inspect.type_info(spec.options)
    assert isinstance(structure, msgspec.inspect.StructType)
    return [_option_document(field) for field in structure.fields]


def _option_document(field: msgspec.inspect.Field) -> dict[str, Any]:
    meta = field.type if isinstance(field.type, msgspec.inspect.Metadata) else None
    extra = (meta.extra if meta else None) or {}
    schema = (meta.extra_json_schema if meta else None) or {}
    return {
        "name": field.encode_name,
        "type": type_text(field.type),
        "required": field.required,
        "default": _default(field),
        "unit": extra.get("unit"),
        "secret": bool(extra.get("secret")),
        "advanced": bool(extra.get("advanced")),
        "summary": schema.get("description", ""),
    }


def _default(field: msgspec.inspect.Field) -> Any:
    """Returns the default as JSON; None also where the option is required."""
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else msgspec.to_builtins(field.default)


def type_text(kind: msgspec.inspect.Type) -> str:
    """Returns a type in words, such as `list of string` or `insert | upsert`; a checked notation by its name."""
    match kind:
        case msgspec.inspect.Metadata():
            notation = (kind.extra or {}).get("format")
            return str(notation) if notation and _is_text(kind.type) else type_text(kind.type)
        case msgspec.inspect.LiteralType():
            return " | ".join(map(str, kind.values))
        case msgspec.inspect.EnumType():
            return " | ".join(str(member.value) for member in kind.cls)
        case msgspec.inspect.UnionType():
            return _either(kind.types)
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType() | msgspec.inspect.SetType():
            return f"list of {type_text(kind.item_type)}"
        case msgspec.inspect.DictType():
            return f"mapping to {type_text(kind.value_type)}"
        case msgspec.inspect.StructType():
            return f"{{{', '.join(field.encode_name for field in kind.fields)}}}"
        case _:
            return _PLAIN_TYPES.get(type(kind), type(kind).__name__.removesuffix("Type").lower())


def _either(kinds: Iterable[msgspec.inspect.Type]) -> str:
    texts = [type_text(kind) for kind in kinds if not isinstance(kind, msgspec.inspect.NoneType)]
    return " or ".join(dict.fromkeys(texts))


def _is_text(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return all(isinstance(each, msgspec.inspect.StrType | msgspec.inspect.NoneType) for each in kind.types)
    return isinstance(kind, msgspec.inspect.StrType)
