"""SQL expressions on columns, of a chunk or of a decision's facts: checked on an empty frame, evaluated on whole ones.

An expression is about one item. What goes over several, such as SUM, would go over a chunk, whose borders mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from batchrun.errors import ProcessError, did_you_mean, first_line
from batchrun.spi.chunk import Chunk
from batchrun.spi.spec import OptionsProblem

if TYPE_CHECKING:
    import polars as pl

_MISSING_COLUMN = re.compile(r'unable to find column "([^"]*)"')
_PATH = re.compile(r'(?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))+')
_TEXT = re.compile(r"'(?:[^']|'')*'")
_LITERAL = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_OVER_ITEMS = re.compile(
    r"\b(sum|count|avg|mean|min|max|median|first|last|corr|covar\w*|quantile_\w+|std\w*|var|var_\w+|variance|"
    r"array_agg|string_agg|listagg|unnest|explode|over)\s*\(",
    re.IGNORECASE,
)


def parse(text: str) -> pl.Expr:
    """Reads an expression such as `quantity * price`.

    Raises:
        ValueError: it is none; the message says why.
    """
    import polars as pl

    if found := _OVER_ITEMS.search(_LITERAL.sub("''", text)):
        raise ValueError(f"{text!r}: {found[1].upper()} goes over several items, but an expression is about one")
    try:
        return pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{text!r} is no expression: {first_line(error)}") from error


def type_of(text: str, columns: pl.Schema, at: tuple[str | int, ...]) -> pl.DataType | OptionsProblem:
    """Returns the type of an expression over these columns, or what is wrong with it at this option."""
    import polars as pl

    try:
        frame = pl.DataFrame(schema=columns).select(parse(text).alias("result"))
    except ValueError as error:
        return OptionsProblem(str(error), at)
    except pl.exceptions.ColumnNotFoundError as error:
        return _missing_column(text, str(error), columns, at)
    except pl.exceptions.StructFieldNotFoundError as error:
        return _missing_field(text, first_line(error), columns, at)
    except pl.exceptions.PolarsError as error:
        return OptionsProblem(f"{text!r} does not fit the columns: {first_line(error)}", at)
    return frame.schema["result"]


def evaluate(text: str, chunk: Chunk, frame: pl.DataFrame, what: str) -> pl.Series:
    """Returns the value of an expression for each item of a chunk.

    Args:
        text: the expression.
        chunk: tells the items' origins.
        frame: its items as they are now, a row for each.
        what: the option, for messages, such as `where`.

    Raises:
        ProcessError: it fails; names the first item on which it does, or the chunk where it fails on any.
    """
    import polars as pl

    expression = parse(text)
    try:
        return _values(expression, frame)
    except pl.exceptions.PolarsError as error:
        place = _first_failing(expression, frame)
        if place is None:
            raise ProcessError(f"{what} {text!r}: {first_line(error)}", origin=chunk.span) from error
        item = frame.slice(place, 1)
        try:
            _values(expression, item)
        except pl.exceptions.PolarsError as of_item:
            error = of_item
        message = f"{what} {text!r}: {first_line(error)}"
        raise ProcessError(message, origin=chunk.origin(place), raw=str(item.row(0, named=True))) from error


def _values(expression: pl.Expr, frame: pl.DataFrame) -> pl.Series:
    """Returns a value for each row, also where the expression has no column."""
    return frame.with_columns(expression.alias("\0value"))["\0value"]


def _first_failing(expression: pl.Expr, frame: pl.DataFrame) -> int | None:
    """Returns the first row on which the expression fails, by halving; None where it fails on no row at all, too."""
    import polars as pl

    def fails(start: int, length: int) -> bool:
        try:
            _values(expression, frame.slice(start, length))
        except pl.exceptions.PolarsError:
            return True
        return False

    if fails(0, 0):
        return None
    first, length = 0, frame.height
    while length > 1:
        half = length // 2
        first, length = (first, half) if fails(first, half) else (first + half, length - half)
    return first if length and fails(first, 1) else None


def _missing_column(text: str, reason: str, columns: pl.Schema, at: tuple[str | int, ...]) -> OptionsProblem:
    found = _MISSING_COLUMN.search(reason)
    name = found[1] if found else text
    return OptionsProblem(f"there is no column {name!r}", at, did_you_mean(name, columns) or listed(columns))


def _missing_field(text: str, name: str, columns: pl.Schema, at: tuple[str | int, ...]) -> OptionsProblem:
    """Says which path of names ends in a field that is none, and which fields there are in its place."""
    for path in _PATH.findall(_TEXT.sub("''", text)):
        fields: Mapping[str, pl.DataType] = columns
        for part in (each.strip('"') for each in path.split(".")):
            if part == name and part not in fields:
                return OptionsProblem(f"{path!r} names nothing", at, did_you_mean(name, fields) or _there(fields))
            fields = _fields(fields.get(part))
    return OptionsProblem(f"{text!r} does not fit the columns: there is no {name!r}", at)


def _fields(kind: pl.DataType | None) -> Mapping[str, pl.DataType]:
    return {each.name: each.dtype for each in getattr(kind, "fields", ())}


def _there(fields: Mapping[str, pl.DataType]) -> str:
    return f"there are: {', '.join(fields) or 'none'}"


def condition_problem(text: str, columns: pl.Schema, at: tuple[str | int, ...]) -> OptionsProblem | None:
    """Returns what is wrong with an expression that is to be a condition, or None."""
    found = type_of(text, columns, at)
    if isinstance(found, OptionsProblem):
        return found
    if str(found) in ("Boolean", "Null"):
        return None
    return OptionsProblem(f"{text!r} is a {str(found).lower()}, not a condition", at, "compare it with something")


def listed(columns: pl.Schema) -> str:
    """Returns the hint that names the columns there are."""
    return f"the columns: {', '.join(columns)}"


def absent(names: list[str], columns: pl.Schema, at: tuple[str | int, ...]) -> list[OptionsProblem]:
    """Returns a problem for each name that is no column, at its place under the option."""
    return [
        OptionsProblem(f"there is no column {name!r}", (*at, place), did_you_mean(name, columns) or listed(columns))
        for place, name in enumerate(names)
        if name not in columns
    ]
