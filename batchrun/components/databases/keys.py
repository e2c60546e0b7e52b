"""Values of keys as JSON and back, exactly: a position survives a restart as text."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Sequence
from typing import Any

_READ: dict[str, Callable[[str], Any]] = {
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "uuid": uuid.UUID,
    "bytes": bytes.fromhex,
}


def to_json(key: Sequence[Any]) -> list[Any]:
    """Returns the key's values as JSON: text, numbers and booleans as they are, others as `{"date": "2026-07-31"}`.

    Raises:
        TypeError: a value is of a type that no key may have.
    """
    return [_to_json(value) for value in key]


def _to_json(value: Any) -> Any:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, uuid.UUID):
        return {"uuid": str(value)}
    for kind in (datetime.datetime, datetime.date, datetime.time):
        if isinstance(value, kind):
            return {kind.__name__: value.isoformat()}
    raise TypeError(f"a key cannot hold {type(value).__name__}")


def from_json(stored: Sequence[Any]) -> list[Any]:
    """Reads what `to_json` made."""
    return [_from_json(value) for value in stored]


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    return _READ[kind](text)
