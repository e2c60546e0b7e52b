"""Constraints on a parameter's value: what a job file says beyond its type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from batchrun.domain.durations import duration_text
from batchrun.domain.parameters import ParameterValue, ScalarValue, value_text

PathKind = Literal["file", "folder", "any"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A constraint that a value breaks.

    Attributes:
        rule: the rest of a sentence, such as `must be at least 1`.
        value: what breaks it, the value itself or an item of it.
    """

    rule: str
    value: ParameterValue


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a value must hold to; those on one value hold for each item of a list.

    Attributes:
        min: the least value, of the parameter's own type.
        max: the greatest one.
        min_length: characters of a text, or items of a list.
        max_length: the same.
        pattern: a regular expression that the whole text must match.
        must_exist: what a path must lead to; whether it does, only a launch can tell.
    """

    min: ScalarValue | None = None
    max: ScalarValue | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    must_exist: PathKind | None = None

    def broken(self, value: ParameterValue) -> Iterator[Broken]:
        """Yields what the value breaks; of a list, also what its items do."""
        if isinstance(value, str | tuple):
            yield from self._broken_lengths(value)
        for each in value if isinstance(value, tuple) else (value,):
            yield from self._broken_by(each)

    def _broken_lengths(self, value: str | tuple[ScalarValue, ...]) -> Iterator[Broken]:
        unit = "character" if isinstance(value, str) else "item"
        least, most, length = self.min_length, self.max_length, len(value)
        if least is not None and length < least:
            yield Broken(f"must have at least {least} {unit}{'' if least == 1 else 's'}", value)
        if most is not None and length > most:
            yield Broken(f"must have at most {most} {unit}{'' if most == 1 else 's'}", value)

    def _broken_by(self, value: Any) -> Iterator[Broken]:
        for limit in (self.min, self.max):
            if isinstance(limit, datetime) and (limit.tzinfo is None) != (value.tzinfo is None):
                zone = "without" if limit.tzinfo is None else "with"
                yield Broken(f"must be {zone} a time zone, as its limit is", value)
                return
        if self.min is not None and value < self.min:
            yield Broken(f"must be at least {readable(self.min)}", value)
        if self.max is not None and value > self.max:
            yield Broken(f"must be at most {readable(self.max)}", value)
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            yield Broken(f"must match {self.pattern}", value)


def readable(value: ParameterValue) -> str:
    """Returns a value as people write it: texts in quotes, durations with their units, lists in brackets."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(readable, value))}]"
    if isinstance(value, timedelta) and value >= timedelta(0):
        return duration_text(value)
    return repr(value) if isinstance(value, str) else value_text(value)
