"""Text to typed columns, one rule for all that read text: exact, or null where the text is not of the type.

Nothing is guessed: a date is ISO 8601 unless a format is declared, a decimal with more digits than its scale is not
rounded. Whoever converts compares the nulls that come out with those that went in (`unconverted`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from batchrun.spi.columns import ColumnType

if TYPE_CHECKING:
    import polars as pl

    Make = Callable[[pl.Expr], pl.Expr]
    Holds = Callable[[pl.Expr, pl.Expr], pl.Expr]

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")

_MAX_PRECISION = 38
_BLANKS = " \t"
_SPARE_DIGITS = 4  # a decimal is parsed with at least so many more digits than it may have, to see them

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def with_its_mark(data: bytes) -> bytes:
    """Returns text of which polars reads all: it drops a byte order mark, which in the midst of a file is a value's."""
    return BYTE_ORDER_MARK + data if data.startswith(BYTE_ORDER_MARK) else data


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """A way to convert a column.

    Attributes:
        make: makes the values of it, null where it cannot.
        holds: tells of each value, made of that source, whether it is to be kept; None where all are. Apart, so that
            the values are made only once, and looked at one by one only where one is not to be kept.
    """

    make: Make
    holds: Holds | None = None


def convert(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Returns the frame with the columns in their declared types; null where a value cannot be converted exactly."""
    import polars as pl

    plans = {each.name: attempts(each.kind, frame[each.name]) for each in columns}
    first = {name: plan[0] for name, plan in plans.items() if plan}
    converted = frame.with_columns(_made(frame, first)) if first else frame
    for name, plan in plans.items():
        for attempt in plan[1:]:
            if converted[name].null_count() == frame[name].null_count():
                break
            found = _made(frame, {name: attempt})
            converted = converted.with_columns(pl.coalesce(pl.col(name), *found))
    return converted


def _made(frame: pl.DataFrame, tried: Mapping[str, Attempt]) -> list[pl.Series]:
    """Returns the columns as these attempts make them."""
    import polars as pl

    made = frame.select(attempt.make(pl.col(name)).alias(name) for name, attempt in tried.items())
    holds = {
        name: attempt.holds(pl.lit(made[name]), pl.lit(frame[name]))
        for name, attempt in tried.items()
        if attempt.holds is not None
    }
    if not holds:
        return made.get_columns()
    all_hold = pl.select(each.all().alias(name) for name, each in holds.items()).row(0, named=True)
    masked = [pl.when(holds[name]).then(made[name]).alias(name) for name, hold in all_hold.items() if not hold]
    return made.with_columns(masked).get_columns()


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
        is_exact = kind.name in ("integer", "decimal") and source.dtype.is_numeric()
        return [Attempt(_cast(kind), _equals if is_exact else None)]
    if kind.name in _FORMATS:
        holds = _has_no_finer_and(_limits(kind)) if _is_finer(kind, source) else _limits(kind)
        return [Attempt(_temporal(kind, each), holds) for each in _formats(kind, source)]
    if kind.name == "decimal":
        return [Attempt(_cast(kind), _has_digits(kind.scale))]
    return [Attempt(_TEXT.get(kind.name, _cast)(kind))]


def _cast(kind: ColumnType) -> Make:
    return lambda value: value.cast(kind.dtype, strict=False)


def _equals(made: pl.Expr, source: pl.Expr) -> pl.Expr:
    return made == source


def _has_digits(scale: int) -> Holds:
    """Returns whether a text is a number with no more digits behind the point, zeros apart."""
    plain = rf"^[+-]?\d*\.?\d{{0,{scale}}}0*([eE]\+?\d+)?$"
    return lambda _made, text: text.str.contains(plain)


def _boolean(_kind: ColumnType) -> Make:
    import polars as pl

    words = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
    return lambda text: text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


def _binary(_kind: ColumnType) -> Make:
    return lambda text: text.str.strip_prefix("\\x").str.decode("hex", strict=False)


_TEXT: dict[str, Callable[[ColumnType], Make]] = {"boolean": _boolean, "binary": _binary}

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


def _temporal(kind: ColumnType, format: str) -> Make:
    """Returns the conversion by a format; without the parser's cache, which costs more than it saves."""
    if kind.name == "time":
        return lambda text: text.str.to_time(format, strict=False, cache=False)
    if kind.name == "date":
        return lambda text: text.str.to_date(format, strict=False, cache=False)
    zone = "UTC" if kind.name == "timestamp" else None
    return lambda text: text.str.to_datetime(format, strict=False, time_unit="us", time_zone=zone, cache=False)


def _limits(kind: ColumnType) -> Holds | None:
    """Returns whether a year is one that Python's dates can hold."""
    if kind.name == "time":
        return None
    if kind.name == "date":
        return lambda day, _text: day.is_between(date.min, date.max)
    return lambda moment, _text: moment.dt.replace_time_zone(None).is_between(datetime.min, datetime.max)


def _is_finer(kind: ColumnType, source: pl.Series) -> bool:
    """Tells whether a text may tell more than microseconds, of which polars would cut off the rest."""
    has_fraction = kind.name != "date" and (kind.format is None or "f" in kind.format)
    return has_fraction and bool(source.str.contains(_FINER).any())


def _has_no_finer_and(holds: Holds | None) -> Holds:
    def has_no_finer(made: pl.Expr, text: pl.Expr) -> pl.Expr:
        is_exact = ~text.str.contains(_FINER)
        return is_exact if holds is None else is_exact & holds(made, text)

    return has_no_finer
