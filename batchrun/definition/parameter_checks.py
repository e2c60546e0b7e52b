"""Checks typed values at a launch: constraints, what paths lead to, and validators, functions of the job's author."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from batchrun.definition.parameter_values import broken_rules
from batchrun.domain.constraints import PathKind
from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.parameters import ParameterValue
from batchrun.registry import LocalModules, RegistryError


class Refusal(NamedTuple):
    """Why a value is not taken, and the way out."""

    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class ParameterChecks:
    """The checks of one job's parameters.

    Attributes:
        modules: the Python files beside the job, with the validators.
    """

    modules: LocalModules

    def alone(self, declared: ParameterDefinition, value: ParameterValue) -> list[Refusal]:
        """Returns what is wrong with a parameter's value; its validator is asked where nothing else is wrong."""
        title = f"parameter {declared.name!r}"
        wrong = [Refusal(f"{title} {rule}") for rule in broken_rules(value, declared.constraints, declared)]
        wrong += [Refusal(f"{title}: {missing}") for missing in _missing(value, declared.constraints.must_exist)]
        if declared.validator is not None and not wrong:
            wrong += self._refusals(declared.validator, value, title)
        return wrong

    def together(self, validator: str, values: Mapping[str, ParameterValue]) -> list[Refusal]:
        """Returns what one of the job's validators says against all values."""
        return self._refusals(validator, MappingProxyType(dict(values)), "the parameters are refused")

    def _refusals(self, validator: str, value: Any, title: str) -> list[Refusal]:
        """Calls a validator; a text that it returns or a ValueError is its refusal, anything else its own error."""
        try:
            said = self.modules.load(validator)(value)
        except ValueError as error:
            return [Refusal(f"{title}: {error}" if str(error) else f"{title} by {validator}")]
        except RegistryError as error:
            return [Refusal(error.message, error.hint)]
        except (Exception, SystemExit) as error:  # the author's code may raise anything
            return [Refusal(f"validator {validator!r} failed: {self.modules.blame(validator, error)}")]
        if said is None or isinstance(said, str):
            return [Refusal(f"{title}: {said}")] if said else []
        hint = "return nothing, or a text that says what is wrong"
        return [Refusal(f"validator {validator!r} returned {type(said).__name__}", hint)]


def _missing(value: ParameterValue, kind: PathKind | None) -> Iterator[str]:
    """Yields what is wrong with the paths of a value that do not lead to what they must."""
    if kind is None:
        return
    for path in map(str, value if isinstance(value, tuple) else (value,)):
        if not os.path.exists(path):
            yield f"there is no {'file or folder' if kind == 'any' else kind} {path}"
        elif kind != "any" and os.path.isdir(path) != (kind == "folder"):
            yield f"{path} is a {'folder, not a file' if kind == 'file' else 'file, not a folder'}"
