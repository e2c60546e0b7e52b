"""Items as dictionaries: made of a frame's columns, and made a frame again.

A column in which nobody has changed anything is not made a second time: its values are still the very objects that were
given out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import chain, repeat
from operator import is_
from types import NoneType
from typing import TYPE_CHECKING, Any

from batchrun.errors import ProcessError, first_line

if TYPE_CHECKING:
    import polars as pl

    from batchrun.spi.chunk import Item, Places

_FEW = 4
"""Decimals are made once for each distinct value where there are so many times fewer of those."""

MANY = 50
"""From so many items on it takes less time to look at columns than at values."""

_MAX_DIGITS = 38
_MOST_PLACES = 2 * _MAX_DIGITS
"""Of zeros too; a number with more is not even written out."""

_NOT_PLAIN = "ENI"
"""In the text of a decimal: it has an exponent, is no number, or infinite."""


class GivenValues:
    """The values of a frame as Python objects, as they are given out in items."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._lists = {column.name: _objects(column) for column in frame}

    def items(self) -> Iterator[Item]:
        """Yields the items, each a dictionary that is the caller's own."""
        if not self._lists:
            return ({} for _ in range(self._frame.height))
        names = list(self._lists)
        return map(dict, map(zip, repeat(names), zip(*self._lists.values(), strict=True)))

    def column(self, name: str, values: list[Any], places: Places | None) -> pl.Series | None:
        """Returns the frame's column where these values are its own, and would be a column of its type again.

        Args:
            name: of the column.
            values: for each item the one that it has now.
            places: for each item its place in the frame; None for all of them in order.
        """
        given = self._lists.get(name)
        if given is None or not _comes_back(self._frame.schema[name]):
            return None
        expected = given if places is None else map(given.__getitem__, places)
        if len(values) != (len(given) if places is None else len(places)) or not all(map(is_, values, expected)):
            return None
        column = self._frame[name]
        return column if places is None else column.gather(list(places))


def _objects(column: pl.Series) -> list[Any]:
    """Returns the values of a column; decimals each once or by their texts, which is most of the time."""
    import polars as pl

    if not isinstance(column.dtype, pl.Decimal):
        return column.to_list()
    if int(column.approx_n_unique()) * _FEW > len(column):  # type: ignore[arg-type]
        return [None if text is None else Decimal(text) for text in column.cast(pl.String).to_list()]
    distinct = column.unique()
    made = dict(zip(distinct.to_physical().to_list(), distinct.to_list(), strict=True))
    return [made[unit] for unit in column.to_physical().to_list()]


def _comes_back(dtype: pl.DataType) -> bool:
    """Tells whether the values of such a column cannot be changed in place, and make a column of this type again."""
    import polars as pl

    same = (pl.Int64, pl.Float64, pl.String, pl.Boolean, pl.Date, pl.Time, pl.Binary, pl.Decimal)
    return dtype in same or (isinstance(dtype, pl.Datetime) and dtype.time_unit == "us")


def frame_of(
    rows: list[Item], hint: pl.Schema | None, given: tuple[GivenValues, Places | None] | None, span: Callable[[], str]
) -> pl.DataFrame:
    """Makes a frame column by column: made row by row, polars turns a column of 1 and "x" into text without a word.

    Args:
        rows: the items.
        hint: the types that columns had when they were last a frame.
        given: the values that the items began with, and each item's place among them.
        span: tells the items' origin.

    Raises:
        ProcessError: the items disagree about a column's type, or a value has no place in one.
    """
    import polars as pl

    if not rows:
        return pl.DataFrame(schema=hint or {})
    made: list[pl.Series] = []
    for name in _names(rows):
        values = [row.get(name) for row in rows]
        column = None if given is None else given[0].column(name, values, given[1])
        made.append(_column(name, values, hint, span) if column is None else column)
    return pl.DataFrame(made)


def _names(rows: list[Item]) -> Iterable[str]:
    """Returns the names of all items' columns, in the order in which they come up."""
    in_all = set[str]().union(*rows)
    return rows[0] if len(in_all) == len(rows[0]) else dict.fromkeys(chain.from_iterable(rows))


def _column(name: str, values: list[Any], hint: pl.Schema | None, span: Callable[[], str]) -> pl.Series:
    import polars as pl

    kinds = set(map(type, values)) - {NoneType}
    if Decimal in kinds and kinds <= {Decimal, int}:
        column = _decimals(name, values, span)
    else:
        try:
            column = pl.Series(name, values, strict=True)
        except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
            column = pl.Series(name, _floats(name, values, span, error), strict=True)
    known = None if hint is None else hint.get(name)
    if known is not None and (column.dtype == pl.Null or _narrower_decimal(column.dtype, known)):
        return column.cast(known)
    return column


def _decimals(name: str, values: list[Any], span: Callable[[], str]) -> pl.Series:
    """Returns decimals and whole numbers as a column, with as many digits behind the point as the longest has.

    By their texts, which takes a third of the time, and does not break polars where one is no number.
    """
    import polars as pl

    texts = [None if value is None else str(value) for value in values]
    joined = "".join(filter(None, texts))
    if any(mark in joined for mark in _NOT_PLAIN):
        texts = [None if value is None else _digits(name, place, value) for place, value in enumerate(values)]
    scale = max([len(text.partition(".")[2]) for text in filter(None, texts)], default=0)
    try:
        return pl.Series(name, texts, dtype=pl.String).cast(pl.Decimal(_MAX_DIGITS, scale))
    except (OverflowError, ValueError, pl.exceptions.PolarsError) as error:
        raise ProcessError(
            f"column {name!r} has decimals of more than {_MAX_DIGITS} digits, with the {scale} behind the point that "
            "one of the chunk's has: round them",
            origin=span(),
        ) from error


def _digits(name: str, place: int, value: Decimal | int) -> str:
    """Returns a number without an exponent."""
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, str):
        raise ProcessError(f"column {name!r}: {value} is no decimal that a column can hold", place=place)
    if exponent < -_MOST_PLACES or (number and number.adjusted() > _MOST_PLACES):
        raise ProcessError(f"column {name!r}: {value} has more than {_MAX_DIGITS} digits: round it", place=place)
    return f"{number:f}"


def _floats(name: str, values: list[Any], span: Callable[[], str], error: Exception) -> list[Any]:
    """Returns floats and whole numbers as floats; anything else is an error."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ProcessError(
        f"the items of a chunk disagree about the type of column {name!r} ({found}): {first_line(error)}",
        origin=span(),
    ) from error


def _narrower_decimal(dtype: pl.DataType, hint: pl.DataType) -> bool:
    import polars as pl

    return isinstance(dtype, pl.Decimal) and isinstance(hint, pl.Decimal) and dtype.scale <= hint.scale
