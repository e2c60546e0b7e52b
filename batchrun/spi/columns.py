"""Column types: the words a job file uses for the types of a column, one notation everywhere.

string  integer  float  boolean  time  binary
decimal(PRECISION, SCALE)          decimal(PRECISION) is decimal(PRECISION, 0), decimal is decimal(38, 9)
date  datetime  timestamp          a datetime has no time zone; a timestamp has one and is kept in UTC
date(FORMAT) …                     the three with a strptime format for text, such as date(%d.%m.%Y)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

COLUMN_TYPES = (
    "string",
    "integer",
    "float",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "timestamp",
    "time",
    "binary",
)
_TEMPORAL = ("date", "datetime", "timestamp")
_NOTATION = re.compile(r"(?P<name>[A-Za-z_]+)\s*(?:\((?P<arguments>.*)\))?", re.DOTALL)
_MAX_PRECISION = 38


class ColumnTypeError(ValueError):
    """A column type that is not one; the message names it and, where one is near, the right spelling."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A parsed column type.

    Attributes:
        name: one of `COLUMN_TYPES`.
        precision: digits of a decimal in all, 1 to 38.
        scale: digits of a decimal after the point, 0 to precision.
        format: strptime format of a temporal type's text; None is ISO 8601.
    """

    name: str
    precision: int = 38
    scale: int = 9
    format: str | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Reads the notation, such as `decimal(12,2)`.

        Raises:
            ColumnTypeError: it is none.
        """
        match = _NOTATION.fullmatch(text.strip())
        name = match["name"] if match else text
        if match is None or name not in COLUMN_TYPES:
            near = get_close_matches(name.lower(), COLUMN_TYPES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(COLUMN_TYPES)}"
            raise ColumnTypeError(f"unknown column type {text!r}", hint)
        arguments = match["arguments"]
        if arguments is None:
            return cls(name)
        if name == "decimal":
            return cls(name, *_decimal_arguments(text, arguments))
        if name in _TEMPORAL and "%" in arguments:
            return cls(name, format=arguments)
        raise ColumnTypeError(f"column type {text!r} takes no such arguments", "as in decimal(12,2) or date(%d.%m.%Y)")

    @property
    def dtype(self) -> pl.DataType:
        """The polars type of the column."""
        import polars as pl

        simple = {
            "string": pl.String(),
            "integer": pl.Int64(),
            "float": pl.Float64(),
            "boolean": pl.Boolean(),
            "date": pl.Date(),
            "datetime": pl.Datetime("us"),
            "timestamp": pl.Datetime("us", "UTC"),
            "time": pl.Time(),
            "binary": pl.Binary(),
        }
        return simple[self.name] if self.name in simple else pl.Decimal(self.precision, self.scale)


def _decimal_arguments(text: str, arguments: str) -> tuple[int, int]:
    numbers = [part.strip() for part in arguments.split(",")]
    if not (1 <= len(numbers) <= 2 and all(number.isdecimal() for number in numbers)):
        raise ColumnTypeError(f"column type {text!r} needs whole numbers", "as in decimal(12,2)")
    precision, scale = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 0
    if not (1 <= precision <= _MAX_PRECISION and scale <= precision):
        raise ColumnTypeError(
            f"column type {text!r} is out of range", f"1 to {_MAX_PRECISION} digits, of which not more after the point"
        )
    return precision, scale
