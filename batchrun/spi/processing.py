"""Says of an error which item it is about."""

from __future__ import annotations

from batchrun.errors import BatchrunError, ItemError
from batchrun.spi.chunk import Item


def located(error: Exception | SystemExit, kind: type[ItemError], origin: str, item: Item | None = None) -> Exception:
    """Returns the error with the origin where it names none of its own, and as `kind` where it is not batchrun's.

    A new error has the one that it stands for as its cause.
    """
    if isinstance(error, ItemError) and error.origin is None:
        made: Exception = type(error)(
            error.reason,
            origin=origin,
            raw=error.raw,
            item=error.item or item,
            place=error.place,
            decided=error.decided,
            further=error.further,
        )
    elif isinstance(error, BatchrunError):
        return error
    else:
        made = kind(f"{type(error).__name__}: {error}", origin=origin, item=item)
    made.__cause__ = error
    return made
