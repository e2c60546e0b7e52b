"""Text to typed columns, one rule for all that read text: exact, or null where the text is not of the type.

Nothing is guessed: a date is ISO 8601 unless a format is declared, a decimal with more digits than its scale is not
rounded. Whoever converts compares the nulls that come out with those that went in (`unconverted`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from batchrun.spi.columns import ColumnType

if TYPE_CHECKING:
    import polars as pl

    Attempt = Callable[[pl.Expr], pl.Expr]

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")

_MAX_PRECISION = 38
_BLANKS = " \t"
_SPARE_DIGITS = 4  # a decimal is parsed with at least so many more digits than it may have, to see them


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column.

    Attributes:
        notation: the type as the job file writes it, for messages.
    """

    name: str
    kind: ColumnType
    notation: str

    @classmethod
    def parse(cls, name: str, notation: str) -> Column:
        """Reads a column's type.

        Raises:
            ColumnTypeError: it is none.
        """
        return cls(name, ColumnType.parse(notation), notation)

    def refusal(self, text: object) -> str:
        """Returns the sentence that says that a value is not of the column's type."""
        article = "an" if self.notation[:1] in "aeiou" else "a"
        return f"column {self.name!r}: {text!r} is not {article} {self.notation}"


def wire_type(kind: ColumnType) -> pl.DataType:
    """Returns the type as which a CSV parser takes the column's text; `convert` makes the declared one of it.

    The parser is fast for numbers, but guesses at dates (02/01/2024) and rounds decimals: those come as text, and as
    decimals with more digits than declared.
    """
    import polars as pl

    if kind.name in ("integer", "float"):
        return kind.dtype
    whole_digits = kind.precision - kind.scale
    if kind.name == "decimal" and _MAX_PRECISION - whole_digits >= kind.scale + _SPARE_DIGITS:
        return pl.Decimal(_MAX_PRECISION, _MAX_PRECISION - whole_digits)
    return pl.String()


def convert(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Returns the frame with the columns in their declared types; null where a value cannot be converted exactly."""
    import polars as pl

    plans = {each.name: attempts(each.kind, frame[each.name]) for each in columns}
    first = [plan[0](pl.col(name)).alias(name) for name, plan in plans.items() if plan]
    converted = frame.with_columns(first) if first else frame
    for name, plan in plans.items():
        for attempt in plan[1:]:
            if converted[name].null_count() == frame[name].null_count():
                break
            found = frame.select(attempt(pl.col(name)))[name]
            converted = converted.with_columns(pl.coalesce(pl.col(name), found))
    return converted


def unconverted(converted: pl.DataFrame, source: pl.DataFrame, columns: Sequence[Column]) -> list[Column]:
    """Returns the columns in which a value was lost."""
    return [
        each
        for each in columns
        if converted[each.name].null_count() > source[each.name].null_count()
        and lost(converted[each.name], source[each.name]).any()
    ]


def lost(converted: pl.Series, source: pl.Series) -> pl.Series:
    """Returns for each value whether the conversion lost it; a blank text is a null of any type but string."""
    import polars as pl

    gone = converted.is_null() & source.is_not_null()
    return gone & (source.str.strip_chars(_BLANKS) != "") if source.dtype == pl.String else gone


def attempts(kind: ColumnType, source: pl.Series) -> list[Attempt]:
    """Returns the conversions to try, each for what those before it left null; none for a column that has its type."""
    import polars as pl

    if source.dtype == kind.dtype:
        return []
    if source.dtype != pl.String:
        exact = kind.name in ("integer", "decimal") and source.dtype.is_numeric()
        return [_exact(kind) if exact else _plain(kind)]
    if kind.name in _FORMATS:
        plan = [_temporal(kind, each) for each in _formats(kind, source)]
        return [_to_the_microsecond(each) for each in plan] if _is_finer(kind, source) else plan
    return [_TEXT.get(kind.name, _plain)(kind)]


def _plain(kind: ColumnType) -> Attempt:
    return lambda text: text.cast(kind.dtype, strict=False)


def _exact(kind: ColumnType) -> Attempt:
    import polars as pl

    def exact(value: pl.Expr) -> pl.Expr:
        rounded = value.cast(kind.dtype, strict=False)
        return pl.when(rounded == value).then(rounded)

    return exact


def _decimal(kind: ColumnType) -> Attempt:
    import polars as pl

    plain = rf"^[+-]?\d*\.?\d{{0,{kind.scale}}}0*([eE]\+?\d+)?$"
    return lambda text: pl.when(text.str.contains(plain)).then(text.cast(kind.dtype, strict=False))


def _boolean(_kind: ColumnType) -> Attempt:
    import polars as pl

    words = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
    return lambda text: text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


def _binary(_kind: ColumnType) -> Attempt:
    return lambda text: text.str.strip_prefix("\\x").str.decode("hex", strict=False)


_TEXT: dict[str, Callable[[ColumnType], Attempt]] = {"decimal": _decimal, "boolean": _boolean, "binary": _binary}

_FINER = r"\.\d{6}\d*[1-9]"  # digits of a second behind its microseconds

_ISO = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
]
_FORMATS = {
    "date": ["%Y-%m-%d"],
    "time": ["%H:%M:%S%.f", "%H:%M"],
    "datetime": _ISO,
    "timestamp": ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", *_ISO],
}


def _formats(kind: ColumnType, source: pl.Series) -> list[str]:
    """Returns the formats to try; those with the first value's separator come first, as the others rarely follow."""
    if kind.format is not None:
        return [kind.format]
    formats = _FORMATS[kind.name]
    place = source.is_not_null().arg_max()
    sample = "" if place is None else source[place] or ""
    return sorted(formats, key=lambda each: " " not in each) if " " in sample else formats


def _temporal(kind: ColumnType, format: str) -> Attempt:
    """Returns the conversion by a format; years that Python's dates cannot hold are not taken."""
    if kind.name == "time":
        return lambda text: text.str.to_time(format, strict=False)
    if kind.name == "date":
        return lambda text: _within(text.str.to_date(format, strict=False), date(1, 1, 1), date(9999, 12, 31))
    zone = "UTC" if kind.name == "timestamp" else None
    first, last = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)

    def moment(text: pl.Expr) -> pl.Expr:
        parsed = text.str.to_datetime(format, strict=False, time_unit="us", time_zone=zone)
        return _within(parsed.dt.replace_time_zone(None), first, last).dt.replace_time_zone(zone)

    return moment


def _is_finer(kind: ColumnType, source: pl.Series) -> bool:
    """Tells whether a text may tell more than microseconds, of which polars would cut off the rest."""
    has_fraction = kind.name != "date" and (kind.format is None or "f" in kind.format)
    return has_fraction and bool(source.str.contains(_FINER).any())


def _to_the_microsecond(attempt: Attempt) -> Attempt:
    import polars as pl

    return lambda text: pl.when(~text.str.contains(_FINER)).then(attempt(text))


def _within(value: pl.Expr, first: date, last: date) -> pl.Expr:
    import polars as pl

    return pl.when(value.is_between(first, last)).then(value)
