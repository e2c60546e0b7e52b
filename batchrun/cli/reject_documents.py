"""Rejects for programs: as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from batchrun.domain.parameters import value_text
from batchrun.spi.rejects import RejectRecord

_COLUMNS = ("step", "execution_id", "phase", "origin", "error", "message", "raw", "item", "at")


def reject_document(record: RejectRecord) -> dict[str, Any]:
    """Returns a reject; values of its item that JSON has no form for are texts."""
    item = None if record.item is None else {name: _plain(value) for name, value in record.item.items()}
    return {
        "job_name": record.job,
        "step": record.step,
        "instance_id": record.instance_id,
        "execution_id": record.execution_id,
        "phase": str(record.phase),
        "origin": record.origin,
        "error": record.error,
        "message": record.message,
        "raw": record.raw,
        "item": item,
        "at": record.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def csv_lines(records: Iterable[RejectRecord]) -> Iterator[str]:
    """Yields a header, and a line for each reject; its item is JSON."""
    yield _line(_COLUMNS)
    for record in records:
        document = reject_document(record)
        item = document["item"]
        document["item"] = None if item is None else json.dumps(item, ensure_ascii=False)
        yield _line([document[name] for name in _COLUMNS])


def _line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, list | dict):
        return json.loads(json.dumps(value, default=value_text))
    return value if value is None or isinstance(value, bool | int | float | str) else value_text(value)
