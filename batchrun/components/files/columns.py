"""The list of columns that a component of files takes."""

from __future__ import annotations

from collections.abc import Sequence

from batchrun.spi import OptionsProblem


def columns_problems(columns: Sequence[str] | None, way_out: str) -> list[OptionsProblem]:
    """Returns what is wrong with the option `columns`.

    Args:
        columns: the names; None where the option is left out.
        way_out: what to do in place of an empty list.
    """
    if columns is None:
        return []
    if not columns:
        return [OptionsProblem("columns is empty", ("columns",), way_out)]
    return [
        OptionsProblem(f"columns names {name!r} twice", ("columns", place))
        for place, name in enumerate(columns)
        if name in columns[:place]
    ]
