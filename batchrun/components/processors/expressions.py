"""SQL expressions on the columns of a chunk: checked on an empty frame, evaluated on whole frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batchrun.errors import did_you_mean, first_line
from batchrun.spi.spec import OptionsProblem

if TYPE_CHECKING:
    import polars as pl

_MISSING_COLUMN = re.compile(r'unable to find column "([^"]*)"')


def parse(text: str) -> pl.Expr:
    """Reads an expression such as `quantity * price`.

    Raises:
        ValueError: it is none; the message says why.
    """
    import polars as pl

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
    except pl.exceptions.PolarsError as error:
        return OptionsProblem(f"{text!r} does not fit the columns: {first_line(error)}", at)
    return frame.schema["result"]


def _missing_column(text: str, reason: str, columns: pl.Schema, at: tuple[str | int, ...]) -> OptionsProblem:
    found = _MISSING_COLUMN.search(reason)
    name = found[1] if found else text
    return OptionsProblem(f"there is no column {name!r}", at, did_you_mean(name, columns) or listed(columns))


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
