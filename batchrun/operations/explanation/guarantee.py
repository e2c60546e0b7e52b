"""How often a step's work is done after a crash and a restart, and why (DESIGN: exactly once)."""

from __future__ import annotations

from typing import NamedTuple

from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    DecisionDefinition,
    StepDefinition,
    TaskletDefinition,
)
from batchrun.registry import Registry
from batchrun.spi.spec import Capabilities


class Guarantee(NamedTuple):
    """What is promised, and what it rests on."""

    promised: str | None
    why: str


def guarantee_of(state: StepDefinition, registry: Registry) -> Guarantee:
    """Returns what a state promises."""
    match state.work:
        case ChunkDefinition(reader, writer):
            if not registry.spec(reader.role, reader.type).capabilities.restartable:
                return Guarantee("at least once", f"reader {reader.type} cannot go on where it was: it begins again")
            capabilities = registry.spec(writer.role, writer.type).capabilities
            return Guarantee(capabilities.guarantee, _why_of_writer(capabilities))
        case TaskletDefinition(tasklet):
            capabilities = registry.spec(tasklet.role, tasklet.type).capabilities
            return Guarantee(capabilities.guarantee, _why_of_tasklet(capabilities))
        case DecisionDefinition():
            again = "takes it again" if state.allow_start_if_complete else "keeps it"
            return Guarantee(None, f"the decision is saved once it is taken; a restart {again}")
        case ChildJobDefinition():
            return Guarantee(None, "as its own steps promise; a restart continues it")
        case _:
            return Guarantee(None, "as the steps inside promise; a restart runs those that have not completed")


def _why_of_writer(capabilities: Capabilities) -> str:
    if capabilities.transactional:
        return "each commit in the target holds the items and the position together"
    if capabilities.truncating:
        return "a restart cuts the target back to the last commit"
    if capabilities.idempotent:
        return "a chunk that is written again leaves the target as once does"
    return "what was written since the position was last saved is written again"


def _why_of_tasklet(capabilities: Capabilities) -> str:
    if capabilities.transactional:
        return "each call and the record of it are one transaction"
    if capabilities.idempotent:
        return "a call that is made again leaves everything as once does"
    return "a call that did not return is made again"
