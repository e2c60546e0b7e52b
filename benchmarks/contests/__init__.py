"""The contests: each module here has one, `CONTEST`, and is called like it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.contest import Contest


def all_contests() -> dict[str, Contest]:
    """Returns the contests by name, sorted."""
    return {each.name: import_module(f"{__name__}.{each.name}").CONTEST for each in iter_modules(__path__)}
