"""Turns rejects into records, and records into JSON that keeps the types of an item's values, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from batchrun.domain.durations import duration_text, parse_duration
from batchrun.domain.tolerance import Phase
from batchrun.errors import ItemError
from batchrun.spi.rejects import Reject, RejectRecord
from batchrun.spi.scope import ComponentScope


class _Kind(NamedTuple):
    """A type that JSON has no form for: how its values are written as text, and read back."""

    name: str
    type: type
    write: Callable[[Any], str]
    read: Callable[[str], Any]


_KINDS = (
    _Kind("datetime", datetime, datetime.isoformat, datetime.fromisoformat),  # a datetime is a date too, so it is first
    _Kind("date", date, date.isoformat, date.fromisoformat),
    _Kind("time", time, time.isoformat, time.fromisoformat),
    _Kind("duration", timedelta, lambda value: _signed(value), lambda text: _duration(text)),
    _Kind("decimal", Decimal, str, Decimal),
    _Kind("binary", bytes, bytes.hex, bytes.fromhex),
    _Kind("float", float, str, float),  # those that are no numbers; the others are plain
)
_READ = {kind.name: kind.read for kind in _KINDS}


def record_of(reject: Reject, number: int, run: int, scope: ComponentScope) -> RejectRecord:
    """Returns the record of a reject that a step of this scope made just now."""
    error = reject.error
    kind = _first_cause(error)
    message = error.reason if isinstance(error, ItemError) else str(error)
    return RejectRecord(
        number=number,
        job=scope.job_name,
        step=scope.step_name,
        instance_id=scope.instance_id,
        run=run,
        execution_id=scope.execution_id,
        phase=reject.phase,
        origin=reject.origin,
        error=kind,
        message=_as_text(message.removeprefix(f"{kind}: ")),
        raw=reject.raw,
        item=reject.item,
        at=datetime.now(UTC),
    )


def _as_text(message: str) -> str:
    r"""Writes in a message what not every file or database takes: zero as `\x00`, half a surrogate pair as `\udcff`."""
    return message.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _first_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


def as_document(record: RejectRecord) -> dict[str, Any]:
    """Returns a record as JSON: its item with texts where JSON has no form, and under `types` what they are."""
    item, types = (None, {}) if record.item is None else as_json_item(record.item)
    document = {name: getattr(record, name) for name in RejectRecord.__dataclass_fields__}
    return {**document, "phase": str(record.phase), "item": item, "types": types, "at": record.at.isoformat()}


def from_document(document: Mapping[str, Any]) -> RejectRecord:
    """Reads what `as_document` returned.

    Raises:
        ValueError: something in it is not of its form.
        KeyError: something is missing.
    """
    item = document["item"]
    kept = {name: document[name] for name in RejectRecord.__dataclass_fields__}
    kept |= {"phase": Phase(document["phase"]), "at": datetime.fromisoformat(document["at"])}
    return RejectRecord(**{**kept, "item": None if item is None else from_json_item(item, document.get("types") or {})})


def as_json_item(item: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns an item as JSON, and the types, by column, that JSON has no form for."""
    values: dict[str, Any] = {}
    types: dict[str, str] = {}
    for column, value in item.items():
        kind = _kind(value)
        values[column] = _plain(value) if kind is None else kind.write(value)
        if kind is not None:
            types[column] = kind.name
    return values, types


def from_json_item(item: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """Reads what `as_json_item` returned; a text that has been put in another value's place is read as its type.

    Raises:
        ValueError: a text is not of its type.
        KeyError: there is no such type.
    """
    return {
        column: _READ[types[column]](value) if column in types and isinstance(value, str) else value
        for column, value in item.items()
    }


def _kind(value: Any) -> _Kind | None:
    if isinstance(value, float) and value - value == 0:
        return None
    return next((kind for kind in _KINDS if isinstance(value, kind.type)), None)


def _plain(value: Any) -> Any:
    """Returns a value without any dates and the like inside, which become texts."""
    return json.loads(json.dumps(value, default=str)) if isinstance(value, list | dict) else value


def _signed(value: timedelta) -> str:
    return duration_text(value) if value >= timedelta(0) else f"-{duration_text(-value)}"


def _duration(text: str) -> timedelta:
    return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)
