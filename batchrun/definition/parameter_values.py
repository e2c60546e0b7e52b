"""Turns texts of a command line, and defaults of a job file, into typed parameter values."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from batchrun.definition.wording import shown
from batchrun.domain.durations import parse_duration
from batchrun.domain.parameters import ParameterType, ParameterValue, value_text
from batchrun.errors import did_you_mean

_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}

_EXPECTED = {
    ParameterType.STRING: "a text",
    ParameterType.INTEGER: "an integer",
    ParameterType.FLOAT: "a number",
    ParameterType.DECIMAL: "a decimal number",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.DATE: "a date as in 2026-01-31",
    ParameterType.DATETIME: "a date and time as in 2026-01-31T06:00:00",
    ParameterType.DURATION: "a duration as in 30s, 1h30m or 250ms",
    ParameterType.PATH: "a path",
    ParameterType.CHOICE: "a text",
    ParameterType.LIST: "texts with commas between them",
}

_YAML_TYPES: dict[ParameterType, tuple[type, ...]] = {
    ParameterType.INTEGER: (int,),
    ParameterType.FLOAT: (int, float),
    ParameterType.DECIMAL: (int, float),
    ParameterType.BOOLEAN: (bool,),
}


class ParameterValueError(ValueError):
    """A value that is not of its parameter's type.

    Attributes:
        hint: the way out, or None.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def convert(text: str, kind: ParameterType, choices: Sequence[str] = ()) -> ParameterValue:
    """Returns the value that a text means; a path stays as it is, see `absolute`.

    Raises:
        ParameterValueError: it is not of the type.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ParameterValueError(f"{text!a} is not valid UTF-8", "give a name in UTF-8, such as a link's")
    if kind is ParameterType.CHOICE and text not in choices:
        hint = did_you_mean(text, choices)
        raise ParameterValueError(f"expected one of {', '.join(choices)}, got {shown(text)}", hint)
    try:
        return _READERS[kind](text)
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise ParameterValueError(f"expected {_EXPECTED[kind]}, got {shown(text)}") from error


def convert_default(value: Any, kind: ParameterType, choices: Sequence[str] = ()) -> ParameterValue:
    """Returns the value that a default of a job file means; it may be written as a text or as YAML's own type.

    Raises:
        ParameterValueError: it is not of the type.
    """
    if value is None:
        return None
    if kind is ParameterType.LIST and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if isinstance(value, str):
        return convert(value, kind, choices)
    if not isinstance(value, _YAML_TYPES.get(kind, ())) or (
        isinstance(value, bool) and kind is not ParameterType.BOOLEAN
    ):
        is_text = kind in (ParameterType.STRING, ParameterType.CHOICE) and not isinstance(value, list | dict)
        hint = "write it in quotes, or declare its type" if is_text else None
        raise ParameterValueError(f"expected {_EXPECTED[kind]}, got {shown(value)}", hint)
    return convert(value_text(value), kind, choices)


def absolute(path: str, folder: Path) -> str:
    """Returns a path made absolute, `~` and `..` resolved by name only, so that a link stays one."""
    return os.path.abspath(folder / Path(path).expanduser())


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text.strip()):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _decimal(text: str) -> Decimal:
    number = Decimal(text.strip())
    if not number.is_finite():
        raise ValueError(text)
    return number


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError(text)
    return text


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError(text) from None


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


_READERS: dict[ParameterType, Callable[[str], ParameterValue]] = {
    ParameterType.STRING: str,
    ParameterType.INTEGER: _integer,
    ParameterType.FLOAT: _float,
    ParameterType.DECIMAL: _decimal,
    ParameterType.BOOLEAN: _boolean,
    ParameterType.DATE: lambda text: date.fromisoformat(text.strip()),
    ParameterType.DATETIME: lambda text: datetime.fromisoformat(text.strip()),
    ParameterType.DURATION: parse_duration,
    ParameterType.PATH: _path,
    ParameterType.CHOICE: str,
    ParameterType.LIST: _list,
}
