"""Job parameters: typed inputs of a launch, and the identity that they give a job instance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
    SECRET = "secret"


ScalarValue = str | int | float | Decimal | bool | date | datetime | timedelta
ParameterValue = ScalarValue | tuple[ScalarValue, ...] | None

RUN_ID = "run.id"
"""The identifying integer that `launch --next` counts up."""

_MOST_RUNS = 2**62
"""Far below what a repository's counter holds, so that there is always a next one."""

MASK = "***"
"""Stands for a secret wherever one would be stored or shown."""


@dataclass(frozen=True, slots=True)
class JobParameter:
    """One given or defaulted parameter of a job execution.

    Attributes:
        items: the type of a list's items.
    """

    name: str
    value: ParameterValue
    type: ParameterType = ParameterType.STRING
    identifying: bool = True
    items: ParameterType = ParameterType.STRING

    @property
    def text(self) -> str | None:
        """The value in the one notation of identity and repository; None for no value, a mask for a secret."""
        if self.value is None:
            return None
        return MASK if self.type is ParameterType.SECRET else value_text(self.value)

    @property
    def type_text(self) -> str:
        """The type as identity and the repository write it, such as `list[integer]`; a list of texts is `list`."""
        is_plain = self.type is not ParameterType.LIST or self.items is ParameterType.STRING
        return str(self.type) if is_plain else f"{self.type}[{self.items}]"

    @classmethod
    def from_texts(cls, name: str, text: str | None, type_text: str, identifying: bool) -> JobParameter:
        """Reads a parameter back from its `text` and `type_text`; a secret stays masked.

        Raises:
            ValueError: there is no such type, or the text is not of it.
        """
        kind, _, rest = type_text.partition("[")
        items = ParameterType(rest.removesuffix("]") or ParameterType.STRING)
        return cls(name, parameter_value(text, ParameterType(kind), items), ParameterType(kind), identifying, items)

    def masked(self) -> JobParameter:
        """Returns the parameter as it may be stored and shown."""
        return replace(self, value=self.text) if self.type is ParameterType.SECRET else self


def value_text(value: object) -> str:
    """Returns a value in the notation of identities, the repository and late binding.

    Booleans are `true` and `false`, durations their seconds as a decimal, times ISO 8601. A list is a JSON array: of
    numbers and booleans where it holds such, else of the texts of its items.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return format(Decimal(value // timedelta(microseconds=1)) / 1_000_000, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return json.dumps([_json_item(each) for each in value], ensure_ascii=False)
    return str(value)


def _json_item(value: object) -> object:
    return value if isinstance(value, str | int | float) else value_text(value)


def parameter_value(
    text: str | None, kind: ParameterType, items: ParameterType = ParameterType.STRING
) -> ParameterValue:
    """Reads a value back from the notation of `value_text`.

    Args:
        text: None is no value.
        kind: the type.
        items: the type of a list's items.

    Raises:
        ValueError: the text is not of the type.
    """
    if text is None:
        return None
    if kind is ParameterType.LIST:
        return tuple(_scalar_value(value_text(each), items) for each in json.loads(text))
    return _scalar_value(text, kind)


def _scalar_value(text: str, kind: ParameterType) -> ScalarValue:
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
    def run_id(self) -> int | None:
        """The identifying integer `run.id`; None where there is none, or one that no counting can have reached."""
        found = self._by_name.get(RUN_ID)
        if found is None or not found.identifying or found.type is not ParameterType.INTEGER:
            return None
        return found.value if isinstance(found.value, int) and found.value < _MOST_RUNS else None

    def with_run_id(self, run_id: int) -> JobParameters:
        """Returns the parameters with this `run.id`, and else as they are."""
        given = JobParameter(RUN_ID, run_id, ParameterType.INTEGER)
        return JobParameters([*(each for each in self.all() if each.name != RUN_ID), given])

    def masked(self) -> JobParameters:
        """Returns the parameters as they may be stored and shown: secrets are masked."""
        return JobParameters([parameter.masked() for parameter in self.all()])

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
            (parameter.name, parameter.type_text, parameter.text) for parameter in self.all() if parameter.identifying
        )
        return hashlib.sha256(json.dumps(identifying, ensure_ascii=False).encode()).hexdigest()
