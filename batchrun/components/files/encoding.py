"""Encodes frames as lines of CSV or JSON, without loss: what the bulk encoders do otherwise is converted before."""

from __future__ import annotations

import io
import secrets
from typing import TYPE_CHECKING

from batchrun.errors import WriteError

if TYPE_CHECKING:
    import polars as pl

_TIME = "%H:%M:%S%.f"
_DATETIME = "%Y-%m-%dT%H:%M:%S%.f"

# Marks around a decimal in JSON text, which make a number of it; nothing that is read can hold them but by design.
_TOKEN = secrets.token_hex(8)
_OPEN, _CLOSE = f"\ue000{_TOKEN}", f"{_TOKEN}\ue001"


def csv_lines(frame: pl.DataFrame, *, delimiter: str, null: str) -> bytes:
    """Returns the items as CSV records, each ended by a newline; an empty string is quoted, a null is not.

    Raises:
        WriteError: a column holds lists or records.
    """
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    if nested:
        raise WriteError(f"column {nested[0]!r} holds {frame.schema[nested[0]]}, which CSV has no form for")
    text = frame.with_columns(_as_text(frame.schema))
    buffer = io.BytesIO()
    text.write_csv(buffer, include_header=False, separator=delimiter, null_value=null, quote_style="necessary")
    return buffer.getvalue()


def json_lines(frame: pl.DataFrame) -> bytes:
    """Returns the items as JSON objects, one a line; a decimal is a number with all its digits."""
    import polars as pl

    decimals = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Decimal)]
    marked = [
        pl.when(pl.col(name).is_not_null()).then(pl.format(f"{_OPEN}{{}}{_CLOSE}", pl.col(name).cast(pl.String)))
        for name in decimals
    ]
    renamed = [expression.alias(name) for expression, name in zip(marked, decimals, strict=True)]
    text = frame.with_columns(*_as_text(frame.schema), *renamed)
    buffer = io.BytesIO()
    text.write_ndjson(buffer)
    lines = buffer.getvalue()
    if not decimals:
        return lines
    return lines.replace(f'"{_OPEN}'.encode(), b"").replace(f'{_CLOSE}"'.encode(), b"")


def _as_text(schema: pl.Schema) -> list[pl.Expr]:
    """Returns the columns as text whose types the encoders refuse, or write with needless or missing parts."""
    import polars as pl

    texts = []
    for name, dtype in schema.items():
        column = pl.col(name)
        if dtype == pl.Binary:
            texts.append(column.bin.encode("hex"))
        elif dtype == pl.Duration:
            texts.append(column.dt.to_string("iso"))
        elif dtype == pl.Time:
            texts.append(column.dt.to_string(_TIME))
        elif isinstance(dtype, pl.Datetime):
            moment = column if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
            texts.append(moment.dt.to_string(_DATETIME if dtype.time_zone is None else f"{_DATETIME}Z"))
    return texts
