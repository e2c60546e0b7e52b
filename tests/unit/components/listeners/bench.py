"""Makes listeners as a job does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from batchrun.registry import Registry
from batchrun.spi.listener import Listener
from batchrun.testing.scope import scope_in


def make(folder: Path, type: str, *, step_name: str = "step", **options: Any) -> Listener:
    registry = Registry(folder)
    parsed = registry.spec("listener", type).parse(options)
    assert parsed.check() == []
    listener: Listener = registry.component("listener", type)(parsed, _scope(folder, step_name))
    return listener


def _scope(folder: Path, step_name: str) -> Any:
    import logging

    scope = replace(scope_in(folder), step_name=step_name)
    return scope if step_name else replace(scope, log=logging.getLogger("batchrun.job.job"))
