"""From a parameter's node in the job file to its definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from batchrun.binding import texts
from batchrun.definition.parameter_values import convert
from batchrun.domain.constraints import Constraints
from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.parameters import ParameterType


def parameter_definition(name: str, node: Mapping[str, Any]) -> ParameterDefinition:
    """Returns the definition; the declaration must have no errors."""
    declared = undecided(name, node)
    default = node.get("default")
    return replace(
        declared,
        default=default if has_references(default) else convert(default, declared),
        constraints=constraints_of(declared, node),
    )


def undecided(name: str, node: Mapping[str, Any]) -> ParameterDefinition:
    """Returns the definition without what must be converted by it: default and constraints."""
    kind = ParameterType(node.get("type", ParameterType.STRING))
    return ParameterDefinition(
        name=name,
        type=kind,
        required=node.get("required", False),
        identifying=node.get("identifying", kind is not ParameterType.SECRET),
        description=node.get("description", ""),
        choices=tuple(node.get("choices", ())),
        items=ParameterType(node.get("items", ParameterType.STRING)),
        validator=node.get("validator"),
    )


def constraints_of(declared: ParameterDefinition, node: Mapping[str, Any]) -> Constraints:
    """Returns the constraints; those on values hold for the items of a list.

    Raises:
        ParameterValueError: a limit is not of the parameter's type.
    """
    value = declared.item if declared.type is ParameterType.LIST else declared
    return Constraints(
        min=convert(node.get("min"), value),  # type: ignore[arg-type]  # what has an order is no list
        max=convert(node.get("max"), value),  # type: ignore[arg-type]
        min_length=_whole(node.get("min_length")),
        max_length=_whole(node.get("max_length")),
        pattern=node.get("pattern"),
        must_exist=node.get("must_exist"),
    )


def has_references(default: Any) -> bool:
    """Tells whether only a launch can resolve a default."""
    return any(True for _ in texts(default))


def _whole(number: float | None) -> int | None:
    """Returns a length as an integer, which JSON Schema takes `5.0` for."""
    return None if number is None else int(number)
