"""Turns what somebody gives for a parameter, a text or a value of YAML's or Python's own types, into a typed value."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from batchrun.definition.wording import shortened, shown
from batchrun.domain.constraints import Constraints, readable
from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.durations import parse_duration
from batchrun.domain.parameters import MASK, ParameterType, ParameterValue, ScalarValue
from batchrun.errors import did_you_mean

T = ParameterType

EXACT_DIGITS = 15
"""Digits of a decimal that a float keeps whatever they are."""

_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}

_EXPECTED = {
    T.STRING: "a text",
    T.INTEGER: "an integer",
    T.FLOAT: "a number",
    T.DECIMAL: "a decimal number",
    T.BOOLEAN: "true or false",
    T.DATE: "a date as in 2026-01-31",
    T.DATETIME: "a date and time as in 2026-01-31T06:00:00",
    T.DURATION: "a duration as in 30s, 1h30m or 250ms",
    T.PATH: "a path",
    T.CHOICE: "a text",
    T.LIST: "values with commas between them",
    T.SECRET: "a text",
}
_TEXTS = (T.STRING, T.CHOICE, T.SECRET)


class ParameterValueError(ValueError):
    """A value that is not of its parameter's type.

    Attributes:
        hint: the way out, or None.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def convert(given: Any, declared: ParameterDefinition) -> ParameterValue:
    """Returns the typed value of what is given; a path stays as it is, see `absolute`. Constraints are not looked at.

    Args:
        given: a text, as a command line has it, or a value of YAML's or Python's own types; None is no value.
        declared: says the type.

    Raises:
        ParameterValueError: it is not of the type.
    """
    if given is None:
        return None
    if declared.type is T.LIST:
        return tuple(_scalar(each, declared.item) for each in _items(given))
    return _scalar(given, declared)


def broken_rules(value: ParameterValue, constraints: Constraints, declared: ParameterDefinition) -> list[str]:
    """Returns what a value breaks, each as the rest of a sentence: `must be at least 1, got 0`."""
    is_secret = declared.type is T.SECRET
    return [
        f"{broken.rule}, got {MASK if is_secret else shortened(readable(broken.value))}"
        for broken in constraints.broken(value)
    ]


def absolute(path: str, folder: Path) -> str:
    """Returns a path made absolute, `~` and `..` resolved by name only, so that a link stays one."""
    return os.path.abspath(folder / Path(path).expanduser())


def _items(given: Any) -> list[Any]:
    """Returns the items of a list: a YAML list, a JSON array, or what commas part, without spaces around."""
    if isinstance(given, list | tuple):
        return list(given)
    if not isinstance(given, str):
        return [given]
    if given.lstrip().startswith("["):
        return _json_array(given)
    return [part.strip() for part in given.split(",")] if given.strip() else []


def _json_array(text: str) -> list[Any]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        raise ParameterValueError(f"{shown(text)} is no JSON array", 'a list is a,b or ["a", "b"]')
    return items


def _scalar(given: Any, declared: ParameterDefinition) -> ScalarValue:
    """Returns the value of something that is no list.

    Raises:
        ParameterValueError: it is not of the type.
    """
    try:
        return _from_text(given, declared) if isinstance(given, str) else _from_native(given, declared.type)
    except (ValueError, InvalidOperation, OverflowError) as error:
        if isinstance(error, ParameterValueError):
            raise
        got = MASK if declared.type is T.SECRET else shown(given)
        message = f"expected {_EXPECTED[declared.type]}, got {got}"
        raise ParameterValueError(message, _hint(given, declared.type)) from error


def _hint(given: Any, kind: ParameterType) -> str | None:
    """Says how to write a number or word that YAML takes for another type than text."""
    if kind not in _TEXTS or not isinstance(given, int | float):
        return None
    return "write it in quotes" if kind is T.SECRET else "write it in quotes, or declare its type"


def _from_text(text: str, declared: ParameterDefinition) -> ScalarValue:
    if any("\ud800" <= character <= "\udfff" for character in text):
        written = MASK if declared.type is T.SECRET else ascii(text)
        raise ParameterValueError(f"{written} is not valid UTF-8", "give a name in UTF-8, such as a link's")
    if "\0" in text:
        written = MASK if declared.type is T.SECRET else shown(text)
        raise ParameterValueError(f"{written} holds the character U+0000", "no database and no command takes it")
    if declared.type is T.CHOICE and text not in declared.choices:
        hint = did_you_mean(text, declared.choices)
        raise ParameterValueError(f"expected one of {', '.join(declared.choices)}, got {shown(text)}", hint)
    return _READERS[declared.type](text)


def _from_native(given: Any, kind: ParameterType) -> ScalarValue:
    match kind, given:
        case (T.BOOLEAN, bool()):
            return given
        case (_, bool()):
            raise ValueError(given)
        case (T.INTEGER, int()) | (T.DURATION, timedelta()) | (T.DATETIME, datetime()):
            return given  # type: ignore[no-any-return]
        case (T.FLOAT, int() | float()):
            return _finite(float(given))
        case (T.DECIMAL, int() | float() | Decimal()):
            return _exact(given)
        case (T.DATE, date()) if not isinstance(given, datetime):
            return given
        case (T.PATH, Path()):
            return str(given)
    raise ValueError(given)


def _exact(number: float | Decimal) -> Decimal:
    """Returns a decimal of all digits that were written, which a float has lost where they were many."""
    exact = Decimal(str(number))
    if not exact.is_finite():
        raise ValueError(number)
    if isinstance(number, float) and len(exact.as_tuple().digits) > EXACT_DIGITS:
        raise ParameterValueError(
            f"a number of more than {EXACT_DIGITS} digits is not kept exactly", "write it in quotes"
        )
    return exact


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text.strip()):
        raise ValueError(text)
    return int(text)


def _plain(text: str) -> str:
    """Returns a number's text without spaces around; Python would take underscores in it."""
    if "_" in text:
        raise ValueError(text)
    return text.strip()


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(number)
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


_READERS: dict[ParameterType, Callable[[str], ScalarValue]] = {
    T.STRING: str,
    T.INTEGER: _integer,
    T.FLOAT: lambda text: _finite(float(_plain(text))),
    T.DECIMAL: lambda text: _exact(Decimal(_plain(text))),
    T.BOOLEAN: _boolean,
    T.DATE: lambda text: date.fromisoformat(text.strip()),
    T.DATETIME: lambda text: datetime.fromisoformat(text.strip()),
    T.DURATION: parse_duration,
    T.PATH: _path,
    T.CHOICE: str,
    T.SECRET: str,
}
