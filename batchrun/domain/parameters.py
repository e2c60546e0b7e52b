"""Job parameters: typed inputs of a launch, and the identity that they give a job instance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class ParameterType(StrEnum):
    """Types that a job file may declare for a parameter."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    DURATION = "duration"
    PATH = "path"
    CHOICE = "choice"
    LIST = "list"


ParameterValue = str | int | float | Decimal | bool | date | datetime | timedelta | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class JobParameter:
    """One given or defaulted parameter of a job execution."""

    name: str
    value: ParameterValue
    type: ParameterType = ParameterType.STRING
    identifying: bool = True

    @property
    def text(self) -> str | None:
        """The value in the one notation that identity and the repository use; None for no value."""
        return None if self.value is None else value_text(self.value)


def value_text(value: object) -> str:
    """Returns a value in the notation of identities, the repository and late binding.

    Booleans are `true` and `false`, durations their seconds as a decimal, times ISO 8601, lists a JSON array.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return format(Decimal(value // timedelta(microseconds=1)) / 1_000_000, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return json.dumps(list(value), ensure_ascii=False)
    return str(value)


def parameter_value(text: str | None, kind: ParameterType) -> ParameterValue:
    """Reads a value back from the notation of `value_text`.

    Raises:
        ValueError: the text is not of the type.
    """
    if text is None:
        return None
    match kind:
        case ParameterType.INTEGER:
            return int(text)
        case ParameterType.FLOAT:
            return float(text)
        case ParameterType.DECIMAL:
            return Decimal(text)
        case ParameterType.BOOLEAN:
            return text == "true"
        case ParameterType.DATE:
            return date.fromisoformat(text)
        case ParameterType.DATETIME:
            return datetime.fromisoformat(text)
        case ParameterType.DURATION:
            return timedelta(microseconds=int(Decimal(text) * 1_000_000))
        case ParameterType.LIST:
            return tuple(json.loads(text))
        case _:
            return text


class JobParameters(Mapping[str, ParameterValue]):
    """The parameters of one job execution: a mapping from name to value, in order of declaration."""

    def __init__(self, parameters: list[JobParameter] | tuple[JobParameter, ...] = ()) -> None:
        self._by_name = {parameter.name: parameter for parameter in parameters}

    def __getitem__(self, name: str) -> ParameterValue:
        return self._by_name[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"JobParameters({list(self._by_name.values())!r})"

    def all(self) -> tuple[JobParameter, ...]:
        """Returns the parameters with type and role."""
        return tuple(self._by_name.values())

    @property
    def has_identifying(self) -> bool:
        """Tells whether any parameter distinguishes one job instance from another."""
        return any(parameter.identifying for parameter in self.all())

    def identity(self) -> str:
        """Returns the SHA-256 (hex) of the identifying parameters, sorted by name: name, type and value.

        Type counts, so `id=1` as integer and as string are two instances (Spring Batch hashes type and value
        likewise). Without any identifying parameter it is the hash of an empty list: one instance.
        """
        identifying = sorted(
            (parameter.name, str(parameter.type), parameter.text) for parameter in self.all() if parameter.identifying
        )
        return hashlib.sha256(json.dumps(identifying, ensure_ascii=False).encode()).hexdigest()
