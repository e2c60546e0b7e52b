"""Names values and types in messages, so that all of them speak alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def kind_of(schema: Mapping[str, Any]) -> str:
    """Returns what a schema wants, in words."""
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(_KINDS[each] for each in kind)
    return _KINDS.get(str(kind), "a mapping")


def shown(value: Any) -> str:
    """Returns a wrong value in words: texts quoted and shortened, lists and mappings by their kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    return shortened(repr(value))


def shortened(text: str) -> str:
    """Returns a value's text, of a very long one its beginning and its last character, which closes it."""
    return text if len(text) <= 60 else f"{text[:57]}…{text[-1]}"
