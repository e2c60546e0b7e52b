"""Makes deciders and asks them as a decision does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batchrun.domain.execution import STEP_FACTS
from batchrun.domain.status import ExitStatus
from batchrun.registry import Registry
from batchrun.spi.scope import Database
from batchrun.testing.scope import scope_in


def facts(**given: Any) -> dict[str, Mapping[str, Any]]:
    """Returns facts of a run: of the steps `load`, which has run, and `next-one`, which has not."""
    load = {
        **dict.fromkeys(STEP_FACTS, 0),
        "write_count": 7,
        "status": "COMPLETED",
        "exit_code": "COMPLETED",
        "visit": 1,
    }
    return {
        "params": {},
        "execution": {"id": 5, "instance_id": 1, "job_name": "job"},
        "job": {"context": {}},
        "steps": {"load": load, "next-one": dict.fromkeys(STEP_FACTS)},
        **given,
    }


def decide(
    type: str, options: dict[str, Any], given: Mapping[str, Any] | None = None, folder: Path = Path()
) -> str | ExitStatus:
    registry = Registry(folder)
    parsed = registry.spec("decider", type).parse(options)
    assert parsed.check() == []
    databases = {"main": Database("main", f"sqlite:///{folder / 'main.db'}")}
    decider = registry.component("decider", type)(parsed, scope_in(folder, databases=databases))
    answer: str | ExitStatus = decider.decide(given or facts())
    return answer
