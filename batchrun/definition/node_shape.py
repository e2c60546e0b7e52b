"""What the shapes of a job file's mappings are made of."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"


def says(description: str, *, examples: list[Any] | None = None) -> msgspec.Meta:
    """Explains a key to the reader of the schema."""
    return msgspec.Meta(description=description, examples=examples)


def component_node(role: str, description: str) -> msgspec.Meta:
    """Marks a component's node; its own schema takes over from there."""
    return msgspec.Meta(description=description, extra_json_schema={"x-component": role})


Text = Annotated[str, msgspec.Meta(min_length=1)]
Name = Annotated[str, msgspec.Meta(pattern=NAME)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Duration = Annotated[str, msgspec.Meta(extra_json_schema={"format": "duration"})]


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping of the job file."""
